"""Owns /api/channels: making, finding, changing and deleting channels.

Refuses to decide who may do so: `chatcore.community` does.
"""

from __future__ import annotations

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from schemas import resources
from web.auth import principal_of, signed_in
from web.rest.wire import answer, at, body_of, nothing, query_of, services_of


async def create(request: Request) -> Response:
    """`{title,slug?,ownerId?,category?,tags?,mature?,visibility?}` → 201 Channel, with `streamKey` this once."""
    principal = await signed_in(request)
    body = await body_of(request, resources.ChannelCreate)
    channel, secret = await services_of(request).channels.create(principal, body)
    return answer(replace(channel, stream_key=secret), 201)


async def listing(request: Request) -> Response:
    """`?ownerId=&live=&upcoming=&category=&tag=&q=&limit=&cursor=` → `{"items","next"}`."""
    viewer = await principal_of(request)
    query = query_of(request, resources.ChannelQuery)
    items, following = await services_of(request).channels.list(query, viewer)
    return answer(resources.ChannelList(items=list(items), next=following))


async def read(request: Request) -> Response:
    """A channel by id or `@slug`; its policy is shown to its owner, its key to nobody."""
    viewer = await principal_of(request)
    return answer(await services_of(request).channels.get(request.path_params["channel"], viewer))


async def change(request: Request) -> Response:
    """The named members, `policy` too → Channel; unknown members are refused."""
    principal = await signed_in(request)
    changes = resources.changes(await body_of(request, resources.ChannelPatch))
    return answer(
        await services_of(request).channels.patch(principal, request.path_params["channel"], changes)
    )


async def delete(request: Request) -> Response:
    """204; 409 while it is live."""
    principal = await signed_in(request)
    await services_of(request).channels.delete(principal, request.path_params["channel"])
    return nothing()


routes = [
    at("/api/channels", POST=create, GET=listing),
    at("/api/channels/{channel}", GET=read, PATCH=change, DELETE=delete),
]
