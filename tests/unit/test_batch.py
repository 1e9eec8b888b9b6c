"""Gathering: one fetch for a turn, pauses under load, failures to those who asked; and the cache of names."""

from __future__ import annotations

import asyncio

import pytest

from chatcore import batch
from chatcore.batch import Batcher
from chatcore.people.names import Names
from chatcore.people.principal import Name
from chatcore.people.store import Guest, GuestDraft
from chatcore.people.store_memory import MemoryStore
from schemas.errors import Refused


class Doubler:
    """Doubles numbers, remembers the batches, fails on demand."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        await self.gate.wait()
        if -1 in items:
            raise ValueError("no negative numbers")
        return [item * 2 for item in items]


async def test_what_comes_in_one_turn_is_one_batch() -> None:
    doubler = Doubler()
    batcher: Batcher[int, int] = Batcher(doubler, pause_s=0)
    assert await asyncio.gather(*(batcher.submit(number) for number in range(5))) == [0, 2, 4, 6, 8]
    assert await batcher.submit(7) == 14
    assert doubler.batches == [[0, 1, 2, 3, 4], [7]]
    await batcher.close()


async def test_what_comes_during_a_batch_waits_for_the_next_and_batches_are_bounded() -> None:
    doubler = Doubler()
    doubler.gate.clear()
    batcher: Batcher[int, int] = Batcher(doubler, pause_s=0)
    first = batcher.submit(1)
    await asyncio.sleep(0)
    rest = [batcher.submit(number) for number in range(batch.BATCH_CAP + 3)]
    await asyncio.sleep(0)
    assert doubler.batches == [[1]]
    doubler.gate.set()
    await asyncio.gather(first, *rest)
    assert [len(items) for items in doubler.batches] == [1, batch.BATCH_CAP, 3]
    await batcher.close()


async def test_a_failure_belongs_to_those_who_asked() -> None:
    batcher: Batcher[int, int] = Batcher(Doubler(), pause_s=0)
    failed = await asyncio.gather(batcher.submit(-1), batcher.submit(1), return_exceptions=True)
    assert [type(result) for result in failed] == [ValueError, ValueError]
    assert await batcher.submit(1) == 2
    await batcher.close()


async def test_who_goes_away_takes_nobody_along() -> None:
    doubler = Doubler()
    doubler.gate.clear()
    batcher: Batcher[int, int] = Batcher(doubler, pause_s=0)
    gone, stays = batcher.submit(1), batcher.submit(2)
    await asyncio.sleep(0)
    gone.cancel()
    doubler.gate.set()
    assert await stays == 4
    await batcher.close()


async def test_closing_cancels_what_waits_and_waiting_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "WAITING_CAP", 2)
    doubler = Doubler()
    doubler.gate.clear()
    batcher: Batcher[int, int] = Batcher(doubler, pause_s=0)
    running = batcher.submit(1)
    await asyncio.sleep(0)
    waiting = [batcher.submit(2), batcher.submit(3)]
    with pytest.raises(Refused) as refusal:
        batcher.submit(4)
    assert refusal.value.code == "overloaded"
    await batcher.close()
    assert running.cancelled()
    assert all(future.cancelled() for future in waiting)


async def test_names_are_read_once_and_forgotten_when_unused() -> None:
    store = MemoryStore()
    drafts = [GuestDraft(Guest(f"g_{n}", str(n), f"Guest {n}", "", 0, 0), (f"Guest {n}",)) for n in range(5)]
    await store.settle_guests(drafts, 0)
    names = Names(store, capacity=3)
    found = await names.names(["g_0", "g_1", "g_0", "g_unknown"])
    assert {person: name.name for person, name in found.items()} == {"g_0": "Guest 0", "g_1": "Guest 1"}
    assert names.name_of("g_0") is found["g_0"]
    assert names.name_of("g_unknown") is None
    await names.names(["g_2", "g_3", "g_4"])
    assert names.name_of("g_0") is None
    await names.close()


async def test_a_rename_during_a_read_is_not_undone_by_it() -> None:
    store = MemoryStore()
    await store.settle_guests([GuestDraft(Guest("g_0", "0", "Ann", "Ann", 0, 0), ("Ann",))], 0)
    names = Names(store)

    class Slow(MemoryStore):
        async def names(self, ids: object) -> list[Name]:
            found = await store.names(["g_0"])
            names.changed(Name("g_0", "Bea", "Bea", "guest"))
            return found

    names._store = Slow()  # pyright: ignore[reportPrivateUsage] - the read that is overtaken
    assert (await names.names(["g_0"]))["g_0"].name == "Bea"
    assert (await names.names(["g_0"]))["g_0"].name == "Bea"
    await names.close()
