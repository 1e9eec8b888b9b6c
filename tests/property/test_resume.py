"""Random histories over the real session layer: what a reader holds after any of them is what the log says.

Readers come and go at any moment, read slowly, are overtaken by a small ring, lose their server; people speak, answer,
delete, purge, get roles and lose them; the log is slow and fails. A reader fails on a hole as it happens (town.py);
what all hold in the end is compared here.
"""

from __future__ import annotations

import itertools
import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatcore.room.events import Acted, Gone, Noticed, Said, StreamKey
from tests.property.ground import MOD, ROOM, USERS
from tests.property.town import Reader, Town

LONG = bool(os.environ.get("CASCADE_LONG"))

who = st.integers(0, 6)
people = st.integers(0, 4)
steps = st.one_of(
    st.tuples(st.just("say"), people, st.integers(0, 3)),
    st.tuples(st.just("say"), people, st.integers(0, 3)),
    st.tuples(st.just("say"), people, st.integers(0, 3)),
    st.tuples(st.just("flood"), people, st.sampled_from([5, 30, 90])),
    st.tuples(st.just("delete"), who, st.integers(0, 40)),
    st.tuples(st.just("staff deletes"), st.just(0), st.integers(0, 40)),
    st.tuples(st.just("purge"), who, st.sampled_from([1, 60, 3600])),
    st.tuples(st.just("time out"), who, st.sampled_from([None, 60])),
    st.tuples(st.just("role"), who, st.sampled_from(["moderator", "vip", None])),
    st.tuples(st.just("mode"), st.just(0), st.just(0)),
    st.tuples(st.just("hang up"), who, st.just(0)),
    st.tuples(st.just("connect"), who, st.just(0)),
    st.tuples(st.just("connect"), who, st.just(0)),
    st.tuples(st.just("stick"), who, st.just(0)),
    st.tuples(st.just("unstick"), who, st.just(0)),
    st.tuples(st.just("leave"), who, st.just(0)),
    st.tuples(st.just("restart"), st.just(0), st.just(0)),
    st.tuples(st.just("slow log"), st.just(0), st.lists(st.sampled_from([0.0, 0.003, 0.2]), max_size=9)),
    st.tuples(st.just("slow reads"), st.just(0), st.lists(st.sampled_from([0.0, 0.003, 0.2]), max_size=9)),
    st.tuples(st.just("log fails"), st.just(0), st.lists(st.booleans(), max_size=6)),
)
pauses = st.sampled_from([0.0, 0.0, 0.0, 0.001, 0.02, 1.1, 30.0])


class History:
    """One run: readers 0-3 are the four people, 4 is Ann's second window, 5 and 6 are anonymous."""

    def __init__(self) -> None:
        self.town = Town()
        self.readers = [self.town.reader(user) for user in (*USERS, "u_ann", None, None)]
        self.idems = itertools.count(1)

    def step(self, what: str, index: int, extra: Any) -> None:
        town, reader = self.town, self.readers[index]
        if what == "restart":
            town.restart()
            return
        if what == "slow log":
            town.plan = [(delay, False) for delay in extra]
            return
        if what == "slow reads":
            town.lags = list(extra)
            return
        if what == "log fails":
            town.plan = [(0.001, fails) for fails in extra]
            return
        town.at_once(lambda: self._act(reader, what, extra))

    def _act(self, reader: Reader, what: str, extra: Any) -> None:
        owner, mids = self.readers[0], self.mids()
        user = reader.user or "u_bob"
        match what:
            case "say":
                self._say(
                    reader,
                    "" if extra < 2 else "@ann ",
                    mids[-int(extra)] if 0 < extra <= len(mids) else None,
                )
            case "flood":
                for _ in range(extra):
                    self._say(reader, "", None)
            case "delete" if mids:
                reader.ask("msg.delete", {"mid": mids[-1 - extra % len(mids)]})
            case "staff deletes" if mids:
                owner.ask("mod.delete", {"mids": mids[extra % len(mids) :][:5]})
            case "purge":
                owner.ask("mod.delete", {"user": user, "seconds": extra})
            case "time out":
                owner.ask("mod.timeout", {"user": user, "seconds": 1, "purgeSeconds": extra})
            case "role" if extra is None:
                owner.ask("role.revoke", {"user": user})
            case "role":
                owner.ask("role.grant", {"user": user, "role": extra})
            case "mode":
                owner.ask("mode.set", {"name": "slow", "value": 0})
            case "hang up":
                reader.hang_up()
            case "connect":
                reader.connect()
            case "stick" if reader.line is not None:
                reader.line.stuck = True
            case "unstick" if reader.line is not None:
                reader.line.unstick()
            case "leave":
                self._leave(reader)
            case _:
                pass

    @staticmethod
    def _leave(reader: Reader) -> None:
        """Leaving a room is an answered command; a reader who left comes again by a new connection."""
        if reader.in_room:
            reader.ask("room.leave", {})
            reader.hang_up()

    def _say(self, reader: Reader, before: str, reply_to: str | None) -> None:
        reader.send(before + self.town.text(), reply_to, f"{reader.name}-{next(self.idems)}")

    def mids(self) -> list[str]:
        return [message.mid for message in self.town.messages()]

    def come_to_rest(self) -> None:
        """The log works again, everybody is here, reads, and asks again what he does not know."""
        town = self.town
        town.plan, town.lags = [], []
        for _ in range(20):
            for reader in self.readers:
                town.at_once(lambda reader=reader: self._settle(reader))
            town.wait(5.0)
            if not any(reader.unsure for reader in self.readers):
                break
        # What a commit wrote whose answer was lost is taken in with the next one; who has no such stream open asks.
        town.at_once(lambda: self.readers[0].ask("mode.set", {"name": "slow", "value": 0}))
        town.wait(10.0)
        self.check(live=True)
        for reader in self.readers:
            town.at_once(reader.hang_up)
            town.at_once(reader.connect)
        town.wait(10.0)
        self.check(live=False)

    @staticmethod
    def _settle(reader: Reader) -> None:
        if reader.line is None:
            reader.connect()
        else:
            reader.line.unstick()
            reader.ask_again()

    def check(self, *, live: bool) -> None:
        """What everybody holds is what the log says that he may read."""
        room = self.said(ROOM)
        mod = self.said(MOD)
        for reader in self.readers:
            assert reader.line is not None
            self.compare(reader, "room", room)
            if "mod" in reader.at:
                self.compare(reader, "mod", mod)
            if reader.user is not None and not live:
                self.compare(reader, "me", self.said(StreamKey("me", reader.user)))
            assert not reader.unsure, reader.unsure
        assert "mod" in self.readers[0].at
        self.check_once()

    def compare(self, reader: Reader, s: str, log: list[list[Any]]) -> None:
        assert reader.at[s][1] == len(log), f"{reader.name}: {s} at {reader.at[s]} of {len(log)}"
        base = reader.base[s]
        held = reader.held[s]
        for n, event in held.items():
            assert event == log[n - 1], f"{reader.name}: {s} {n}"
        assert set(range(base + 1, len(log) + 1)) <= set(held)

    def said(self, stream: StreamKey) -> list[list[Any]]:
        """The stream as it may be read now, in the form in which a reader holds it."""
        messages = {message.mid: message for message in self.town.messages()}
        found: list[list[Any]] = []
        for n, entry in enumerate(self.town.entries(stream), 1):
            assert entry.n == n
            event = entry.event
            if isinstance(event, Said):
                message = messages[event.mid]
                found.append(["msg.new", event.mid, event.user, None if message.gone else message.text])
            else:
                found.append([NAMES.get(type(event), "")])
                if not found[-1][0]:
                    found[-1] = [other_name(event)]
        return found

    def check_once(self) -> None:
        """Every message that was sent is in the log once, or not at all if it was refused."""
        places: dict[tuple[str, str], list[str]] = {}
        for entry in self.town.entries(ROOM):
            if isinstance(entry.event, Said) and entry.event.idem is not None:
                places.setdefault((entry.event.user, entry.event.idem), []).append(entry.event.mid)
        assert all(len(found) == 1 for found in places.values())
        for reader in self.readers:
            for idem, sent in reader.settled.items():
                assert places[reader.user or "", idem] == [sent.answers[0]["mid"]]
            for idem in reader.refused:
                assert (reader.user or "", idem) not in places


NAMES: dict[type, str] = {Gone: "msg.gone", Acted: "action", Noticed: "notify"}


def other_name(event: Any) -> str:
    if type(event).__name__ == "MySanction":
        return "sanction.applied" if event.cause is None else "sanction.ended"
    return {
        "ModeChanged": "room.mode",
        "RoleChanged": "role.changed",
        "MyRole": "role.changed",
        "Sanctioned": "user.sanctioned",
        "Unsanctioned": "user.unsanctioned",
    }[type(event).__name__]


def play(history: list[tuple[tuple[str, int, Any], float]]) -> History:
    run = History()
    try:
        for reader in run.readers[:5]:
            run.town.at_once(reader.connect)
        for (what, index, extra), pause in history:
            run.step(what, index, extra)
            run.town.wait(pause)
        run.come_to_rest()
    finally:
        run.town.close()
    return run


@settings(
    max_examples=1500 if LONG else 60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(st.tuples(steps, pauses), min_size=5, max_size=60))
def test_what_a_reader_holds_is_what_the_log_says(history: list[tuple[tuple[str, int, Any], float]]) -> None:
    play(history)


WEIGHTS = {
    "say": 40,
    "flood": 2,
    "delete": 8,
    "staff deletes": 3,
    "purge": 2,
    "time out": 3,
    "role": 6,
    "mode": 4,
    "hang up": 6,
    "connect": 12,
    "stick": 8,
    "unstick": 6,
    "leave": 1,
    "restart": 1,
    "slow log": 3,
    "slow reads": 9,
    "log fails": 2,
}


def long_history(seed: int, length: int = 200) -> list[tuple[tuple[str, int, Any], float]]:
    """A history as long as Hypothesis seldom makes one, with much more talk than trouble."""
    dice = random.Random(seed)
    history: list[tuple[tuple[str, int, Any], float]] = []
    for what in dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=length):
        extra: Any = dice.randint(0, 40)
        match what:
            case "say":
                extra = dice.randint(0, 3)
            case "flood":
                extra = dice.choice([5, 30, 90])
            case "purge":
                extra = dice.choice([1, 60, 3600])
            case "time out":
                extra = dice.choice([None, 60])
            case "role":
                extra = dice.choice(["moderator", "vip", None])
            case "slow log" | "slow reads":
                extra = [dice.choice([0.0, 0.003, 0.2]) for _ in range(9)]
            case "log fails":
                extra = [dice.random() < 0.3 for _ in range(6)]
            case _:
                pass
        pause = dice.choice([0.0, 0.0, 0.0, 0.0, 0.001, 0.02, 0.3, 1.1, 5.0])
        history.append(((what, dice.randint(0, 4 if what in ("say", "flood") else 6), extra), pause))
    return history


@pytest.mark.parametrize("seed", range(400 if LONG else 30))
def test_long_histories(seed: int) -> None:
    play(long_history(seed))
