"""The lower half of a client of the crowd: a socket, the handshake, frames in both directions.

Owns the bytes and the state of one connection. Refuses to know the protocol above (client.py) and the loop
that wakes it (crowd.py).
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from loadtest import frames
from loadtest.digest import Digest, Reader
from loadtest.tally import Tally

_ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the answer to the key below, RFC 6455, section 1.3
_SHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: cascade.v1.json\r\n\r\n"
)
_BIND_NO_PORT = 24  # IP_BIND_ADDRESS_NO_PORT: the port is chosen at connect, so that a pair may be used again
_CHUNK = 65536

CONNECTING, SHAKING, OPEN, READY, DEAD = range(5)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens."""

    host: str
    port: int
    path: str = "/ws"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a client does by itself: how it authenticates, which rooms it joins, what it wants to hear."""

    guest: str | None = None
    token: str | None = None
    rooms: tuple[str, ...] = ()
    want: tuple[str, ...] = ()
    source: str | None = None  # local address to connect from
    receive_buffer: int | None = None  # SO_RCVBUF in bytes
    urgent: bool = False  # read before the crowd's bulk, so that its latency is the server's
    counted: bool = True  # its deliveries are part of the tally


class World(Protocol):
    """What a connection needs from the crowd that it belongs to."""

    tally: Tally | None
    faults: Counter[str]
    lost: int
    twice: int

    def watch(self, client: Link, *, writing: bool) -> None:
        """Wake `client` when its socket can be read, and when it can be written if `writing`."""
        ...

    def forget(self, descriptor: int) -> None:
        """Stop waking the client of `descriptor`, which is about to be closed."""
        ...

    def settled(self, client: Link) -> None:
        """`client` became ready or died."""
        ...


class Link:
    """A connection that can be opened again. The crowd calls `readable` and `writable`."""

    __slots__ = (
        "_carry", "_corked", "_out", "address", "bytes_in", "closed_ns", "plan", "reader", "sock", "stalled", "state",
        "world",
    )  # fmt: skip

    def __init__(self, world: World, address: Address, plan: Plan, reader: Reader) -> None:
        self.world, self.address, self.plan, self.reader = world, address, plan, reader
        self.sock: socket.socket | None = None
        self.state = DEAD
        self._fresh()

    def _fresh(self) -> None:
        """Forgets the connection before."""
        self._carry = b""
        self._out = b""
        self._corked = False  # what is said while a chunk is dealt with goes out in one write
        self.bytes_in = self.closed_ns = 0
        self.stalled = False

    @abstractmethod
    def take(self, digest: Digest, now: int) -> None:
        """Deals with what was read at `now` (ns)."""

    def farewell(self) -> str:
        """How the end of this connection is to be named."""
        return "closed"

    def open(self) -> None:
        """Begins to connect (again)."""
        self._fresh()
        sock = self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.plan.receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.plan.receive_buffer)
        if self.plan.source:
            sock.setsockopt(socket.IPPROTO_IP, _BIND_NO_PORT, 1)
            sock.bind((self.plan.source, 0))
        self.state = CONNECTING
        code = sock.connect_ex((self.address.host, self.address.port))
        if code in (0, errno.EINPROGRESS):
            self.world.watch(self, writing=True)
        else:
            self.die(f"connect: {errno.errorcode.get(code, code)}")

    def close(self) -> None:
        """Leaves as a browser tab does: the connection is closed without a word."""
        sock, self.sock = self.sock, None
        if sock is None:
            return
        self.state = DEAD
        self.closed_ns = time.monotonic_ns()
        self.world.forget(sock.fileno())
        with contextlib.suppress(OSError):
            sock.close()

    def die(self, reason: str) -> None:
        """The connection ended, or is useless: counts `reason` as a fault of the crowd."""
        if self.sock is None:
            return
        self.world.faults[reason] += 1
        self.close()
        self.world.settled(self)

    def writable(self) -> None:
        """The socket takes bytes: the connection is there, or what could not be sent can go on."""
        sock = self.sock
        if sock is None:
            return
        if self.state == CONNECTING:
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self.die(f"connect: {errno.errorcode.get(code, code)}")
                return
            self.state = SHAKING
            where = self.address
            self._out = _SHAKE.format(path=where.path, host=where.host, port=where.port).encode()
        self._flush()
        if self.state != DEAD:
            self.world.watch(self, writing=bool(self._out))

    def readable(self) -> None:
        """Reads one chunk and deals with it."""
        sock = self.sock
        if sock is None:
            return
        try:
            data = sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self.die(f"read: {errno.errorcode.get(error.errno or 0, str(error))}")
            return
        if not data:
            self.die(self.farewell())
            return
        self.bytes_in += len(data)
        self._corked = True
        self.receive(data, time.monotonic_ns())
        self._corked = False
        if self._out:
            self._push()

    def receive(self, data: bytes, now: int) -> None:
        """`data` was read at `now` (ns). A broken frame ends the connection and is counted as a fault."""
        if self._carry:
            data = self._carry + data
        if self.state == SHAKING:
            data = self._shaken(data)
            if not data:
                return
        try:
            digest = self.reader.read(data)
        except ValueError as error:
            self.die(f"broken frame: {error}")
            return
        self._carry = data[digest.consumed :] if digest.consumed != len(data) else b""
        self.take(digest, now)

    def _shaken(self, data: bytes) -> bytes:
        """The bytes after the server's handshake; none as long as it is not whole."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._carry = data
            return b""
        self._carry = b""
        if b" 101 " not in data[:16] or _ACCEPT not in data[:end]:
            self.die(f"handshake: {data[:40].decode('latin-1').splitlines()[0]}")
            return b""
        self.state = OPEN
        return data[end + 4 :]

    def say(self, payload: bytes, opcode: int = frames.TEXT) -> None:
        """One frame, sent at once, or after the chunk that is being dealt with."""
        if self.sock is None:
            return
        waiting = bool(self._out)
        self._out += frames.client_frame(payload, opcode=opcode)
        if not waiting and not self._corked:
            self._push()

    def _push(self) -> None:
        self._flush()
        if self._out and self.state != DEAD:
            self.world.watch(self, writing=True)

    def _flush(self) -> None:
        if self.sock is None or not self._out:
            return
        try:
            self._out = self._out[self.sock.send(self._out) :]
        except BlockingIOError:
            return
        except OSError as error:
            self.die(f"write: {errno.errorcode.get(error.errno or 0, str(error))}")
