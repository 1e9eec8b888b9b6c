"""Reading the log: pages in both directions within bounds, choices of messages, facts, rooms, heads."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from chatcore.log.port import Row
from chatcore.room.events import (
    Acted,
    ChannelChanged,
    Gone,
    ModeChanged,
    RoleChanged,
    Said,
    Sanctioned,
    StreamKey,
    Unsanctioned,
)
from chatcore.room.state import IDEM_MS, Author, RoomState
from tests.contract.log.places import CH, MOD, ROOM, Place, card, state

NOBODY = StreamKey("me", "u_nobody")


async def fill(place: Place) -> None:
    """Eight messages, of which two are gone, a mode between them, and entries of mod in the same commits."""
    for index in range(4):
        await place.write(place.said("u_ann"), place.said("u_bob"), (MOD, acted(f"a_{index}"), None))
    await place.write((ROOM, ModeChanged("slow", 10, None, "staff"), None))
    await place.write((ROOM, Gone("staff", (), "u_ann", 3, 5), None))


def acted(action: str) -> Acted:
    return Acted(action, "ban", "u_owner", "owner", "socket", {"seconds": None})


def wanted(row: Row, said_only: bool, standing_only: bool) -> bool:
    said = isinstance(row.entry.event, Said)
    if standing_only:
        return said and row.entry.message is not None and row.entry.message.gone is None
    return said or not said_only


BOUNDS = list(itertools.product((None, 0, 1, 4, 10, 99), (None, 0, 1, 2, 5, 10, 11, 99), (1, 3, 50)))


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize(
    ("said_only", "standing_only"), [(False, False), (True, False), (False, True), (True, True)]
)
async def test_pages_within_bounds(place: Place, order: Any, said_only: bool, standing_only: bool) -> None:
    """Every combination of bounds and limits, beside a list that is cut by hand."""
    await fill(place)
    everything = (await place.log.read(ROOM, limit=1000)).rows
    assert [row.entry.n for row in everything] == list(range(1, 11))
    for after, before, limit in BOUNDS:
        fit = [
            row
            for row in everything
            if wanted(row, said_only, standing_only)
            and row.entry.n > (after or 0)
            and (before is None or row.entry.n < before)
        ]
        page = await place.log.read(
            ROOM,
            after=after,
            before=before,
            limit=limit,
            order=order,
            said_only=said_only,
            standing_only=standing_only,
        )
        assert page.rows == (fit[:limit] if order == "oldest" else fit[-limit:]), (after, before, limit)
        assert page.more == (len(fit) > limit), (after, before, limit)
        assert page.head == 10


async def test_a_reply_is_read_with_what_it_answers(place: Place) -> None:
    (first,) = await place.write(place.said("u_ann", "first"))
    assert isinstance(first.event, Said)
    await place.write(place.said("u_bob", "answer", reply=first.event.mid))
    _, answer = (await place.log.read(ROOM, limit=10)).rows
    assert answer.parent == first.message
    await place.write((ROOM, Gone("author", (first.event.mid,)), None))
    _, answer, _ = (await place.log.read(ROOM, limit=10)).rows
    assert answer.parent is not None
    assert answer.parent.gone == "author"


async def test_streams_do_not_mix(place: Place) -> None:
    await place.create("c_2")
    await fill(place)
    await place.write(place.said(ch="c_2"))
    assert (await place.log.read(StreamKey("room", "c_2"), limit=10)).head == 1
    page = await place.log.read(MOD, limit=10)
    assert [row.entry.event for row in page.rows] == [acted(f"a_{index}") for index in range(4)]
    assert all(row.entry.message is None for row in page.rows)


async def test_a_stream_that_never_was_is_empty(place: Place) -> None:
    page = await place.log.read(NOBODY, limit=10)
    assert (page.rows, page.more, page.head) == ([], False, 0)
    assert await place.log.heads([NOBODY, ROOM]) == {NOBODY: 0, ROOM: 0}
    assert await place.log.heads([]) == {}


async def test_there_is_no_such_room(place: Place) -> None:
    assert await place.log.room("c_none") is None


async def test_facts_of_authors_and_messages(place: Place) -> None:
    await place.create("c_2")
    written = await place.write(place.said("u_ann"), place.said("u_bob"), place.said("u_ann"))
    await place.write(place.said("u_cat", ch="c_2"))
    await place.write((ROOM, Gone("author", ("m_0001",)), None))
    facts = await place.log.facts(CH, ["u_ann", "u_bob", "u_cat"], ["m_0001", "m_0002", "m_0004", "m_none"])
    assert facts.as_of == 4
    last = written[2].event
    assert isinstance(last, Said)
    assert facts.authors["u_ann"] == Author(3, place.now, last.bucket)
    assert facts.authors["u_bob"].n == 2
    assert facts.authors["u_cat"] == Author(0, 0, 0)
    assert {mid: message.gone for mid, message in facts.messages.items()} == {
        "m_0001": "author",
        "m_0002": None,
    }
    assert (await place.log.facts(CH, [], [])).as_of == 4


async def test_absorbed_facts_know_what_was_deleted_since(place: Place) -> None:
    """Facts read at one head, taken in at a later one (`RoomState.absorb`)."""
    await place.write(place.said("u_ann"), place.said("u_bob"))
    live = await state(place.log)
    facts = await place.log.facts(CH, ["u_ann"], ["m_0001", "m_0002"])
    for entry in await place.write((ROOM, Gone("staff", (), "u_ann", 1, 2), None), place.said("u_ann")):
        live.apply(entry)
    assert live.absorb(facts)
    assert live.messages["m_0001"].gone == "staff"
    assert live.messages["m_0002"].gone is None
    assert live.authors["u_ann"].n == 4


async def test_facts_too_old_to_be_joined_are_refused(place: Place) -> None:
    await place.write(place.said("u_ann"))
    live = await state(place.log)
    facts = await place.log.facts(CH, [], ["m_0001"])
    for _ in range(70):
        for entry in await place.write((ROOM, Gone("staff", (), "u_bob", 1, 1), None)):
            live.apply(entry)
    assert not live.absorb(facts)
    assert live.absorb(await place.log.facts(CH, [], ["m_0001"]))


async def test_the_oldest_message_since(place: Place) -> None:
    await place.write(place.said("u_ann"))
    place.now += 1000
    await place.write(place.said("u_bob"), place.said("u_ann"), place.said("u_ann"))
    since = place.log.first_since
    assert await since(CH, "u_ann", place.now - 1000) == 1
    assert await since(CH, "u_ann", place.now - 999) == 3
    assert await since(CH, "u_ann", place.now + 1) is None
    assert await since(CH, "u_cat", 0) is None


def settled(room: RoomState) -> dict[str, Any]:
    """What two states of one room must agree on: all but the windows."""
    return {
        "channel": room.channel,
        "heads": (room.head, room.mod_head, room.last_ts),
        "roles": dict(room.roles),
        "modes": dict(room.modes),
        "sanctions": dict(room.sanctions),
        "idems": dict(room.idems),
    }


async def test_a_room_that_is_read_equals_one_that_followed(place: Place) -> None:
    """`apply(old, events) == fresh`: every kind of event of a channel."""
    live = RoomState(card(CH), 0, 0, 0)
    edits = {
        "title": "New",
        "slug": "new-slug",
        "category": "outdoors",
        "tags": ["a", "b"],
        "mature": True,
        "visibility": "unlisted",
        "policy": {"banHides": True, "textMax": 200},
        "scheduled_at": 5,
    }
    steps: list[Any] = [
        [place.said("u_ann", idem="a"), place.said("u_bob"), (MOD, acted("a_1"), None)],
        [
            (ROOM, ModeChanged("slow", 30, 99, "staff"), None),
            (ROOM, ModeChanged("readonly", True, None, "staff"), None),
        ],
        [
            (ROOM, ModeChanged("links", "block", None, "staff"), None),
            (ROOM, ModeChanged("slow", 0, None, "staff"), None),
        ],
        [(ROOM, RoleChanged("u_bob", "moderator"), None), (ROOM, RoleChanged("u_cat", "vip", 77), None)],
        [(ROOM, RoleChanged("u_bob", None), None), (ROOM, RoleChanged("u_cat", "helper"), None)],
        [(ROOM, Sanctioned("u_ann", "timeout", 55, "a_2", "why"), None)],
        [
            (ROOM, Sanctioned("u_ann", "ban", None, "a_3"), None),
            (ROOM, Sanctioned("g_d", "ban", 5, "a_4"), None),
        ],
        [(ROOM, Unsanctioned("g_d", "lifted"), None), (ROOM, Gone("staff", ("m_0001",)), None)],
        [(ROOM, ChannelChanged(edits), None), place.said("u_ann", idem="b")],
        [(ROOM, ChannelChanged({"scheduled_at": None, "mature": False}), None)],
    ]
    for step in steps:
        place.now += 10
        for entry in await place.write(*step):
            assert live.apply(entry)
        assert settled(live) == settled(await state(place.log))
    assert live.channel == msgspec.structs.replace(
        card(CH),
        **{**edits, "tags": ("a", "b"), "scheduled_at": None, "mature": False},
    )


async def test_a_room_remembers_idem_for_ten_minutes(place: Place) -> None:
    await place.write(place.said("u_ann", idem="old"))
    place.now += 1
    await place.write(place.said("u_ann", idem="new"), place.said("u_bob", idem="new"), place.said("u_bob"))
    place.now += IDEM_MS - 1
    room = await state(place.log)
    assert set(room.idems) == {("u_ann", "new"), ("u_bob", "new")}
    place.now += 1
    assert not (await state(place.log)).idems


async def test_an_author_is_forgotten(place: Place) -> None:
    await place.create("c_2")
    await place.write(place.said("u_ann", "secret"), place.said("u_bob"))
    await place.write(place.said("u_ann", ch="c_2"))
    assert sorted(await place.log.channels_of("u_ann")) == [CH, "c_2"]
    await place.log.forget_author(CH, "u_ann", texts=True)
    await place.log.forget_author("c_2", "u_ann", texts=False)
    (first, second) = (await place.log.read(ROOM, limit=10)).rows
    (other,) = (await place.log.read(StreamKey("room", "c_2"), limit=10)).rows
    assert first.entry.message is not None
    assert other.entry.message is not None
    assert second.entry.message is not None
    assert (first.entry.message.user, first.entry.message.text, first.entry.message.frags) == (None, "", ())
    assert (other.entry.message.user, other.entry.message.text) == (None, "hi")
    assert second.entry.message.user == "u_bob"
    assert await place.log.channels_of("u_ann") == []
