"""The memory twin of the log: for property tests and for rooms that may be forgotten. Keeps nothing over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Literal

import msgspec

from chatcore.log.port import Decide, Ground, Heads, Page, Row
from chatcore.room.events import Entry, Gone, Message, Said, StreamKey
from chatcore.room.state import IDEM_MS, Author, Channel, Facts, Remembered, RoomState


class _Held:
    """One channel: its entries in commit order, its messages, and the lock that a writer holds."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.entries: list[Entry] = []
        self.messages: dict[str, Message] = {}
        self.lock = asyncio.Lock()

    def heads(self) -> Heads:
        room = sum(1 for entry in self.entries if entry.stream.kind == "room")
        return room, len(self.entries) - room


def _copy(message: Message | None) -> Message | None:
    return None if message is None else msgspec.structs.replace(message)


async def _nothing(_point: str) -> None:
    return


class MemoryLog:
    """`now` gives Unix ms. `gate(point)` is awaited at "locked", "before commit" and "after commit" and may raise
    Unavailable there: how tests make a commit slow or fail, before or after it took effect."""

    def __init__(
        self, *, now: Callable[[], int], epoch: str = "mem", gate: Callable[[str], Awaitable[None]] = _nothing
    ) -> None:
        self._now = now
        self._epoch = epoch
        self._gate = gate
        self._channels: dict[str, _Held] = {}
        self._personal: dict[str, list[Entry]] = {}

    @property
    def epoch(self) -> str:
        """See the port."""
        return self._epoch

    def create(self, channel: Channel) -> None:
        """Make a channel with empty streams."""
        self._channels[channel.id] = _Held(channel)

    async def append(self, claims: Mapping[str, Heads], decide: Decide) -> list[Entry]:
        """See the port. Locks are taken in sorted order."""
        held = [self._channels[channel] for channel in sorted(claims)]
        for one in held:
            await one.lock.acquire()
        try:
            await self._gate("locked")
            missed = {one.channel.id: self._missed(one, claims[one.channel.id]) for one in held}
            entries = decide(Ground(self._now(), {ch: found for ch, found in missed.items() if found}))
            await self._gate("before commit")
            self._check(entries)
            for entry in entries:
                self._write(entry)
            await self._gate("after commit")
            return entries
        finally:
            for one in held:
                one.lock.release()

    @staticmethod
    def _missed(held: _Held, known: Heads) -> list[Entry]:
        room, mod = known
        return [entry for entry in held.entries if entry.n > (room if entry.stream.kind == "room" else mod)]

    def _check(self, entries: list[Entry]) -> None:
        """All of them before the first is written: an append is whole or not at all."""
        next_n: dict[StreamKey, int] = {}
        for entry in entries:
            stream = entry.stream
            if stream.kind == "me":
                continue
            expected = next_n.get(stream, self._head(stream) + 1)
            if entry.n != expected:
                raise AssertionError(f"{stream} numbered {entry.n}, expected {expected}")
            if isinstance(entry.event, Said) and entry.message is None:
                raise AssertionError("a said entry carries its message")
            next_n[stream] = expected + 1

    def _write(self, entry: Entry) -> None:
        if entry.stream.kind == "me":
            personal = self._personal.setdefault(entry.stream.owner, [])
            entry.n = len(personal) + 1
            entry.ts = max(entry.ts, personal[-1].ts if personal else 0)
            personal.append(entry)
            return
        held = self._channels[entry.stream.owner]
        held.entries.append(entry)
        if entry.message is not None:
            held.messages[entry.message.mid] = msgspec.structs.replace(entry.message)
        elif isinstance(entry.event, Gone):
            self._remove(held, entry.event)

    @staticmethod
    def _remove(held: _Held, gone: Gone) -> None:
        for message in held.messages.values():
            ranged = gone.user is not None and message.user == gone.user and gone.lo <= message.n <= gone.hi
            if message.gone is None and (message.mid in gone.mids or ranged):
                message.gone = gone.by

    async def room(self, channel: str) -> RoomState | None:
        """See the port."""
        held = self._channels.get(channel)
        if held is None:
            return None
        state = RoomState(held.channel, 0, 0, 0)
        for entry in held.entries:
            state.apply(entry)
        state.authors.clear()
        state.messages.clear()
        state.gone_log.clear()
        horizon = self._now() - IDEM_MS
        idems: dict[tuple[str, str], Remembered] = {k: v for k, v in state.idems.items() if v.ts > horizon}
        state.idems = idems
        return state

    async def facts(self, channel: str, users: Iterable[str], mids: Iterable[str]) -> Facts:
        """See the port."""
        held = self._channels[channel]
        authors = {user: Author(0, 0, 0) for user in users}
        for entry in held.entries:
            if isinstance(entry.event, Said) and entry.event.user in authors:
                authors[entry.event.user] = Author(entry.n, entry.ts, entry.event.bucket)
        messages = {mid: msgspec.structs.replace(held.messages[mid]) for mid in mids if mid in held.messages}
        return Facts(held.heads()[0], authors, messages)

    async def read(
        self,
        stream: StreamKey,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int,
        order: Literal["oldest", "newest"] = "oldest",
        said_only: bool = False,
        standing_only: bool = False,
    ) -> Page:
        """See the port."""
        low = 0 if after is None else after
        found = [
            row
            for row in self._rows(stream)
            if row.entry.n > low
            and (before is None or row.entry.n < before)
            and (not said_only or isinstance(row.entry.event, Said))
            and (not standing_only or (row.entry.message is not None and row.entry.message.gone is None))
        ]
        rows = found[:limit] if order == "oldest" else found[-limit:]
        return Page(rows, len(found) > len(rows), self._head(stream))

    def _rows(self, stream: StreamKey) -> list[Row]:
        if stream.kind == "me":
            return [Row(entry) for entry in self._personal.get(stream.owner, [])]
        held = self._channels[stream.owner]
        rows: list[Row] = []
        for entry in held.entries:
            if entry.stream != stream:
                continue
            message = _copy(held.messages.get(entry.event.mid)) if isinstance(entry.event, Said) else None
            parent = (
                _copy(held.messages.get(message.reply)) if message is not None and message.reply else None
            )
            rows.append(Row(msgspec.structs.replace(entry, message=message), parent))
        return rows

    def _head(self, stream: StreamKey) -> int:
        if stream.kind == "me":
            return len(self._personal.get(stream.owner, []))
        return self._channels[stream.owner].heads()[0 if stream.kind == "room" else 1]

    async def first_since(self, channel: str, user: str, ts: int) -> int | None:
        """See the port."""
        found = [m.n for m in self._channels[channel].messages.values() if m.user == user and m.ts >= ts]
        return min(found, default=None)

    async def channels_of(self, user: str) -> list[str]:
        """See the port."""
        return [
            ch for ch, held in self._channels.items() if any(m.user == user for m in held.messages.values())
        ]

    async def forget_author(self, channel: str, user: str, *, texts: bool) -> None:
        """See the port."""
        for message in self._channels[channel].messages.values():
            if message.user == user:
                message.user = None
                if texts:
                    message.text, message.frags = "", ()

    async def heads(self, streams: Iterable[StreamKey]) -> dict[StreamKey, int]:
        """See the port."""
        return {stream: self._head(stream) for stream in streams}
