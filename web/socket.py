"""Owns the WebSocket route: from an ASGI scope to a session on the wire, and nothing in between (protocol 1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chatcore.limits import address_key
from chatcore.people.principal import Principal
from chatcore.session.sessions import Sessions
from schemas.errors import Disconnect, Refused
from schemas.limits import SUBPROTOCOL
from web.cookies import token_in
from web.origins import cookie_counts_on_socket, headers_of, peer_of, secure_cookie, standing_of
from web.settings import Settings

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Authenticate = Callable[[str], Awaitable[Principal]]


class SocketDoor:
    """The ASGI application of `/ws`. `sessions` is set when the process is ready."""

    def __init__(self, settings: Settings, sessions: Sessions, authenticate: Authenticate) -> None:
        self._settings = settings
        self._sessions = sessions
        self._authenticate = authenticate
        self._addresses: dict[str, int] = {}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Accept, attach the session to the wire, and return: from there on the wire calls the session."""
        await receive()
        headers = headers_of(scope)
        peer = peer_of(scope, headers, self._settings)
        offered = scope["subprotocols"]
        accept: dict[str, Any] = {"type": "websocket.accept"}
        if SUBPROTOCOL in offered:
            accept["subprotocol"] = SUBPROTOCOL
        cookie = self._cookie(headers, peer)
        wire = scope["extensions"]["cascade.wire"]
        await send(accept)
        connection = self._sessions.open(wire, peer.address, cookie)
        wire.attach(connection)
        if SUBPROTOCOL not in offered and any(name.startswith("cascade.") for name in offered):
            connection.bye(Disconnect(4507, f"This server speaks {SUBPROTOCOL}."))
            return
        if self._sessions.draining:
            connection.bye(Disconnect(4001, after_ms=500))
            return
        self._count(connection, address_key(peer.address))

    def _cookie(self, headers: dict[str, str], peer: Any) -> Callable[[], Awaitable[Principal | None]] | None:
        standing = standing_of(headers, peer, self._settings)
        if "cookie" not in headers or not cookie_counts_on_socket(standing, headers):
            return None
        token = token_in(headers["cookie"], secure=secure_cookie(peer, self._settings))
        if token is None:
            return None
        authenticate = self._authenticate

        async def principal() -> Principal | None:
            try:
                return await authenticate(token)
            except Refused as refusal:
                if refusal.status != 401:
                    raise
                return None

        return principal

    def _count(self, connection: Any, key: str) -> None:
        """Connections of one address are bounded (close 4504)."""
        here = self._addresses.get(key, 0) + 1
        self._addresses[key] = here
        connection.on_lost = lambda: self._uncount(key)
        if self._settings.limits.enabled and here > self._settings.socket.per_address:
            connection.bye(Disconnect(4504))

    def _uncount(self, key: str) -> None:
        left = self._addresses.get(key, 0) - 1
        if left > 0:
            self._addresses[key] = left
        else:
            self._addresses.pop(key, None)
