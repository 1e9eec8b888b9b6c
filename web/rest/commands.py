"""Owns the commands door: `POST /api/commands/{t}` runs a socket command for the bearer.

Refuses to know any command: the codec types it, `services.chat` runs it as the socket would.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from schemas.codec import decode_door
from web.auth import peer, principal_of
from web.rest.wire import answer, at, bytes_of, services_of


async def run(request: Request) -> Response:
    """`{"ch"?,"d"?}` → the command's `d`, or its error."""
    services = services_of(request)
    principal = await principal_of(request)
    command = decode_door(request.path_params["t"], await bytes_of(request))
    address = peer(request).address
    return answer(
        await services.chat.run(principal, command.t, command.ch, command.d, address=address, via="rest")
    )


routes = [at("/api/commands/{t}", POST=run)]
