"""Owns /api/channels/{channel}/chat: sending, reading and deleting messages as plain REST.

Refuses to decide anything: each request becomes the socket's command (PROTOCOL.md 5, 6) and takes the same way.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from chatcore.people.principal import Principal
from schemas.commands import History, MsgDelete
from schemas.errors import Refused
from schemas.resources import ChatQuery, ChatSend
from web.auth import peer, principal_of, signed_in
from web.rest.wire import answer, at, body_of, nothing, query_of, services_of

#: Statuses by outcome of msg.send; a slash command that was executed is 200.
_STATUS: Final = {"published": 201, "duplicate": 200, "held": 202}


async def send(request: Request) -> Response:
    """`d` of msg.send → 201 published, 200 duplicate, 202 held."""
    principal = await signed_in(request)
    body = await body_of(request, ChatSend)
    reply = await _run(request, principal, "msg.send", body.command())
    return answer(reply, _STATUS.get(reply.outcome, 200))


async def read(request: Request) -> Response:
    """`?before=n&limit=25` → `{"events","more"}`, ascending, deleted ones as tombstones."""
    principal = await principal_of(request)
    query = query_of(request, ChatQuery)
    history = History(before=query.before, limit=query.limit, kinds=["msg.new"])
    return answer(await _run(request, principal, "history", history))


async def delete(request: Request) -> Response:
    """204; gone already: 204."""
    principal = await signed_in(request)
    try:
        await _run(request, principal, "msg.delete", MsgDelete(mid=request.path_params["mid"]))
    except Refused as refused:
        if refused.code != "already":
            raise
    return nothing()


async def _run(request: Request, principal: Principal | None, t: str, d: Any) -> Any:
    services = services_of(request)
    ref: str = request.path_params["channel"]
    ch = (await services.channels.get(ref, principal)).id if ref.startswith("@") else ref
    return await services.chat.run(principal, t, ch, d, address=peer(request).address, via="rest")


routes = [
    at("/api/channels/{channel}/chat", POST=send, GET=read),
    at("/api/channels/{channel}/chat/{mid}", DELETE=delete),
]
