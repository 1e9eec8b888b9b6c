"""Owns the gathering of look-ups: what is asked for while one is under way is asked in the next, all at once.

A reconnect storm so costs a few queries and not one per client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Gather(Generic[K, V]):
    """`await gather(key)` answers from `load(keys)`; a key that `load` leaves out answers None."""

    def __init__(self, load: Callable[[list[K]], Awaitable[Mapping[K, V]]], *, most: int = 500) -> None:
        self._load = load
        self._most = most
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._worker: asyncio.Task[None] | None = None

    def __call__(self, key: K) -> asyncio.Future[V | None]:
        """The future of the key's value; raises what `load` raised."""
        future = self._waiting.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._waiting[key] = loop.create_future()
            if self._worker is None:
                self._worker = loop.create_task(self._work())
        return future

    async def _work(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[: self._most]
                taken = {key: self._waiting.pop(key) for key in keys}
                await self._answer(keys, taken)
        finally:
            self._worker = None

    async def _answer(self, keys: list[K], taken: dict[K, asyncio.Future[V | None]]) -> None:
        try:
            found = await self._load(keys)
        except Exception as error:  # it belongs to those who asked
            for future in taken.values():
                if not future.cancelled():
                    future.set_exception(error)
            return
        for key, future in taken.items():
            if not future.cancelled():
                future.set_result(found.get(key))
