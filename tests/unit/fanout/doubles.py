"""A loop with a clock that tests move, a wire that tests fill up, and readers of what was written."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from chatcore.fanout.hub import FanoutLimits, Hub
from chatcore.fanout.outbox import Outbox
from chatcore.fanout.room_fan import RoomFan, Subscription
from chatcore.fanout.wire import Sink

BYE = b'{"t":"bye","d":{"close":4003}}'


class FakeLoop:
    """Runs calls in order of time; the clock stands still while they run, unless a call moves it."""

    def __init__(self) -> None:
        self.time = 100.0
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def now(self) -> float:
        return self.time

    def call_soon(self, call: Callable[[], None]) -> None:
        self.call_later(0.0, call)

    def call_later(self, delay: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._calls, (self.time + delay, next(self._order), call))

    def run(self, seconds: float = 0.0) -> None:
        """Run all that is due within `seconds` from now."""
        end = self.time + seconds
        while self._calls and self._calls[0][0] <= end:
            at, _, call = heapq.heappop(self._calls)
            self.time = max(self.time, at)
            call()
        self.time = max(self.time, end)


@dataclass(eq=False)
class FakeWire:
    """Keeps each write apart. `room` bytes fit into the kernel; what does not waits in user space."""

    room: int = 1 << 30
    peer: str = "192.0.2.1"
    writes: list[bytes] = field(default_factory=list[bytes])
    waiting: int = 0
    kernel: int = 0
    closed: tuple[int, str] | None = None
    aborted: bool = False
    on_write: Callable[[], None] | None = None

    def write(self, data: bytes) -> bool:
        self.writes.append(data)
        taken = min(self.room, len(data))
        self.room -= taken
        self.waiting += len(data) - taken
        if self.on_write is not None:
            self.on_write()
        return self.waiting == 0

    def buffered(self) -> int:
        return self.waiting

    def kernel_queued(self) -> int:
        return self.kernel

    def close(self, code: int, reason: str = "", *, within: float = 2.0) -> None:
        self.closed = self.closed or (code, reason)

    def abort(self) -> None:
        self.aborted = True

    def attach(self, sink: Sink) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def texts(self) -> list[bytes]:
        """The payloads of all frames that were written, in order."""
        return texts(b"".join(self.writes))


class Reader:
    """A connection with its outbox, and what its session would hear."""

    def __init__(self, hub: Hub, room: int = 1 << 30) -> None:
        self.wire = FakeWire(room)
        self.gaps: list[Subscription] = []
        self.shed: list[str] = []
        self.outbox: Outbox = hub.outbox(self.wire, on_gap=self.gaps.append, on_shed=self.shed.append)

    def drain(self, room: int = 1 << 30) -> None:
        """The peer read everything."""
        self.wire.room, self.wire.waiting, self.wire.kernel = room, 0, 0
        self.outbox.drained()

    @property
    def texts(self) -> list[bytes]:
        return self.wire.texts()


def texts(data: bytes) -> list[bytes]:
    """Payloads of unmasked text frames."""
    found: list[bytes] = []
    at = 0
    while at < len(data):
        assert data[at] == 0x81, "a frame was cut, or is no text frame"
        size, at = data[at + 1], at + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        found.append(data[at : at + size])
        at += size
    assert at == len(data), "the last frame was cut"
    return found


def make_hub(loop: FakeLoop, limits: FanoutLimits | None = None) -> Hub:
    return Hub(now=loop.now, call_soon=loop.call_soon, call_later=loop.call_later, bye=BYE, limits=limits)


def say(room: RoomFan, n: int, text: str = "") -> bytes:
    """Publish the n-th event of the stream `room`; answers its payload."""
    payload = (text or f"event {n}").encode()
    assert room.publish(payload, stream="room", n=n)
    return payload
