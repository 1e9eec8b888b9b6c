"""Owns gathering look-ups: what many ask for one by one is fetched together. Refuses to know what is fetched.

A quiet batcher answers at once (with all that came in the same turn of the loop); a busy one runs again only after
a pause, so that under a storm the batches are as large as the storm is heavy, at the cost of that pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from schemas.errors import Refused

Item = TypeVar("Item")
Value = TypeVar("Value")

PAUSE_S = 0.008
BATCH_CAP = 500
#: Waiting items beyond which new ones are refused as `overloaded`: memory stays bounded if the store stalls.
WAITING_CAP = 20_000


class Batcher(Generic[Item, Value]):
    """`fetch(items)` answers with one value per item, in order; its failure is the failure of the whole batch."""

    def __init__(
        self, fetch: Callable[[list[Item]], Awaitable[Sequence[Value]]], *, pause_s: float = PAUSE_S
    ) -> None:
        self._fetch = fetch
        self._pause_s = pause_s
        self._waiting: list[tuple[Item, asyncio.Future[Value]]] = []
        self._task: asyncio.Task[None] | None = None

    def submit(self, item: Item) -> asyncio.Future[Value]:
        """The value of `item`, when its batch has run. Raises Refused overloaded when too many wait."""
        if len(self._waiting) >= WAITING_CAP:
            raise Refused("overloaded")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Value] = loop.create_future()
        self._waiting.append((item, future))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run())
        return future

    async def close(self) -> None:
        """Give up what waits; everybody asking gets CancelledError."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for _, future in self._waiting:
            future.cancel()
        self._waiting.clear()

    async def _run(self) -> None:
        while self._waiting:
            batch = self._waiting[:BATCH_CAP]
            del self._waiting[:BATCH_CAP]
            try:
                values = await self._fetch([item for item, _ in batch])
            except Exception as failure:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(failure)
            except asyncio.CancelledError:
                for _, future in batch:
                    future.cancel()
                raise
            else:
                for (_, future), value in zip(batch, values, strict=True):
                    if not future.done():
                        future.set_result(value)
            if len(self._waiting) < BATCH_CAP:
                await asyncio.sleep(self._pause_s)
