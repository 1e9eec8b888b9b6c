"""Owns how a REST handler reads a body or query and writes an answer. Refuses to know any resource."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.codec import convert_query, decode_body, encode_payload
from schemas.errors import Refused
from web.security import require_json
from web.services import Services

T = TypeVar("T")

#: How long a body may take: whoever drips one in holds a task and nothing else, and not for ever.
BODY_SECONDS = 30


Handler = Callable[[Request], Awaitable[Response]]


def at(path: str, **handlers: Handler) -> Route:
    """One route for all methods of a path (`GET=…, POST=…`), so that a 405 names every one of them."""

    async def serve(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, serve, methods=list(handlers))


def services_of(request: Request) -> Services:
    """The services of the application that serves this request."""
    return request.app.state.services


async def bytes_of(request: Request) -> bytes:
    """The body, declared as JSON unless it is empty. Raises Refused too_large, bad_request."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            data = await request.body()
    except TimeoutError:
        text = f"The body did not arrive within {BODY_SECONDS} s; send it again at once."
        raise Refused("bad_request", text, field="body", d={"reason": "slow"}) from None
    if data:
        require_json(request.headers.get("content-type"))
    return data


async def body_of(request: Request, kind: type[T]) -> T:
    """The body as a structure of schemas.resources. Raises Refused naming the member that is wrong."""
    return decode_body(kind, await bytes_of(request))


def query_of(request: Request, kind: type[T]) -> T:
    """The parameters as a structure; of a repeated one the last counts. Raises Refused naming it."""
    return convert_query(kind, dict(request.query_params))


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`value` (a structure, or plain JSON types) as JSON. It is never stored: it may be one person's own."""
    every = {"cache-control": "no-store", **(headers or {})}
    return Response(encode_payload(value), status, headers=every, media_type="application/json")


def nothing(headers: dict[str, str] | None = None) -> Response:
    """204."""
    return Response(status_code=204, headers={"cache-control": "no-store", **(headers or {})})
