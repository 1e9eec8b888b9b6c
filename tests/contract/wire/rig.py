"""A server in this process, a sink that takes notes, and a client that speaks bytes."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from web.server import DrainingServer, make_server
from web.ws_protocol import SocketWire
from web.ws_upgrade import EXTENSION

REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
ACCEPT_KEY = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
DEADLINE = 10.0


class NotingSink:
    """Everything that a wire told, in order. Setting `on_text` lets a test answer."""

    def __init__(self, wire: SocketWire) -> None:
        self.wire = wire
        self.texts: list[bytes] = []
        self.binaries = 0
        self.reads = 0
        self.drains = 0
        self.codes: list[int] = []
        self.on_text: Callable[[bytes], None] = lambda data: None

    def text(self, data: bytes) -> None:
        assert not self.codes, "a message after the end"
        self.texts.append(data)
        self.on_text(data)

    def binary(self) -> None:
        self.binaries += 1

    def alive(self) -> None:
        self.reads += 1

    def drained(self) -> None:
        self.drains += 1

    def lost(self, code: int) -> None:
        self.codes.append(code)


class Rig:
    """The running server and the sinks of its connections, oldest first."""

    def __init__(self, server: DrainingServer, port: int) -> None:
        self.server = server
        self.port = port
        self.sinks: list[NotingSink] = []
        self.before_accept: Callable[[], Awaitable[None]] | None = None
        self.clients: list[RawClient] = []
        self.disconnects: list[int] = []
        self.scopes: list[dict[str, Any]] = []

    async def connect(self, *, receive_buffer: int | None = None, request: bytes = REQUEST) -> "RawClient":
        """A client that has sent its request and read nothing. Closed with the rig."""
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client = RawClient(sock)
        self.clients.append(client)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        await client.send(request)
        return client

    async def open(self, *, receive_buffer: int | None = None) -> "RawClient":
        """A client with the handshake behind it."""
        client = await self.connect(receive_buffer=receive_buffer)
        head = await client.head()
        assert head.startswith(b"HTTP/1.1 101"), head
        assert ACCEPT_KEY in head
        assert b"extensions" not in head.lower()
        return client

    async def sink(self, index: int = 0) -> NotingSink:
        await until(lambda: len(self.sinks) > index)
        return self.sinks[index]

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
            await send({"type": "http.response.body", "body": b"hello"})
            return
        self.scopes.append(scope)
        await receive()
        if scope["path"] == "/closed":
            await send({"type": "websocket.close"})
        elif scope["path"] == "/denied":
            headers = [(b"content-type", b"application/json")]
            await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": b'{"why"', "more_body": True})
            await send({"type": "websocket.http.response.body", "body": b":1}"})
        elif scope["path"] == "/broken":
            raise LookupError("for the log")
        elif scope["path"] == "/waiting":
            self.disconnects.append((await receive())["code"])
        else:
            wire: SocketWire = scope["extensions"][EXTENSION]
            sink = NotingSink(wire)
            if self.before_accept is not None:
                await self.before_accept()
            await send({"type": "websocket.accept"})
            wire.attach(sink)
            self.sinks.append(sink)


@asynccontextmanager
async def running(**settings: Any):
    """A Rig that serves on a free port of 127.0.0.1."""
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    application: list[Any] = []

    async def forward(scope: Any, receive: Any, send: Any) -> None:
        await application[0](scope, receive, send)

    rig = Rig(make_server(forward, **settings), sock.getsockname()[1])
    application.append(rig.application)
    serving = asyncio.create_task(rig.server.serve(sockets=[sock]))
    try:
        await until(lambda: rig.server.started)
        yield rig
    finally:
        for client in rig.clients:
            client.close()
        rig.server.should_exit = True
        await asyncio.wait_for(serving, DEADLINE)
        sock.close()


class RawClient:
    """A socket and the bytes that a WebSocket client would send; what it receives, it keeps as bytes."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._rest = b""

    async def send(self, data: bytes) -> None:
        await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(self.sock, data), DEADLINE)

    async def head(self) -> bytes:
        """Everything up to the empty line after the headers."""
        while b"\r\n\r\n" not in self._rest:
            if not await self._more():
                break
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return head

    async def frame(self) -> tuple[int, bytes] | None:
        """The next frame as (opcode, payload); None at the end of the stream."""
        start, size = 2, -1
        while True:
            if len(self._rest) >= 2 and size < 0:
                assert not self._rest[0] & 0x70, "a reserved bit is set"
                assert self._rest[1] < 0x80, "a server does not mask"
                width = {126: 2, 127: 8}.get(self._rest[1], 0)
                if len(self._rest) >= 2 + width:
                    start = 2 + width
                    size = int.from_bytes(self._rest[2:start], "big") if width else self._rest[1]
            if size >= 0 and len(self._rest) >= start + size:
                opcode, payload = self._rest[0] & 0x0F, self._rest[start : start + size]
                self._rest = self._rest[start + size :]
                return opcode, payload
            if not await self._more():
                assert not self._rest, f"the stream ends inside a frame: {self._rest[:20]!r}"
                return None

    async def rest(self) -> bytes:
        """Everything up to the end of the stream."""
        while await self._more():
            pass
        return self._rest

    async def ended(self) -> bool:
        """True: the server closed or reset the connection, and sent nothing more before."""
        return not await self._more() and not self._rest

    def vanish(self) -> None:
        """Reset the connection."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()

    async def _more(self) -> bool:
        data = b""
        with suppress(ConnectionResetError):
            data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, 65536), DEADLINE)
        self._rest += data
        return bool(data)


def masked(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """A frame as a client sends it."""
    key = b"\x0f\xf0\x55\xaa"
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([0x80 | 127]) + size.to_bytes(8, "big")
    return head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


async def until(condition: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Give the loop turns until the condition holds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        assert loop.time() < end, "waited in vain"
        await asyncio.sleep(0.002)


async def turns(count: int = 10) -> None:
    """Give the loop turns; over loopback, what was sent before is read in the first of them."""
    for _ in range(count):
        await asyncio.sleep(0)
