"""The log under random histories: several nodes, commits that fail before or after they took effect, a virtual clock.

Every node has a committer of its own on one shared log. Hypothesis chooses who says what, when the clock moves, which
waiting commit goes on and which fails. What must hold is checked after every history (class docstring of LogMachine).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from chatcore.log.committer import Committer
from chatcore.log.memory import MemoryLog
from chatcore.log.port import Unavailable
from chatcore.room.drafts import Actor, Draft
from chatcore.room.events import Entry, Gone, ModeChanged, Said, Sanctioned, StreamKey, Unsanctioned
from chatcore.room.state import Channel, RoomState
from schemas.commands import ModBan, ModeSet, ModUnban, MsgDelete, MsgSend
from schemas.errors import Refused

CHANNELS = ("c_1", "c_2")
OWNER = "u_owner"
USERS = ("u_ann", "u_bob", "g_cat")
NODES = 3


class Node:
    """One node: its live rooms, its committer, all that its fan-out was told."""

    def __init__(self, log: MemoryLog, rooms: dict[str, RoomState]) -> None:
        self.log = log
        self.rooms = rooms
        self.told: list[Entry] = []
        self.committer = Committer(
            log, room_of=self.rooms.__getitem__, follow=self.follow, viewers=None, staff=None, rest=0
        )

    def follow(self, entries: Sequence[Entry]) -> None:
        self.told += entries


class Asked(msgspec.Struct):
    draft: Draft
    answers: list[tuple[Any, Refused | None]]


class LogMachine(RuleBasedStateMachine):
    """No gap and no double on any node; one answer per command; what was answered `published` is in the log at that
    place; nothing by X between X's ban and unban; slow mode kept between neighbours; one publication per `idem`;
    the state that followed the log equals the one that is read fresh from it."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.now = 1_000_000
        self.fresh = 0
        self.gates: list[asyncio.Future[None]] = []
        self.asked: list[Asked] = []
        self.mids: list[tuple[str, str]] = []
        self.log = MemoryLog(now=lambda: self.now, gate=self.gate)
        for channel in CHANNELS:
            self.log.create(Channel(channel, channel[2:], OWNER, "t", "", (), False, "public", {}, 0))
        self.nodes = [Node(self.log, {ch: self.run(self.room(ch)) for ch in CHANNELS}) for _ in range(NODES)]

    async def room(self, channel: str) -> RoomState:
        room = await self.log.room(channel)
        assert room is not None
        return room

    async def gate(self, point: str) -> None:
        parked: asyncio.Future[None] = self.loop.create_future()
        self.gates.append(parked)
        await parked

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def settle_down(self) -> None:
        """Let everything run that waits for nothing outside."""
        for _ in range(30):
            self.run(asyncio.sleep(0))

    def submit(self, node: int, channel: str, user: str, command: Any, target: str | None = None) -> None:
        here = self.nodes[node]
        self.fresh += 1
        draft = Draft(
            channel, Actor(user, "guest" if user.startswith("g_") else "user"), command, f"m_{self.fresh}"
        )
        draft.text, draft.target, draft.target_kind = f"text {self.fresh}", target, "user"
        mids = [command.mid] if isinstance(command, MsgDelete) else []
        if isinstance(command, MsgSend) and command.reply_to:
            mids.append(command.reply_to)
        facts = self.run(self.log.facts(channel, [user], mids))
        assert here.rooms[channel].absorb(facts)
        asked = Asked(draft, [])
        self.asked.append(asked)

        async def submit() -> None:
            here.committer.submit(draft, lambda reply, refusal: asked.answers.append((reply, refusal)))

        self.run(submit())
        if isinstance(command, MsgSend):
            self.mids.append((channel, draft.fresh))
        self.settle_down()

    nodes_ = st.integers(0, NODES - 1)
    channels_ = st.sampled_from(CHANNELS)
    users_ = st.sampled_from(USERS)

    @rule(
        node=nodes_,
        channel=channels_,
        user=users_,
        idem=st.none() | st.sampled_from(["a", "b"]),
        reply=st.booleans(),
    )
    def say(self, node: int, channel: str, user: str, idem: str | None, reply: bool) -> None:
        parents = [mid for ch, mid in self.mids if ch == channel]
        self.submit(node, channel, user, MsgSend("x", parents[-1] if reply and parents else None, idem))

    @rule(node=nodes_, channel=channels_, user=users_)
    def ban(self, node: int, channel: str, user: str) -> None:
        self.submit(node, channel, OWNER, ModBan(user), user)

    @rule(node=nodes_, channel=channels_, user=users_)
    def unban(self, node: int, channel: str, user: str) -> None:
        self.submit(node, channel, OWNER, ModUnban(user), user)

    @rule(node=nodes_, channel=channels_, seconds=st.sampled_from([0, 5]))
    def slow(self, node: int, channel: str, seconds: int) -> None:
        self.submit(node, channel, OWNER, ModeSet("slow", seconds))

    @rule(node=nodes_, pick=st.integers(0, 1000), user=st.sampled_from([OWNER, *USERS]))
    def delete(self, node: int, pick: int, user: str) -> None:
        if self.mids:
            channel, mid = self.mids[pick % len(self.mids)]
            self.submit(node, channel, user, MsgDelete(mid))

    @rule(ms=st.sampled_from([1, 700, 3000, 6000]))
    def wait(self, ms: int) -> None:
        self.now += ms

    @rule(ms=st.sampled_from([1, 900]))
    def clock_goes_back(self, ms: int) -> None:
        self.now -= ms

    @rule(pick=st.integers(0, 1000), fails=st.integers(0, 4))
    def go_on(self, pick: int, fails: int) -> None:
        waiting = [gate for gate in self.gates if not gate.done()]
        if waiting:
            gate = waiting[pick % len(waiting)]
            if fails == 0:
                gate.set_exception(Unavailable("the disk is gone"))
            else:
                gate.set_result(None)
            self.settle_down()

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        try:
            self.finish()
            self.check()
        finally:
            self.loop.close()

    def finish(self) -> None:
        while any(not gate.done() for gate in self.gates):
            for gate in self.gates:
                if not gate.done():
                    gate.set_result(None)
            self.settle_down()
        for node in self.nodes:
            self.run(node.committer.drain())
        for node in self.nodes:
            for channel in CHANNELS:
                self.sweep(node, channel)

    def sweep(self, node: Node, channel: str) -> None:
        """What a node does when it sees that the log is ahead: read what it missed."""
        room = node.rooms[channel]
        for kind, after in (("room", room.head), ("mod", room.mod_head)):
            for entry in self.entries(kind, channel):
                if entry.n > after:
                    assert room.apply(entry)
                    node.follow([entry])

    def entries(self, kind: Any, channel: str) -> list[Entry]:
        page = self.run(self.log.read(StreamKey(kind, channel), limit=100_000))
        return [row.entry for row in page.rows]

    def check(self) -> None:
        for asked in self.asked:
            assert len(asked.answers) == 1, asked
        for channel in CHANNELS:
            room = self.entries("room", channel)
            assert [entry.n for entry in room] == list(range(1, len(room) + 1))
            assert [entry.ts for entry in room] == sorted(entry.ts for entry in room)
            self.check_order(room)
            self.check_published(channel, room)
            for node in self.nodes:
                self.check_node(node, channel, len(room))

    def check_order(self, room: list[Entry]) -> None:
        banned: set[str] = set()
        spoke: dict[str, int] = {}
        slow = 0
        idems: Counter[tuple[str, str]] = Counter()
        for entry in room:
            match entry.event:
                case Said(user=user, idem=idem):
                    assert user not in banned
                    assert entry.ts >= spoke.get(user, -(10**9)) + slow * 1000
                    spoke[user] = entry.ts
                    if idem is not None:
                        idems[user, idem] += 1
                case Sanctioned(user=user):
                    banned.add(user)
                case Unsanctioned(user=user):
                    banned.remove(user)
                case ModeChanged(value=value):
                    slow = int(value)
                case Gone(mids=mids):
                    assert len(mids) == 1
                case _:
                    raise AssertionError(entry)
        assert all(count == 1 for count in idems.values())

    def check_published(self, channel: str, room: list[Entry]) -> None:
        for asked in self.asked:
            reply, _ = asked.answers[0]
            if asked.draft.ch == channel and isinstance(asked.draft.command, MsgSend) and reply is not None:
                event = room[int(reply.pos[1]) - 1].event
                assert isinstance(event, Said)
                assert event.mid == reply.mid

    def check_node(self, node: Node, channel: str, head: int) -> None:
        told = [entry.n for entry in node.told if entry.stream == StreamKey("room", channel)]
        assert told == list(range(1, head + 1))
        live = node.rooms[channel]
        fresh: RoomState = self.run(self.room(channel))
        assert (live.head, live.mod_head) == (fresh.head, fresh.mod_head)
        assert dict(live.sanctions) == dict(fresh.sanctions)
        assert dict(live.modes) == dict(fresh.modes)
        horizon = {key: kept for key, kept in live.idems.items() if kept.ts > self.now - 600_000}
        assert horizon == dict(fresh.idems)
        facts = self.run(self.log.facts(channel, live.authors, live.messages))
        assert facts.authors == dict(live.authors)
        assert {mid: m.gone for mid, m in facts.messages.items()} == {
            mid: m.gone for mid, m in live.messages.items()
        }


def test_any_history_on_any_number_of_nodes() -> None:
    run_state_machine_as_test(
        LogMachine,
        settings=settings(
            max_examples=120,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
