"""Writing to the log (port, rules 1-6): order, atomicity, lost races, personal streams, and a log that fails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatcore.log.port import Ground
from chatcore.room.events import Acted, Entry, Gone, Noticed, Said, StreamKey
from tests.contract.log.places import CH, MOD, ROOM, Place, gone, numbered, state

ME = StreamKey("me", "u_ann")


def notice() -> tuple[StreamKey, Any, None]:
    return ME, Noticed("mention", CH, "m_1", "u_bob"), None


def acted() -> tuple[StreamKey, Any, None]:
    return MOD, Acted("a_1", "ban", "u_owner", "owner", "socket", {}), None


async def test_streams_are_numbered_from_one_without_a_gap(place: Place) -> None:
    await place.write(place.said(), acted(), place.said())
    await place.write(place.said())
    await place.write(acted())
    for stream, head in ((ROOM, 3), (MOD, 2)):
        page = await place.log.read(stream, limit=10)
        assert [row.entry.n for row in page.rows] == list(range(1, head + 1))
        assert (page.more, page.head) == (False, head)


async def test_what_was_appended_is_read_back_whole(place: Place) -> None:
    written = await place.write(place.said(text="Grüße 👋🏽", idem="w-1"), acted(), notice())
    for entry, stream in zip(written, (ROOM, MOD, ME), strict=True):
        (row,) = (await place.log.read(stream, limit=10)).rows
        assert row.entry == entry
        assert row.parent is None


async def test_a_decision_that_fails_leaves_nothing(place: Place) -> None:
    def decide(_ground: Ground) -> list[Entry]:
        raise LookupError("a bug")

    with pytest.raises(LookupError):
        await place.log.append({CH: (0, 0)}, decide)
    assert await place.heads(CH) == (0, 0)
    assert [entry.n for entry in await place.write(place.said())] == [1]


async def test_all_channels_of_one_append_or_none(place: Place) -> None:
    await place.create("c_2")
    await place.write(place.said(), place.said(ch="c_2"), notice())
    first = place.said()

    def decide(_ground: Ground) -> list[Entry]:
        entries = numbered({CH: (1, 0), "c_2": (1, 0)}, [first, notice(), place.said(ch="c_2")], place.now)
        entries[2].message = None  # what a bug would leave out, after a good entry and a notice
        return entries

    with pytest.raises(AssertionError):
        await place.log.append({CH: (1, 0), "c_2": (1, 0)}, decide)
    assert await place.heads("c_2") == (1, 0)
    assert await place.heads(CH) == (1, 0)
    assert (await place.log.heads([ME]))[ME] == 1


async def test_a_lost_race_is_decided_anew_with_what_was_missed(place: Place) -> None:
    """Rule 2: the caller thinks that the room is empty; another node has written to both streams meanwhile."""
    one, two = place.logs
    other = await place.write(place.said("u_bob"), acted(), log=two)
    mine = place.said("u_ann")
    seen: list[Entry] = []

    def decide(ground: Ground) -> list[Entry]:
        seen.extend(ground.missed.get(CH, ()))
        room = max([entry.n for entry in seen if entry.stream == ROOM], default=0)
        mod = max([entry.n for entry in seen if entry.stream == MOD], default=0)
        return numbered({CH: (room, mod)}, [mine], ground.now)

    (entry,) = await one.append({CH: (0, 0)}, decide)
    assert entry.n == 2
    assert seen == other


async def test_many_writers_on_two_nodes_make_one_order(place: Place) -> None:
    """Each node knows nothing of the other but what `missed` tells."""

    class Node:
        def __init__(self, log: Any) -> None:
            self.log = log
            self.known: list[Entry] = []
            self.heads = (0, 0)

        async def say(self, times: int) -> None:
            for _ in range(times):
                draft = place.said()

                def decide(ground: Ground, draft: Any = draft) -> list[Entry]:
                    self.take(ground.missed.get(CH, ()))
                    return numbered({CH: self.heads}, [draft], ground.now)

                self.take(await self.log.append({CH: self.heads}, decide))

        def take(self, entries: Any) -> None:
            for entry in entries:
                assert entry.n == self.heads[0] + 1
                self.known.append(entry)
                self.heads = entry.n, self.heads[1]

    nodes = [Node(log) for log in place.logs]
    await asyncio.gather(*(node.say(20) for node in nodes))
    rows = (await place.log.read(ROOM, limit=100)).rows
    assert [row.entry.n for row in rows] == list(range(1, 41))
    for node in nodes:
        assert node.known == [row.entry for row in rows][: len(node.known)]
    assert max(len(node.known) for node in nodes) == 40


async def test_a_decision_about_staff_alone_rests_on_the_whole_room(place: Place) -> None:
    """An entry of `mod` is not written on the strength of a room that has moved on."""
    one, two = place.logs
    await place.write(place.said("u_bob"), log=two)
    missed: list[int] = []

    def decide(ground: Ground) -> list[Entry]:
        missed.extend(entry.n for entry in ground.missed.get(CH, ()))
        return numbered({CH: (len(missed), 0)}, [acted()], ground.now)

    await one.append({CH: (0, 0)}, decide)
    assert missed == [1]


async def test_personal_streams_are_numbered_by_the_log(place: Place) -> None:
    one, two = place.logs
    numbers: list[int] = []
    for log in (one, two, one):
        entries = await log.append({}, lambda ground: numbered({}, [notice(), notice()], ground.now))
        numbers += [entry.n for entry in entries]
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert (await place.log.heads([ME]))[ME] == 6
    assert (await place.log.read(ME, after=4, limit=10)).head == 6


async def test_the_time_of_a_personal_stream_never_goes_back(place: Place) -> None:
    await place.log.append({}, lambda ground: numbered({}, [notice()], ground.now))
    place.now -= 5_000
    (entry,) = await place.log.append({}, lambda ground: numbered({}, [notice()], ground.now))
    (first, second) = (await place.log.read(ME, limit=10)).rows
    assert first.entry.ts == second.entry.ts == entry.ts


async def test_nothing_decided_is_nothing_written(place: Place) -> None:
    assert await place.log.append({CH: (0, 0)}, lambda _: []) == []
    assert await place.heads(CH) == (0, 0)


async def test_a_deletion_reaches_the_text_in_its_own_transaction(place: Place) -> None:
    (said,) = await place.write(place.said())
    assert isinstance(said.event, Said)
    await place.write(gone(said.event.mid))
    (row, _) = (await place.log.read(ROOM, limit=10)).rows
    assert row.entry.message is not None
    assert row.entry.message.gone == "staff"


async def test_a_range_takes_one_author_and_nothing_beyond_its_ends(place: Place) -> None:
    await place.write(*(place.said(user) for user in ("u_a", "u_b", "u_a", "u_a", "u_a")))
    await place.write((ROOM, Gone("staff", (), "u_a", 3, 4), None))
    rows = (await place.log.read(ROOM, limit=10, said_only=True)).rows
    assert [row.entry.n for row in rows if row.entry.message is not None and row.entry.message.gone] == [3, 4]


async def test_who_removed_a_message_first_stays(place: Place) -> None:
    (said,) = await place.write(place.said())
    assert isinstance(said.event, Said)
    await place.write((ROOM, Gone("author", (said.event.mid,)), None))
    await place.write((ROOM, Gone("staff", (), "u_ann", 1, 1), None))
    (row, *_) = (await place.log.read(ROOM, limit=1)).rows
    assert row.entry.message is not None
    assert row.entry.message.gone == "author"


async def test_two_names_of_one_state(place: Place) -> None:
    """Reading a room twice gives equal states that share nothing."""
    await place.write(place.said(idem="a"))
    one, two = await state(place.log), await state(place.log)
    assert dict(one.idems) == dict(two.idems)
    one.idems.clear()
    assert len((await state(place.log)).idems) == 1
