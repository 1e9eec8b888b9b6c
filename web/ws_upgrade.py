"""From an HTTP request to an upgraded connection: the opening handshake (RFC 6455 section 4.2).

Owns: uvicorn's side of a WebSocket: checking the handshake, the ASGI scope, accept and refusal.
Refuses to know: frames (ws_protocol.py takes the transport over), and what the application wants with it.

uvicorn parses the request with h11, finds the upgrade and makes one of these (`Config(ws=…)`). The
application finds the wire in `scope["extensions"]["cascade.wire"]`; once it has accepted and called `attach`,
it returns, and this object, the ASGI task, the scope and the headers are freed. An application that does not
attach can refuse, nothing else. This rests on how uvicorn 0.54 calls its protocol class, which is therefore
pinned; tests/contract/wire holds the behaviour at byte level.
"""

import asyncio
import base64
import binascii
import hashlib
import http
import logging
from collections.abc import Iterable
from typing import Any, Final, cast
from urllib.parse import unquote

from web.ws_protocol import SocketWire

_log = logging.getLogger(__name__)

EXTENSION: Final = "cascade.wire"
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Headers = list[tuple[bytes, bytes]]


class WireUpgrade(asyncio.Protocol):
    """One handshake. The constructor's arguments are uvicorn's; `configured` gives the class its numbers."""

    send_buffer = 64 * 1024
    """SO_SNDBUF in bytes (Linux doubles it for its own accounting); 0 leaves the system's default."""

    def __init__(
        self,
        config: Any,
        server_state: Any,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._app = config.loaded_app
        self._root_path: str = config.root_path
        self._asgi_version: str = config.asgi_version
        self._app_state = app_state
        self._tasks: set[asyncio.Task[None]] = server_state.tasks
        self._default_headers: Headers = server_state.default_headers
        self.connections: set[object] = server_state.connections
        self.max_message: int = config.ws_max_size
        self.peer = ""
        self._transport: asyncio.Transport | None = None
        self._key = b""
        self._early: bytes | None = None
        self._accepted = False
        self._refusal: tuple[int, Headers, list[bytes]] | None = None
        self._told_connect = False
        self._gone: asyncio.Event | None = None

    # What uvicorn and asyncio call

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """uvicorn: the connection whose request asks for an upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        self.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """uvicorn: first the request, as it wrote it down itself from what h11 has parsed and checked.
        asyncio: then whatever comes before `attach`, which is kept for the wire within its limit."""
        if self._early is None:
            self._early = b""
            self._begin(data)
            return
        self._early += data
        if len(self._early) > self.max_message and self._transport is not None:
            self._transport.abort()

    def eof_received(self) -> None:
        """asyncio: the peer will send nothing more; the transport closes itself."""

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the peer has left before the wire had the connection."""
        self.connections.discard(self)
        if self._gone is not None:
            self._gone.set()

    def pause_writing(self) -> None:
        """asyncio: a refusal is larger than the kernel takes at once; it waits in the transport."""

    def resume_writing(self) -> None:
        """asyncio: the same, gone."""

    def shutdown(self) -> None:
        """uvicorn: the server stops in the middle of the handshake."""
        if not self._accepted:
            self._answer(503, [(b"retry-after", b"1")], b"The server is stopping.\n")

    # The handshake

    def _begin(self, request: bytes) -> None:
        head, _, rest = request.partition(b"\r\n")
        method, target, _ = head.split(b" ", 2)
        headers: Headers = []
        for line in rest.split(b"\r\n"):
            name, found, value = line.partition(b": ")
            if found:
                headers.append((name, value))
        fault = self._fault(method, headers)
        if fault:
            self._answer(fault[0], [(b"sec-websocket-version", b"13")], fault[1].encode() + b"\n")
            return
        task = asyncio.get_running_loop().create_task(self._run(self._scope(target, headers)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _fault(self, method: bytes, headers: Headers) -> tuple[int, str] | None:
        if method != b"GET":
            return 400, "A WebSocket begins with GET."
        if _values(headers, b"sec-websocket-version") != [b"13"]:
            return 426, "Sec-WebSocket-Version must be 13."
        keys = _values(headers, b"sec-websocket-key")
        if len(keys) != 1 or not _is_key(keys[0]):
            return 400, "Sec-WebSocket-Key must be there once and hold 16 bytes in base64."
        self._key = keys[0]
        return None

    def _scope(self, target: bytes, headers: Headers) -> dict[str, Any]:
        assert self._transport is not None
        client = _address(self._transport.get_extra_info("peername"))
        self.peer = client[0] if client else ""
        path, _, query = target.partition(b"?")
        offered = b",".join(_values(headers, b"sec-websocket-protocol")).decode("latin-1")
        return {
            "type": "websocket",
            "asgi": {"version": self._asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if self._transport.get_extra_info("sslcontext") else "ws",
            "server": _address(self._transport.get_extra_info("sockname")),
            "client": client,
            "root_path": self._root_path,
            "path": self._root_path + unquote(path.decode("ascii")),
            "raw_path": self._root_path.encode("ascii") + path,
            "query_string": query,
            "headers": headers,
            "subprotocols": [name for each in offered.split(",") if (name := each.strip())],
            "state": self._app_state.copy(),
            "extensions": {"websocket.http.response": {}, EXTENSION: SocketWire(self)},
        }

    async def _run(self, scope: dict[str, Any]) -> None:
        try:
            await self._app(scope, self._receive, self._send)
        except Exception:
            _log.exception("the application failed during a WebSocket handshake")
        if self._transport is not None and not self._transport.is_closing():
            if not self._accepted:
                self._answer(500, [], b"Internal Server Error\n")
            # Accepted and not attached: there is nobody to speak to.
            self._transport.close()

    # ASGI

    async def _receive(self) -> dict[str, Any]:
        if not self._told_connect:
            self._told_connect = True
            return {"type": "websocket.connect"}
        if self._gone is None:
            self._gone = asyncio.Event()
        if self._transport is not None and not self._transport.is_closing():
            await self._gone.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if self._accepted or self._transport is None or self._transport.is_closing():
            # Refused already, or the peer has left: whoever attaches is told of that by `lost`.
            self._accepted = self._accepted or kind == "websocket.accept"
        elif kind == "websocket.accept":
            self._accept(message.get("subprotocol"), message.get("headers", ()))
        elif kind == "websocket.close":
            self._answer(403, [], b"")
        elif kind == "websocket.http.response.start":
            self._refusal = (message["status"], list(message.get("headers", ())), [])
        elif kind == "websocket.http.response.body" and self._refusal is not None:
            status, headers, parts = self._refusal
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                self._answer(status, headers, b"".join(parts))
        else:
            raise RuntimeError(f"{kind} is not for a WebSocket that is not accepted yet")

    def _accept(self, subprotocol: str | None, headers: Iterable[tuple[bytes, bytes]]) -> None:
        assert self._transport is not None
        self._accepted = True
        proof = base64.b64encode(hashlib.sha1(self._key + _GUID).digest())  # noqa: S324 - RFC 6455 says so
        lines = [b"HTTP/1.1 101 Switching Protocols", b"upgrade: websocket", b"connection: Upgrade"]
        lines.append(b"sec-websocket-accept: " + proof)
        if subprotocol:
            lines.append(b"sec-websocket-protocol: " + subprotocol.encode("ascii"))
        lines += [name + b": " + value for name, value in (*self._default_headers, *headers)]
        self._transport.write(b"\r\n".join((*lines, b"", b"")))

    def _answer(self, status: int, headers: Headers, body: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        phrase = http.HTTPStatus(status).phrase.encode("ascii")
        lines = [b"HTTP/1.1 %d %s" % (status, phrase), b"connection: close"]
        names = {name.lower() for name, _ in headers}
        if b"content-type" not in names:
            lines.append(b"content-type: text/plain; charset=utf-8")
        if b"content-length" not in names:
            lines.append(b"content-length: %d" % len(body))
        lines += [name + b": " + value for name, value in (*self._default_headers, *headers)]
        self._transport.write(b"\r\n".join((*lines, b"", body)))
        self._transport.close()

    def release(self) -> tuple[asyncio.Transport, bytes]:
        """Handover: the transport is the wire's from here on."""
        transport, self._transport = self._transport, None
        if transport is None or not self._accepted:
            raise RuntimeError("accept first, then attach, once")
        return transport, self._early or b""


def configured(*, send_buffer: int) -> type[WireUpgrade]:
    """A protocol class for uvicorn's `ws=` with this SO_SNDBUF."""
    return type("ConfiguredWireUpgrade", (WireUpgrade,), {"send_buffer": send_buffer})


def _values(headers: Headers, name: bytes) -> list[bytes]:
    return [value.strip() for key, value in headers if key == name]


def _is_key(value: bytes) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == 16
    except binascii.Error:
        return False


def _address(found: Any) -> tuple[str, int] | None:
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) else None  # pyright: ignore[reportUnknownArgumentType] - a socket's own words
