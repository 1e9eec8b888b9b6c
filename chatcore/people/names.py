"""Owns the cache of how people are shown, which encoding an event reads without waiting.

Refuses to know who may see a name, and to be the truth: that is the store.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from chatcore.batch import Batcher
from chatcore.people.principal import Name
from chatcore.people.store import Store

#: About 15 MB of names at most.
CACHE = 50_000


class Names:
    """Names by id, least recently used ones forgotten. A rename is put in by whoever makes it."""

    def __init__(self, store: Store, *, capacity: int = CACHE) -> None:
        self._store = store
        self._capacity = capacity
        self._known: OrderedDict[str, Name] = OrderedDict()
        self._finder: Batcher[str, Name | None] = Batcher(self._find)
        self._changes = 0

    def name_of(self, person: str) -> Name | None:
        """The name if it is in the cache, else None. Never waits."""
        name = self._known.get(person)
        if name is not None:
            self._known.move_to_end(person)
        return name

    async def names(self, ids: Iterable[str]) -> dict[str, Name]:
        """The names of these people; ids of nobody are left out. One read for all asked in the same turn."""
        found: dict[str, Name] = {}
        missing: list[tuple[str, asyncio.Future[Name | None]]] = []
        for person in dict.fromkeys(ids):
            name = self.name_of(person)
            if name is None:
                missing.append((person, self._finder.submit(person)))
            else:
                found[person] = name
        for person, future in missing:
            name = await future
            if name is not None:
                found[person] = name
        return found

    def put(self, name: Name) -> bool:
        """Remember a name as it is now; whether it is another than was known."""
        before = self._known.get(name.id)
        self._known[name.id] = name
        self._known.move_to_end(name.id)
        if len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return before is not None and before != name

    def changed(self, name: Name) -> None:
        """Remember a name that was just changed: a read that is under way must not bring the old one back."""
        self._changes += 1
        self.put(name)

    async def close(self) -> None:
        """Give up reads under way."""
        await self._finder.close()

    async def _find(self, ids: list[str]) -> list[Name | None]:
        changes = self._changes
        rows = {name.id: name for name in await self._store.names(ids)}
        if changes != self._changes:
            return [self._known.get(person, rows.get(person)) for person in ids]
        for name in rows.values():
            self.put(name)
        return [rows.get(person) for person in ids]
