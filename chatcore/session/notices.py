"""Owns the notices that a message causes: mentions and replies, written to their reader's own stream, beside the path.

Never in the message's transaction (protocol 11): gathered while the last write runs, at most five mentions of one
message, one a minute for each (reader, author, channel, kind).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from chatcore.limits import Buckets, Spec
from chatcore.log.port import Log, Unavailable
from chatcore.room.events import Entry, Message, Noticed, Said, StreamKey
from chatcore.session.live_room import LiveRoom
from chatcore.session.ports import Clock

_LOG = logging.getLogger(__name__)

MENTIONS_MOST = 5
QUEUE_MOST = 10_000
ONCE_A_MINUTE = Spec("notify", 1, 60_000)


def notices_of(channel: str, message: Message, parent: Message | None) -> list[tuple[str, Noticed]]:
    """Whom a message concerns: (user, notice). Nobody is told of himself; a reply is not a mention as well."""
    author = message.user
    if author is None:
        return []
    found: dict[str, Noticed] = {}
    if parent is not None and parent.user is not None and parent.user != author:
        found[parent.user] = Noticed("reply", channel, message.mid, author)
    mentions = [str(frag["user"]) for frag in message.frags if frag["k"] == "mention"]
    for user in list(dict.fromkeys(mentions))[:MENTIONS_MOST]:
        if user != author:
            found.setdefault(user, Noticed("mention", channel, message.mid, author))
    return list(found.items())


class Notices:
    """`follow(entries)` hears the personal entries when they are durable."""

    def __init__(self, log: Log, clock: Clock, follow: Callable[[Sequence[Entry]], None]) -> None:
        self._log = log
        self._clock = clock
        self._follow = follow
        self._recent = Buckets(ONCE_A_MINUTE)
        self._queue: list[tuple[str, Noticed]] = []
        self._worker: asyncio.Task[None] | None = None
        self.shed = 0

    def told(self, room: LiveRoom, entries: Sequence[Entry]) -> None:
        """Entries of a room became durable: queue what they say to people."""
        now = self._clock()
        for entry in entries:
            message = entry.message
            if not isinstance(entry.event, Said) or message is None or not (message.frags or message.reply):
                continue
            parent = room.state.messages.get(message.reply) if message.reply is not None else None
            for user, notice in notices_of(room.id, message, parent):
                self._add(user, notice, now)

    def _add(self, user: str, notice: Noticed, now: int) -> None:
        if self._recent.take(f"{user} {notice.by} {notice.ch} {notice.kind}", now):
            return
        if len(self._queue) >= QUEUE_MOST:
            self.shed += 1
            return
        self._queue.append((user, notice))
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._queue:
                batch, self._queue = self._queue[:500], self._queue[500:]
                try:
                    entries = await self._log.append(
                        {},
                        lambda ground, batch=batch: [
                            _entry(user, notice, ground.now) for user, notice in batch
                        ],
                    )
                except Unavailable:
                    self.shed += len(batch)
                    continue
                self._follow(entries)
        finally:
            self._worker = None

    async def drain(self) -> None:
        """Wait until what was queued is written."""
        if self._worker is not None:
            await asyncio.wait([self._worker])


def _entry(user: str, notice: Noticed, now: int) -> Entry:
    return Entry(StreamKey("me", user), 0, now, notice)
