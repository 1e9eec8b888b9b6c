"""Owns the way from a request's credentials to the principal who acts: Bearer token first, else the cookie.

Refuses to know how tokens are kept (`chatcore.people`) and what anybody may do with a resource.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection, Request

from chatcore.people.principal import Principal
from schemas.errors import Refused
from web.cookies import token_in
from web.origins import (
    Peer,
    cookie_counts,
    cookie_counts_on_socket,
    headers_of,
    peer_of,
    secure_cookie,
    standing_of,
)


async def principal_of(connection: HTTPConnection) -> Principal | None:
    """Who acts, or None for an anonymous reader.

    A Bearer token must be good: Refused unauthenticated, token_expired, or rate_limited after too many bad
    ones. A cookie that is dead, or comes with a foreign Origin, is as good as none.
    """
    services = connection.app.state.services
    authorization = connection.headers.get("authorization")
    if authorization is not None:
        address = peer(connection).address
        return await services.people.authenticate(bearer(authorization), address=address)
    token = cookie_token(connection)
    if token is None:
        return None
    try:
        return await services.people.authenticate(token)
    except Refused as refused:
        if refused.status != 401:
            raise
        return None


async def signed_in(request: Request) -> Principal:
    """Who acts; Refused unauthenticated for an anonymous reader."""
    principal = await principal_of(request)
    if principal is None:
        raise Refused("unauthenticated", _why_not(request))
    return principal


def bearer(authorization: str) -> str:
    """The token of an Authorization header; Refused unauthenticated if it is anything else than a Bearer's."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or not token.isascii() or len(token) > 4096:
        raise Refused("unauthenticated", "Send `Authorization: Bearer` and a token.")
    return token


def cookie_token(connection: HTTPConnection) -> str | None:
    """The token of the session cookie, if there is one and the page that sends it may use it."""
    scope, settings = connection.scope, connection.app.state.services.settings
    headers = headers_of(scope)
    peer = peer_of(scope, headers, settings)
    standing = standing_of(headers, peer, settings)
    if scope["type"] == "websocket":
        counts = cookie_counts_on_socket(standing, headers)
    else:
        counts = cookie_counts(standing, scope["method"])
    return token_in(headers.get("cookie"), secure=secure_cookie(peer, settings)) if counts else None


def peer(connection: HTTPConnection) -> Peer:
    """Who is at the other end of this connection."""
    found: Peer | None = connection.scope.get("cascade.peer")
    if found is not None:
        return found
    settings = connection.app.state.services.settings
    return peer_of(connection.scope, headers_of(connection.scope), settings)


def _why_not(request: Request) -> str | None:
    if "cookie" not in request.headers or "origin" in request.headers:
        return None
    if request.headers.get("sec-fetch-site") or request.method in ("GET", "HEAD"):
        return None
    return "Sign in first; a cookie counts for writing only with an Origin header, a Bearer token always."
