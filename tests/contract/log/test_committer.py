"""The committer over every log: two nodes take turns, learn of each other and come to the same room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chatcore.log.committer import Committer
from chatcore.log.port import Log
from chatcore.room.drafts import Actor, Draft
from chatcore.room.events import Entry, Said
from chatcore.room.state import Author, RoomState
from schemas.commands import ModBan, MsgSend
from schemas.errors import Refused
from tests.contract.log.places import CH, Place, state


class Node:
    """A node with its live room, and the answers in the order in which they came."""

    def __init__(self, log: Log, room: RoomState | None) -> None:
        self.room = room
        self.told: list[Entry] = []
        self.answers: list[tuple[Any, Refused | None]] = []
        self.committer = Committer(
            log, room_of=lambda _: self.room, follow=self.follow, viewers=None, staff=None
        )

    def follow(self, entries: Sequence[Entry]) -> None:
        self.told += entries

    async def ask(self, *drafts: Draft) -> list[tuple[Any, Refused | None]]:
        """Their answers, submitted together."""
        for draft in drafts:
            self.committer.submit(draft, lambda reply, refusal: self.answers.append((reply, refusal)))
        await self.committer.drain()
        answers, self.answers = self.answers, []
        return answers


async def node(place: Place, log: Log) -> Node:
    room = await state(log)
    for user in ("u_ann", "u_owner"):
        room.authors[user] = Author(0, 0, 0)
    return Node(log, room)


def send(place: Place, idem: str | None = None) -> Draft:
    return Draft(CH, Actor("u_ann", "user"), MsgSend("x", None, idem), place.mid(), "x")


def ban(place: Place) -> Draft:
    return Draft(
        CH, Actor("u_owner", "user"), ModBan("u_ann"), place.mid(), target="u_ann", target_kind="user"
    )


async def test_nodes_that_take_turns_are_never_stuck(place: Place) -> None:
    """Each is behind whenever its turn comes; it takes in what it missed and goes on."""
    one, two = await node(place, place.logs[0]), await node(place, place.logs[1])
    for turn in range(6):
        ((reply, refusal),) = await (one, two)[turn % 2].ask(send(place))
        assert refusal is None
        assert reply.pos[1] == turn + 1
    assert [entry.n for entry in two.told] == [1, 2, 3, 4, 5, 6]
    assert [entry.n for entry in one.told] == [1, 2, 3, 4, 5]


async def test_what_another_node_decided_holds_here(place: Place) -> None:
    one, two = await node(place, place.logs[0]), await node(place, place.logs[1])
    await one.ask(send(place, "i"))
    ((again, _),) = await two.ask(send(place, "i"))
    assert again.outcome in ("duplicate", "published")
    await one.ask(ban(place))
    answers = await two.ask(send(place), send(place))
    if [refusal and refusal.code for _, refusal in answers] != ["banned", "banned"]:
        raise AssertionError(answers)


async def test_a_batch_is_decided_in_its_order(place: Place) -> None:
    one = await node(place, place.log)
    answers = await one.ask(send(place, "i"), send(place, "i"), ban(place), send(place))
    assert [refusal and refusal.code for _, refusal in answers] == [None, None, None, "banned"]
    assert [answers[0][0].outcome, answers[1][0].outcome] == ["published", "duplicate"]
    assert one.committer.batches == 1


async def test_a_room_that_is_gone_answers_its_drafts(place: Place) -> None:
    one = await node(place, place.log)
    one.room = None
    ((_, refusal),) = await one.ask(send(place))
    assert refusal is not None
    one.room = await state(place.log)
    one.room.authors["u_ann"] = Author(0, 0, 0)
    ((reply, _),) = await one.ask(send(place))
    assert reply.outcome == "published"


async def test_a_listener_that_fails_takes_nobodys_answer(place: Place) -> None:
    one = await node(place, place.log)

    def fails(_entries: Sequence[Entry]) -> None:
        raise LookupError("a bug in the fan-out")

    heard: list[Any] = []

    def bad(_reply: Any, _refusal: Refused | None) -> None:
        raise LookupError("a bug in a connection")

    committer = Committer(place.log, room_of=lambda _: one.room, follow=fails, viewers=None, staff=None)
    committer.submit(send(place), bad)
    committer.submit(send(place), lambda reply, _: heard.append(reply))
    await committer.drain()
    assert [reply.pos[1] for reply in heard] == [2]
    assert one.room is not None
    assert one.room.head == 2


async def test_past_the_cap_a_draft_is_overload(place: Place) -> None:
    one = await node(place, place.log)
    committer = Committer(place.log, room_of=lambda _: one.room, follow=one.follow, viewers=None, queue_cap=2)
    heard: list[Refused | None] = []
    for _ in range(4):
        committer.submit(send(place), lambda _, refusal: heard.append(refusal))
    await committer.drain()
    assert sorted(refusal.code if refusal else "" for refusal in heard) == [
        "",
        "",
        "overloaded",
        "overloaded",
    ]
    assert len([entry for entry in one.told if isinstance(entry.event, Said)]) == 2
