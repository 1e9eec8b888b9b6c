"""Owns the outer ring of HTTP: foreign origins, body sizes, CORS, security headers, and the last catch.

Plain ASGI, one pass each; a WebSocket goes through without a frame of its own left on the stack. Refuses to
know who somebody is (`auth`) and what a route does.
"""

from __future__ import annotations

from collections.abc import Awaitable
from time import perf_counter
from typing import Any, Final

from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas import limits
from schemas.catalog import BY_NAME
from schemas.errors import Refused
from web import errors, logs
from web.metrics import Metrics
from web.origins import SAFE_METHODS, Peer, Standing, headers_of, peer_of, standing_of
from web.pages import content_security_policy
from web.settings import Settings

DOOR: Final = "/api/commands/"
_API_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'"
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
_ONE_YEAR: Final = (b"strict-transport-security", b"max-age=31536000")
_PREFLIGHT: Final = {
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "600",
}


def middleware(settings: Settings, metrics: Metrics) -> list[Middleware]:
    """The ring, outermost first."""
    return [Middleware(Watch, settings=settings, metrics=metrics), Middleware(Guard, settings=settings)]


def body_limit(path: str) -> int:
    """Bytes that a body to this path may have."""
    if path.startswith(DOOR):
        spec = BY_NAME.get(path[len(DOOR) :])
        if spec is not None and spec.bulk:
            return limits.BODY_BULK
    return limits.BODY


class Watch:
    """Outermost: security headers on every answer, request log, figures, and bugs shown as `internal`."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._log = logs.request_logger(settings.log.requests)
        self._page_policy = content_security_policy().encode()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        return self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        peer = peer_of(scope, headers, self._settings)
        scope["cascade.headers"], scope["cascade.peer"] = headers, peer
        started, status = perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._with_headers(message.get("headers", ()), peer)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:
            status = status or 499
        except Exception as error:
            response = errors.internal(error, scope["method"], scope["path"])
            if status:  # begun already: all that can be done is to break it off
                raise Broken from error
            await response(scope, receive, answer)
        finally:
            self._note(scope, status, perf_counter() - started, peer)

    def _with_headers(self, given: Any, peer: Peer) -> list[tuple[bytes, bytes]]:
        headers: list[tuple[bytes, bytes]] = list(given)
        names = dict(headers)
        if b"content-security-policy" not in names:
            is_page = names.get(b"content-type", b"").startswith(b"text/html")
            headers.append((b"content-security-policy", self._page_policy if is_page else _API_POLICY))
        headers += [entry for entry in _ALWAYS if entry[0] not in names]
        if peer.secure and self._settings.production:
            headers.append(_ONE_YEAR)
        return headers

    def _note(self, scope: Scope, status: int, seconds: float, peer: Peer) -> None:
        route = getattr(scope.get("route"), "path", None)
        self._metrics.request(scope["method"], route or "none", status, seconds)
        # A route's pattern where a parameter is a secret, so that the secret is in no log.
        path = route if route and "{secret" in route else scope["path"]
        self._log(scope["method"], path, status, round(seconds * 1000, 2), peer.address)


class Broken(Exception):
    """An answer failed after it had begun; the server closes the connection. Logged already."""


class Guard:
    """Refuses foreign pages' writes and bodies that are too large; answers CORS for allowed origins."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        headers: dict[str, str] = scope["cascade.headers"]
        standing = standing_of(headers, scope["cascade.peer"], self._settings)
        scope["cascade.standing"] = standing
        if standing is Standing.ALLOWED:
            send = _with_cors(send, headers["origin"])
        refused = judge(scope["method"], scope["path"], headers, standing)
        if isinstance(refused, Refused):
            return errors.refusal(refused)(scope, receive, send)
        if standing is Standing.ALLOWED and "access-control-request-method" in headers:
            return Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send)
        if scope["method"] in SAFE_METHODS:
            return self._app(scope, receive, send)
        return self._app(scope, _limited(receive, body_limit(scope["path"])), send)


def judge(method: str, path: str, headers: dict[str, str], standing: Standing) -> Refused | None:
    """The refusal that needs no more than the head of the request, or None."""
    if method in SAFE_METHODS:
        return None
    if standing is Standing.FOREIGN and "authorization" not in headers:
        text = "This came from another site's page; use this site, or a Bearer token from an allowed origin."
        return Refused("forbidden", text, field="headers.origin", d={"cap": None, "reason": "origin"})
    declared = headers.get("content-length", "0")
    limit = body_limit(path)
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        return too_large(limit, int(declared[:20]))
    return None


def too_large(limit: int, have: int) -> Refused:
    """The refusal of a body of `have` bytes, or of at least so many."""
    text = f"A body may have at most {limit} bytes here; send less."
    return Refused("too_large", text, field="body", d={"max": limit, "have": have})


def require_json(content_type: str | None) -> None:
    """Raise Refused unless the body is declared as JSON: other types could be posted by any site's form."""
    kind, _, parameters = (content_type or "").partition(";")
    if kind.strip().lower() != "application/json" or parameters.strip().lower() not in _JSON_PARAMETERS:
        text = "Send the body as `Content-Type: application/json`."
        raise Refused("bad_request", text, field="headers.content-type", d={"reason": "content_type"})


_JSON_PARAMETERS: Final = ("", "charset=utf-8", 'charset="utf-8"')


def _limited(receive: Receive, limit: int) -> Receive:
    have = 0

    async def counted() -> Message:
        nonlocal have
        message = await receive()
        if message["type"] == "http.request":
            have += len(message.get("body", b""))
            if have > limit:
                raise too_large(limit, have)
        return message

    return counted


def _with_cors(send: Send, origin: str) -> Send:
    allowed = [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", b"retry-after"),
        (b"cross-origin-resource-policy", b"cross-origin"),
        (b"vary", b"origin"),
    ]

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *allowed]
        await send(message)

    return answer
