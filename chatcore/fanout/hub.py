"""All rooms and connections of this node: who is here, how much memory recent frames use, who is shed.

Owns: the registry, the byte budget over all rings (least recently used first), the sweep that judges
readers who do not read, and the counters.
Refuses to know: protocol words (the bye event is given to it as bytes), sockets, the log.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from chatcore.fanout.duty import DutyRules
from chatcore.fanout.outbox import Late, Outbox
from chatcore.fanout.ring import RingRules
from chatcore.fanout.room_fan import RoomFan, Subscription
from chatcore.fanout.scheduler import Scheduler
from chatcore.fanout.stall import unread_age

if TYPE_CHECKING:
    from chatcore.fanout.wire import Wire

TOO_SLOW = 4003


@dataclass(frozen=True, slots=True)
class FanoutLimits:
    """Bytes and seconds; the defaults are the settings' defaults."""

    budget: int = 64 * 1024 * 1024
    """Frames of all rings together."""
    backlog: int = 1024 * 1024
    """What one connection may have waiting: replies, user space, kernel; and events in a ring it lacks."""
    unread_s: float = 5.0
    """Age that the oldest unread byte of a connection never passes: the reader is told, and has
    `farewell_s` to read it; then the connection is gone. The sweeps' grain is taken off as well."""
    farewell_s: float = 1.0
    sweep_s: float = 0.75
    sweep_step: int = 256
    """Connections judged in one turn of the loop: about half a millisecond."""
    ring: RingRules = field(default_factory=RingRules)
    duty: DutyRules = field(default_factory=DutyRules)


@dataclass(slots=True)
class FanoutStats:
    """Counters since the start; plain integers for whoever exports them."""

    deliveries: int = 0
    flushes: int = 0
    merged: int = 0
    gaps: int = 0
    evicted: int = 0
    shed_age: int = 0
    shed_bytes: int = 0
    connections: int = 0
    rooms: int = 0
    ring_bytes: int = 0
    slices: int = 0
    busy_ms: int = 0


class Hub:
    """One per process. `now` is monotonic seconds, `cpu` this thread's seconds of CPU (for want of which
    `now` is taken); `bye` is the JSON text of the event sent to a reader
    who is shed (protocol section 4, close 4003)."""

    def __init__(
        self,
        *,
        now: Callable[[], float],
        call_soon: Callable[[Callable[[], None]], object],
        call_later: Callable[[float, Callable[[], None]], object],
        bye: bytes,
        limits: FanoutLimits | None = None,
        cpu: Callable[[], float] | None = None,
    ) -> None:
        self._limits = limits or FanoutLimits()
        limits = self._limits
        self._patience = max(limits.sweep_s, limits.unread_s - limits.farewell_s - 2 * limits.sweep_s)
        self.now = now
        self._call_soon = call_soon
        self._call_later = call_later
        self._bye = bye
        self._scheduler = Scheduler(self._limits.duty, now, cpu or now, call_soon, call_later)
        self._rooms: dict[str, RoomFan] = {}
        self._used: dict[str, RoomFan] = {}
        self._outboxes: set[Outbox] = set()
        self._ready: list[Outbox] = []
        self._watched: list[Outbox] = []
        self._sweeping = False
        self.deliveries = self.flushes = self.merged = self.gaps = 0
        self._ring_bytes = self._evicted = self._shed_age = self._shed_bytes = 0

    @classmethod
    def on_loop(
        cls, loop: asyncio.AbstractEventLoop, *, bye: bytes, limits: FanoutLimits | None = None
    ) -> "Hub":
        """A hub that lives on this loop's clock."""
        return cls(
            now=loop.time,
            call_soon=loop.call_soon,
            call_later=loop.call_later,
            bye=bye,
            limits=limits,
            cpu=time.thread_time,
        )

    @property
    def stats(self) -> FanoutStats:
        """The counters as of now."""
        return FanoutStats(
            deliveries=self.deliveries,
            flushes=self.flushes,
            merged=self.merged,
            gaps=self.gaps,
            evicted=self._evicted,
            shed_age=self._shed_age,
            shed_bytes=self._shed_bytes,
            connections=len(self._outboxes),
            rooms=len(self._rooms),
            ring_bytes=self._ring_bytes,
            slices=self._scheduler.slices,
            busy_ms=int(self._scheduler.busy_s * 1000),
        )

    # Rooms

    def room(self, ch: str) -> RoomFan:
        """The room of this channel, made if it is not here yet."""
        room = self._rooms.get(ch)
        if room is None:
            room = self._rooms[ch] = RoomFan(ch, self, self._limits.ring)
        return room

    def peek(self, ch: str) -> RoomFan | None:
        """The room of this channel if it is here."""
        return self._rooms.get(ch)

    def drop(self, ch: str) -> None:
        """Forget a room: nobody is subscribed any more, its frames are gone. The members' connections
        stay; whoever drops a room with members has told them why."""
        room = self._rooms.pop(ch, None)
        self._used.pop(ch, None)
        if room is not None:
            room.dismiss()
            self._ring_bytes -= room.forget()

    def wake(self, room: RoomFan) -> None:
        """Host: this room has something to deliver."""
        if not room.queued:
            self._scheduler.wake(room)

    def charge(self, room: RoomFan, grown: int) -> None:
        """Host: a ring changed its size and was used; over the budget, rooms unused longest are emptied."""
        if self._rooms.get(room.ch) is not room:
            return
        # The dict's order is the order of use; rooms without frames are not in it.
        self._used.pop(room.ch, None)
        if room.ring.size:
            self._used[room.ch] = room
        self._ring_bytes += grown
        if self._ring_bytes > self._limits.budget:
            self._evict(room)

    def _evict(self, spared: RoomFan) -> None:
        for room in list(self._used.values()):
            # A sixteenth more than needed, so that a full budget does not mean an eviction per event.
            if self._ring_bytes <= self._limits.budget - self._limits.budget // 16 or room is spared:
                return
            del self._used[room.ch]
            self._ring_bytes -= room.forget()
            self._evicted += 1

    # Connections

    def outbox(
        self,
        wire: "Wire",
        *,
        on_gap: Callable[[Subscription], None],
        on_shed: Callable[[str], None],
    ) -> Outbox:
        """The outbox of a new connection. `on_gap(subscription)`: a slow reader drained, but the ring has
        moved past it; it is held until `resume_at`. `on_shed("age"|"bytes")`: its bye and close are sent."""
        outbox = Outbox(
            wire,
            self,
            limit=self._limits.backlog,
            on_gap=cast("Callable[[Late], None]", on_gap),
            on_shed=on_shed,
        )
        self._outboxes.add(outbox)
        return outbox

    def close_all(self, payload: bytes, code: int, reason: str) -> int:
        """Send everybody a last event and close; answers how many."""
        outboxes = list(self._outboxes)
        for outbox in outboxes:
            outbox.bye(payload, code, reason)
        return len(outboxes)

    def gone(self, outbox: Outbox) -> None:
        """Yard: this connection has ended."""
        self._outboxes.discard(outbox)

    def call_soon(self, call: Callable[[], None]) -> None:
        """Yard: at the loop's next turn."""
        self._call_soon(call)

    def soon(self, outbox: Outbox) -> None:
        """Yard: one turn of the loop for all replies of this one."""
        if not self._ready:
            self._call_soon(self.settle)
        self._ready.append(outbox)

    def settle(self) -> None:
        """Host: write what was queued in this turn of the loop. Called at its end anyway."""
        ready, self._ready = self._ready, []
        for outbox in ready:
            outbox.flush()

    # Readers who do not read

    def watch(self, outbox: Outbox) -> None:
        """Yard: it has bytes under way."""
        self._watched.append(outbox)
        if not self._sweeping:
            self._sweeping = True
            self._call_later(self._limits.sweep_s, self._sweep)

    def overflow(self, outbox: Outbox) -> None:
        """Yard: too many replies wait."""
        self._shed_bytes += 1
        self._shed(outbox, "bytes")

    def _sweep(self) -> None:
        watched, self._watched = self._watched, []
        self._sweep_step(watched, self.now())

    def _sweep_step(self, left: list[Outbox], began: float) -> None:
        step = left[-self._limits.sweep_step :]
        del left[-self._limits.sweep_step :]
        now = self.now()
        self._watched.extend(outbox for outbox in step if self._judge(outbox, now))
        if left:
            self._call_soon(lambda: self._sweep_step(left, began))
        elif self._watched:
            self._call_later(max(0.0, began + self._limits.sweep_s - now), self._sweep)
        else:
            self._sweeping = False

    def _judge(self, outbox: Outbox, now: float) -> bool:
        """True: it still has bytes under way and is to be judged again."""
        if outbox.closed:
            return False
        wire = outbox.wire
        queued = wire.kernel_queued()
        if outbox.blocked:
            queued += wire.buffered()
        elif queued == 0:  # nearly everybody, at nearly every sweep
            outbox.checkpoint = None
            outbox.watched = False
            return False
        outbox.checkpoint, age = unread_age(outbox.checkpoint, outbox.written, queued, now)
        if age >= self._patience:
            self._shed_age += 1
            self._shed(outbox, "age")
        elif queued + outbox.lacking() > self._limits.backlog:
            self._shed_bytes += 1
            self._shed(outbox, "bytes")
        elif queued == 0:
            outbox.watched = False
            return False
        return not outbox.closed

    def _shed(self, outbox: Outbox, why: str) -> None:
        outbox.shed(self._bye, TOO_SLOW, "too slow", within=self._limits.farewell_s)
        outbox.on_shed(why)
