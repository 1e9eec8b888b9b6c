"""One publication for one `idem`, however often its author asks (protocol 6): lost sockets, lost commits, restarts.

Few people with much to repeat, a log that fails before and after it wrote, and a process that dies at any moment.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatcore.room.events import Said
from chatcore.room.state import IDEM_MS
from tests.property.ground import ROOM, USERS
from tests.property.town import Reader, Town

LONG = bool(os.environ.get("CASCADE_LONG"))

people = st.integers(0, 2)
steps = st.one_of(
    st.tuples(st.just("say"), people, st.integers(0, 5)),
    st.tuples(st.just("say"), people, st.integers(0, 5)),
    st.tuples(st.just("again"), people, st.integers(1, 3)),
    st.tuples(st.just("hang up"), people, st.just(0)),
    st.tuples(st.just("connect"), people, st.just(0)),
    st.tuples(st.just("restart"), st.just(0), st.just(0)),
    st.tuples(
        st.just("log"), st.just(0), st.lists(st.tuples(st.sampled_from([0.0, 0.01, 0.3]), st.booleans()))
    ),
)
pauses = st.sampled_from([0.0, 0.0, 0.001, 0.02, 0.5])


def play(history: list[tuple[tuple[str, int, Any], float]]) -> tuple[Town, list[Reader]]:
    """Two windows of Ann, who share her `idem`s, and one of Bob, who uses the same words."""
    town = Town()
    readers = [town.reader(user) for user in ("u_ann", "u_ann", "u_bob")]
    for reader in readers:
        town.at_once(reader.connect)
    for (what, index, extra), pause in history:
        reader = readers[index]
        match what:
            case "say":
                idem = f"w-{extra}"
                if idem not in reader.unsure | reader.settled:
                    text = town.text()
                    town.at_once(lambda r=reader, t=text, i=idem: r.send(t, None, i))
            case "again":
                for _ in range(extra):
                    town.at_once(reader.ask_again)
            case "hang up":
                town.at_once(reader.hang_up)
            case "connect":
                town.at_once(reader.connect)
            case "restart":
                town.restart()
            case _:
                town.plan = list(extra)
        town.wait(pause)
    town.plan = []
    for _ in range(5):
        for reader in readers:
            town.at_once(reader.connect)
            town.at_once(reader.ask_again)
        town.wait(2.0)
    return town, readers


@settings(max_examples=1500 if LONG else 80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(steps, pauses), max_size=40))
def test_one_idem_is_one_publication(history: list[tuple[tuple[str, int, Any], float]]) -> None:
    town, readers = play(history)
    try:
        places: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for entry in town.entries(ROOM):
            if isinstance(entry.event, Said) and entry.event.idem is not None:
                places.setdefault((entry.event.user, entry.event.idem), []).append((entry.event.mid, entry.n))
        for reader in readers:
            assert not reader.unsure
            for idem, sent in reader.settled.items():
                ((mid, n),) = places[reader.user or "", idem]
                for answer in sent.answers:
                    assert answer["outcome"] in ("published", "duplicate")
                    assert (answer["mid"], answer["pos"][1]) == (mid, n)
        published = [
            answer
            for reader in readers
            for sent in reader.settled.values()
            for answer in sent.answers
            if answer["outcome"] == "published"
        ]
        assert len({answer["mid"] for answer in published}) == len(published)
    finally:
        town.close()


def test_an_idem_is_forgotten_after_ten_minutes_also_by_a_new_process() -> None:
    town = Town()
    reader = town.reader(USERS[1])
    try:
        town.at_once(reader.connect)
        for pause, restarts in ((IDEM_MS / 1000 - 10, False), (5.0, True), (10.0, False)):
            town.at_once(lambda: reader.send("<once>", None, "i"))
            town.wait(1.0)
            town.wait(pause)
            if restarts:
                town.restart()
                town.at_once(reader.connect)
                town.wait(1.0)
        town.at_once(lambda: reader.send("<once>", None, "i"))
        town.wait(1.0)
        assert len(town.entries(ROOM)) == 2
        assert reader.settled["i"].answers[0]["outcome"] == "published"
    finally:
        town.close()


def test_an_idem_belongs_to_its_author() -> None:
    town = Town()
    ann, bob = town.reader("u_ann"), town.reader("u_bob")
    try:
        for reader in (ann, bob):
            town.at_once(reader.connect)
            town.wait(1.0)
            town.at_once(lambda reader=reader: reader.send(town.text(), None, "i"))
            town.wait(1.0)
        assert {entry.event.user for entry in town.entries(ROOM) if isinstance(entry.event, Said)} == {
            "u_ann",
            "u_bob",
        }
    finally:
        town.close()
