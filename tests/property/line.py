"""A wire of memory between the session layer and a reader of `town`: it can be slow, stuck, and lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from chatcore.fanout.frames import frame_text
from chatcore.fanout.wire import CLOSE_BOUND_S
from chatcore.session.connection import Connection

if TYPE_CHECKING:
    from tests.property.town import Reader, Town


class Line:
    """A wire whose far end reads at once, or not at all while `stuck`."""

    def __init__(self, town: Town, reader: Reader) -> None:
        self.peer = "192.0.2.1"
        self.town = town
        self.reader = reader
        self.sink: Connection | None = None
        self.stuck = False
        self.waiting: list[bytes] = []
        self.inbound: list[bytes] = []
        self.paused = False
        self.over = False

    def write(self, data: bytes) -> bool:
        if self.over:
            return False
        for payload in payloads(data):
            self.town.check_written(payload)
            self.waiting.append(payload)
        if self.stuck:
            return False
        self._deliver()
        return True

    def _deliver(self) -> None:
        waiting, self.waiting = self.waiting, []
        for payload in waiting:
            self.reader.receive(self, payload)

    def buffered(self) -> int:
        return sum(map(len, self.waiting))

    def kernel_queued(self) -> int:
        return 0

    def close(self, code: int, reason: str = "", *, within: float = CLOSE_BOUND_S) -> None:
        del code, reason, within
        asyncio.get_running_loop().call_soon(self.lose)

    def abort(self) -> None:
        asyncio.get_running_loop().call_soon(self.lose)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        asyncio.get_running_loop().call_soon(self._feed)

    def say(self, payload: bytes) -> None:
        """The far end sends a frame."""
        self.inbound.append(payload)
        asyncio.get_running_loop().call_soon(self._feed)

    def _feed(self) -> None:
        while self.inbound and not self.paused and not self.over and self.sink is not None:
            self.sink.text(self.inbound.pop(0))

    def unstick(self) -> None:
        """The far end reads what waited, and goes on."""
        self.stuck = False
        if not self.over:
            self._deliver()
        if not self.over and self.sink is not None:
            self.sink.drained()

    def lose(self) -> None:
        """The socket is gone; what was not read is lost with it."""
        if not self.over:
            self.over = True
            self.waiting.clear()
            self.reader.hung_up(self)
            if self.sink is not None:
                self.sink.lost(1006)


def payloads(data: bytes) -> list[bytes]:
    """The texts of whole unmasked frames."""
    found: list[bytes] = []
    at = 0
    while at < len(data):
        size, start = data[at + 1], at + 2
        if size == 126:
            size, start = int.from_bytes(data[start : start + 2], "big"), start + 2
        elif size == 127:
            size, start = int.from_bytes(data[start : start + 8], "big"), start + 8
        found.append(data[start : start + size])
        assert frame_text(found[-1]) == data[at : start + size], "a frame was cut"
        at = start + size
    return found
