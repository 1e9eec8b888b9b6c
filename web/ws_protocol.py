"""WebSocket connections after their handshake: a wire that belongs to one sink.

Owns: the bytes of an upgraded connection: inbound frames to `Sink`, outbound frames to the transport, the
bounded close, what the kernel still holds.
Refuses to know: the chat protocol, rooms, users, and ASGI (ws_upgrade.py hands the transport over).
"""

import asyncio
import socket
import struct
import sys
from typing import Final, Protocol, cast

from chatcore.fanout.frames import CLOSE, PING, PONG, TEXT, frame_close, frame_pong
from chatcore.fanout.inbound import Inbound, Violation
from chatcore.fanout.wire import CLOSE_BOUND_S, Sink

_DRAINING: Final = 4001
_MESSAGES_PER_TURN: Final = 64
"""Messages of one connection handled before the loop has its turn again."""

# One buffer for all connections: the loop reads one socket at a time and the bytes are copied out at once.
# asyncio's own way asks the allocator for 256 KiB at each read.
_READ_BUFFER = memoryview(bytearray(32 * 1024))

_EMPTY_CLOSE: Final = b"\x88\x00"
_SIOCOUTQ: Final = 0x5411
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Handover(Protocol):
    """Whoever did the handshake, as the wire sees it."""

    peer: str
    max_message: int
    send_buffer: int
    connections: set[object]

    def release(self) -> tuple[asyncio.Transport, bytes]:
        """Give the transport away, and the bytes that came before. RuntimeError if nothing was accepted."""
        ...


class SocketWire(asyncio.BufferedProtocol):
    """One upgraded connection (chatcore.fanout.wire.Wire), and the transport's protocol once attached."""

    __slots__ = (
        "_code",
        "_connections",
        "_deaf",
        "_fd",
        "_host",
        "_inbound",
        "_paused",
        "_sink",
        "_timer",
        "_transport",
        "peer",
    )

    def __init__(self, host: Handover) -> None:
        self._host: Handover | None = host
        self._transport: asyncio.Transport | None = None
        self._sink: Sink | None = None
        self._connections = host.connections
        self._inbound = Inbound(host.max_message)
        self._timer: asyncio.TimerHandle | None = None
        self._fd = -1
        self._code = 0
        self._paused = False
        self._deaf = False
        self.peer = host.peer

    def attach(self, sink: Sink) -> None:
        """Take the accepted connection over. Once, in the same step as the accept, before any await."""
        host, self._host = self._host, None
        if host is None:
            raise RuntimeError("a wire is attached once")
        self._sink = sink
        transport, early = host.release()
        if transport.is_closing():
            # The peer left during the handshake: the sink hears of it as of any other loss.
            asyncio.get_running_loop().call_soon(self.connection_lost, None)
            return
        self._transport = transport
        self._connections.discard(host)
        self._connections.add(self)
        sock = cast("socket.socket | None", transport.get_extra_info("socket"))
        if sock is not None:
            self._fd = sock.fileno()
            if sock.family != getattr(socket, "AF_UNIX", None):
                # asyncio does it only for sockets that were made with IPPROTO_TCP by name, which whoever
                # hands us a listening socket may not have done; with Nagle a reply waits 40 ms for another.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if host.send_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, host.send_buffer)
        # A limit of 0: whatever the kernel does not take at once is a reader who is behind, and is told.
        transport.set_write_buffer_limits(high=0)
        transport.set_protocol(self)
        if early:
            self._inbound.feed(early)
            asyncio.get_running_loop().call_soon(self._pump)

    # Outbound

    def write(self, data: bytes) -> bool:
        """See Wire.write."""
        transport = self._transport
        if transport is None or self._code:
            return True
        transport.write(data)
        return not transport.get_write_buffer_size()

    def buffered(self) -> int:
        """See Wire.buffered."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def kernel_queued(self) -> int:
        """See Wire.kernel_queued."""
        if self._transport is None or self._fd < 0:
            return 0
        return _kernel_queued(self._fd)

    def close(self, code: int, reason: str = "", *, within: float = CLOSE_BOUND_S) -> None:
        """See Wire.close."""
        if self._transport is None or self._code:
            return
        self._transport.write(frame_close(code, reason))
        self._ends(code, within)
        # The peer's answer is awaited even if the sink had paused; nothing more is delivered.
        if self._paused:
            self.resume()

    def abort(self) -> None:
        """See Wire.abort."""
        transport = self._transport
        if transport is None:
            return
        self._code = self._code or 1006
        if self.buffered() or self.kernel_queued():
            # Without this the kernel would keep the unread bytes for minutes, at the price of a reader
            # who is gone; the peer sees a reset either way.
            sock = cast("socket.socket", transport.get_extra_info("socket"))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()

    def shutdown(self) -> None:
        """uvicorn: the server stops. Whoever is still here after the drain is told so."""
        self.close(_DRAINING, "draining")

    def resume_writing(self) -> None:
        """asyncio: the user-space buffer is empty again."""
        if self._sink is not None and not self._code:
            self._sink.drained()

    def pause_writing(self) -> None:
        """asyncio: bytes wait; `write` has said so already."""

    # Inbound

    def pause(self) -> None:
        """See Wire.pause. The transport reads once more before it stops: a short pause costs no system call."""
        self._paused = True

    def resume(self) -> None:
        """See Wire.resume."""
        if not self._paused:
            return
        self._paused = False
        if self._transport is not None:
            asyncio.get_running_loop().call_soon(self._pump)

    def get_buffer(self, sizehint: int) -> memoryview:
        """asyncio: where to read to."""
        return _READ_BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """asyncio: so many bytes were read."""
        if self._deaf:
            return
        self._inbound.feed(bytes(_READ_BUFFER[:nbytes]))
        if self._sink is not None and not self._code:
            self._sink.alive()
        if self._paused and self._transport is not None:
            self._transport.pause_reading()
            return
        self._pump()

    def eof_received(self) -> bool:
        """asyncio: the peer will send nothing more, so the connection ends; what waits is bounded."""
        self._ends(self._code or 1006)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._transport = None
        self._connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.lost(self._code or 1006)

    def _pump(self) -> None:
        transport = self._transport
        if transport is None or self._paused:
            return
        try:
            turn = self._deliver()
        except Violation as broken:
            self._fail(broken)
            return
        if self._transport is None or self._paused:
            return
        if turn:
            transport.resume_reading()
        else:
            transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._pump)

    def _deliver(self) -> bool:
        """Hand on what is whole. False: there may be more, but the loop has waited long enough."""
        for _ in range(_MESSAGES_PER_TURN):
            if self._paused or self._transport is None:
                return True
            message = self._inbound.next()
            if message is None:
                return True
            self._dispatch(*message)
        return False

    def _dispatch(self, opcode: int, payload: bytes) -> None:
        sink = self._sink
        if opcode == CLOSE:
            self._peer_closes(payload)
        elif sink is None or self._code:
            return
        elif opcode == TEXT:
            sink.text(payload)
        elif opcode == PING:
            self._answer_ping(payload)
        elif opcode != PONG:
            sink.binary()

    def _answer_ping(self, payload: bytes) -> None:
        # A client that pings but does not read gets no answers: they would pile up without a bound.
        if self._transport is not None and not self._transport.get_write_buffer_size():
            self._transport.write(frame_pong(payload))

    # The end

    def _peer_closes(self, payload: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        if not self._code:
            code = _close_code(payload)
            transport.write(frame_close(code) if payload else _EMPTY_CLOSE)
            self._ends(code)
        self._deaf = True
        transport.close()

    def _fail(self, broken: Violation) -> None:
        """The close frame can only be read if the connection is not reset, and it is reset if bytes are
        left unread: so half of it is closed, and the other half read and dropped until the peer goes."""
        transport = self._transport
        if transport is None:
            return
        self.close(broken.code, broken.reason)
        self._deaf = True
        if transport.can_write_eof():
            transport.write_eof()

    def _ends(self, code: int, within: float = CLOSE_BOUND_S) -> None:
        self._code = code
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(within, self.abort)


def _close_code(payload: bytes) -> int:
    """The code to report and to echo. Raises Violation for what no peer may send."""
    if not payload:
        return 1005
    code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else 0
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise Violation(1002, "not a close code")
    return code


if sys.platform == "linux":
    import fcntl

    def _kernel_queued(fd: int) -> int:
        try:
            return int.from_bytes(fcntl.ioctl(fd, _SIOCOUTQ, b"\0\0\0\0"), sys.byteorder)
        except OSError:
            return 0

else:

    def _kernel_queued(fd: int) -> int:
        return 0
