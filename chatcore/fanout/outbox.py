"""One connection's outgoing bytes: replies and events, the only one that touches its wire.

Owns: the order of what is written, coalescing, the bound on what waits, and the polite end (bye, close).
Refuses to know: rooms' contents, protocol words, sockets. The hub judges its age, see hub.py.

What a connection may hold in memory: one chunk in the transport (at most `RingRules.chunk` and a frame)
and `limit` bytes of replies. Events it has not got stay in the rooms' rings, shared with all others.
Nothing stays here beyond the turn of the loop in which it was queued: a text that is deleted later must not
be found in any of our buffers (protocol section 3), and what the transport has is out of our hands.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from chatcore.fanout.frames import frame_text
from chatcore.fanout.stall import Checkpoint
from chatcore.fanout.wire import CLOSE_BOUND_S, Wire


class Late(Protocol):
    """A subscription, as the outbox sees it: it may have to be served again, and it may have to go."""

    def catch_up(self) -> None: ...

    def leave(self) -> None: ...

    def lacking(self) -> int:
        """Bytes of events in the room's ring that it has not got."""
        ...


class Yard(Protocol):
    """The hub, as an outbox sees it."""

    def soon(self, outbox: "Outbox") -> None:
        """Call `outbox.flush()` at the end of this iteration of the loop."""
        ...

    def watch(self, outbox: "Outbox") -> None:
        """Have its age judged from now on; it has bytes under way."""
        ...

    def overflow(self, outbox: "Outbox") -> None:
        """More replies wait than one connection may hold."""
        ...

    def call_soon(self, call: Callable[[], None]) -> None: ...

    def gone(self, outbox: "Outbox") -> None: ...


class Outbox:
    """Made by `Hub.outbox`. All calls on the loop's thread; after `closed` they do nothing."""

    __slots__ = (
        "_limit",
        "_pending",
        "_pending_size",
        "_scheduled",
        "_waiters",
        "_yard",
        "behind",
        "blocked",
        "checkpoint",
        "closed",
        "on_gap",
        "on_shed",
        "subscriptions",
        "watched",
        "wire",
        "written",
    )

    def __init__(
        self,
        wire: Wire,
        yard: Yard,
        *,
        limit: int,
        on_gap: Callable[[Late], None],
        on_shed: Callable[[str], None],
    ) -> None:
        self.wire = wire
        self._yard = yard
        self._limit = limit
        self._pending: list[bytes] | None = None
        self._pending_size = 0
        self._scheduled = False
        self._waiters: list[Callable[[], None]] | None = None
        self.on_gap = on_gap
        self.on_shed = on_shed
        self.behind: list[Late] | None = None
        self.blocked = False
        self.closed = False
        self.watched = False
        self.subscriptions: set[Late] | None = None
        self.written = 0
        self.checkpoint: Checkpoint | None = None

    def send(self, payload: bytes) -> None:
        """Queue one JSON text: a reply or a personal event. It goes out at the end of this iteration of
        the loop, before any fan-out that is written later."""
        self._queue(frame_text(payload))

    def send_frames(self, frames: Iterable[bytes]) -> None:
        """Queue frames that are framed already (`RoomFan.recent`, pages framed by the caller)."""
        for frame in frames:
            self._queue(frame)

    @property
    def free(self) -> bool:
        """Nothing waits, here or in the transport: whoever pages through a log may send the next page."""
        return not self.blocked and self._pending is None

    def lacking(self) -> int:
        """Bytes that this connection is behind: replies that wait, and events in the rooms' rings that
        it could not be given because its wire is full."""
        return self._pending_size + sum(late.lacking() for late in self.behind or ())

    def when_free(self, call: Callable[[], None]) -> None:
        """Call once, as soon as nothing waits. Never called after the connection is gone."""
        if self.closed:
            return
        if self.free:
            self._yard.call_soon(call)
            return
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(call)

    def fan(self, chunk: bytes) -> None:
        """Write a room's chunk now, and what waits before it, in one write. Not while `blocked`."""
        if self._pending is not None:
            chunk = b"".join((*self._pending, chunk))
            self._pending, self._pending_size = None, 0
        self._write(chunk)

    def flush(self) -> None:
        """Write what was queued in this turn, also to a wire that is full: it keeps the order."""
        self._scheduled = False
        if self._pending is None or self.closed:
            return
        pending = self._pending
        self._pending, self._pending_size = None, 0
        self._write(pending[0] if len(pending) == 1 else b"".join(pending))
        if self.blocked and self.wire.buffered() > self._limit:
            self._yard.overflow(self)
        else:
            self._wake()

    def drained(self) -> None:
        """The wire's user-space buffer is empty again."""
        self.blocked = False
        if self.closed:
            return
        behind, self.behind = self.behind, None
        for subscription in behind or ():
            subscription.catch_up()
        self._wake()

    def bye(self, payload: bytes, code: int, reason: str) -> None:
        """Send a last event after all that waits, then close. Bounded in time by the wire."""
        if self.closed:
            return
        self._last(b"".join((*(self._pending or ()), frame_text(payload))), code, reason)

    def shed(self, payload: bytes, code: int, reason: str, *, within: float) -> None:
        """As `bye`, but what waits is dropped: the reader has not even read what came before it."""
        if not self.closed:
            self._last(frame_text(payload), code, reason, within)

    def close(self, code: int, reason: str = "") -> None:
        """Close after all that waits, without a word."""
        if not self.closed:
            self._last(b"".join(self._pending or ()), code, reason)

    def abort(self) -> None:
        """The end now."""
        self.wire.abort()
        self.lost()

    def lost(self) -> None:
        """The connection is gone: leave all rooms, drop all that waits. Idempotent."""
        if self.closed:
            return
        self.closed = True
        self._pending = self._waiters = self.behind = None
        subscriptions, self.subscriptions = self.subscriptions, None
        for subscription in subscriptions or ():
            subscription.leave()
        self._yard.gone(self)

    def _queue(self, frame: bytes) -> None:
        if self.closed:
            return
        if self._pending is None:
            self._pending = [frame]
        else:
            self._pending.append(frame)
        self._pending_size += len(frame)
        if self._pending_size > self._limit:
            self._yard.overflow(self)
        elif not self._scheduled:
            self._scheduled = True
            self._yard.soon(self)

    def _write(self, data: bytes) -> None:
        self.written += len(data)
        if not self.watched:
            self.watched = True
            self._yard.watch(self)
        if not self.wire.write(data):
            self.blocked = True

    def _last(self, data: bytes, code: int, reason: str, within: float = CLOSE_BOUND_S) -> None:
        if data:
            # Behind bytes that wait already: the transport keeps the order, so no frame is ever cut.
            self.wire.write(data)
        self.wire.close(code, reason, within=within)
        self.lost()

    def _wake(self) -> None:
        if self._waiters is not None and self.free:
            waiters, self._waiters = self._waiters, None
            for call in waiters:
                self._yard.call_soon(call)
