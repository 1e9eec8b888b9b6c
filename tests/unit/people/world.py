"""Owns a small world of people for tests: a clock that is set by hand, cheap hashing, counted reads and writes.

Knows nothing of sockets and HTTP.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from chatcore.people.config import PeopleConfig
from chatcore.people.passwords import Cost
from chatcore.people.principal import Name, Principal, Revocation, SignedIn
from chatcore.people.service import People
from chatcore.people.store import Credential, Guest, GuestDraft
from chatcore.people.store_memory import MemoryStore

START = 1_790_000_000_000
PASSWORD = "correct horse"
CHEAP = Cost(passes=1, memory_kib=8)


@dataclass
class Clock:
    """Unix ms that stand still until they are moved."""

    now: int = START

    def __call__(self) -> int:
        return self.now

    def pass_ms(self, ms: int) -> None:
        self.now += ms


def counting() -> Callable[[int], bytes]:
    """Entropy that never repeats and is the same in each run."""
    numbers = itertools.count(1)
    return lambda size: (next(numbers) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 8 * size)).to_bytes(
        size, "big"
    )


class CountingStore(MemoryStore):
    """A memory store that counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    async def find_sign_ins(self, hashes: Sequence[str]) -> dict[str, Credential]:
        self.asked["find_sign_ins"] += 1
        return await super().find_sign_ins(hashes)

    async def find_guests(self, hashes: Sequence[str], since_ms: int) -> dict[str, Guest]:
        self.asked["find_guests"] += 1
        return await super().find_guests(hashes, since_ms)

    async def settle_guests(self, drafts: Sequence[GuestDraft], now_ms: int) -> list[Guest]:
        self.asked["settle_guests"] += 1
        return await super().settle_guests(drafts, now_ms)


@dataclass
class World:
    """One instance's people, and what was announced."""

    people: People
    store: CountingStore
    clock: Clock
    revoked: list[Revocation] = field(default_factory=list[Revocation])
    renamed: list[Name] = field(default_factory=list[Name])

    async def sign_up(self, name: str = "river", *, address: str = "192.0.2.1") -> SignedIn:
        """An account of that name, made from a loopback address of a development instance."""
        return await self.people.signup(
            display_name=name.title(),
            name=name,
            email=f"{name}@example.com",
            password=PASSWORD,
            address=address,
            loopback=True,
            agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0",
        )

    async def two(self) -> tuple[Principal, Principal]:
        """The administrator and an ordinary user."""
        admin = await self.sign_up("river")
        self.clock.pass_ms(1)
        return admin.principal, (await self.sign_up("bob")).principal


@asynccontextmanager
async def a_world(
    config: PeopleConfig | None = None, *, store: CountingStore | None = None, clock: Clock | None = None
) -> AsyncGenerator[World]:
    """A running instance, empty unless `store` is given."""
    store, clock = store or CountingStore(), clock or Clock()
    people = People(
        store, clock=clock, entropy=counting(), config=config or PeopleConfig(password_cost=CHEAP)
    )
    world = World(people, store, clock)
    people.on_revoked.append(world.revoked.append)
    people.on_renamed.append(world.renamed.append)
    await people.start()
    try:
        yield world
    finally:
        await people.close()
