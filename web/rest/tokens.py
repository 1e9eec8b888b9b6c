"""Owns /api/tokens: the tokens that somebody signed in makes for bots, overlays and himself.

Refuses to know what a token may do: `chatcore.people` keeps its scopes, rooms judge by them.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from schemas import resources
from web.auth import signed_in
from web.rest.wire import answer, at, body_of, nothing, query_of, services_of


async def create(request: Request) -> Response:
    """`{kind,name,channels,scopes,expiresAt?}` → 201 `{id,token,user}`; the token is shown this once."""
    principal = await signed_in(request)
    body = await body_of(request, resources.TokenCreate)
    return answer(await services_of(request).people.create_token(principal, body), 201)


async def listing(request: Request) -> Response:
    """One's own tokens, without their secrets."""
    principal = await signed_in(request)
    query = query_of(request, resources.PageQuery)
    return answer(await services_of(request).people.list_tokens(principal, query))


async def revoke(request: Request) -> Response:
    """End a token; its sockets close with 4505."""
    principal = await signed_in(request)
    await services_of(request).people.revoke_token(principal, request.path_params["id"])
    return nothing()


routes = [
    at("/api/tokens", POST=create, GET=listing),
    at("/api/tokens/{id}", DELETE=revoke),
]
