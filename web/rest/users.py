"""Owns /api/users: accounts as an administrator and as their holders manage them.

Refuses to decide who may see or change what: `chatcore.people` does.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from schemas import resources
from web.auth import peer, principal_of, signed_in
from web.rest.wire import answer, at, body_of, query_of, services_of


async def create(request: Request) -> Response:
    """`{displayName,email,roles?,password?}` → 201 User, with `inviteUrl` if it has no password."""
    principal = await signed_in(request)
    body = await body_of(request, resources.UserCreate)
    return answer(await services_of(request).people.create_user(principal, body), 201)


async def listing(request: Request) -> Response:
    """`?q=&limit=&cursor=` → `{"items","next"}`."""
    principal = await signed_in(request)
    query = query_of(request, resources.UserQuery)
    return answer(await services_of(request).people.list_users(principal, query))


async def read(request: Request) -> Response:
    """A user by id or `@name`; he himself and administrators also see email and roles."""
    viewer = await principal_of(request)
    return answer(await services_of(request).people.get_user(request.path_params["user"], viewer))


async def change(request: Request) -> Response:
    """`{displayName?,email?,password?,currentPassword?,roles?}` → User; unknown members are refused."""
    principal = await signed_in(request)
    changes = resources.changes(await body_of(request, resources.UserPatch))
    people = services_of(request).people
    return answer(
        await people.patch_user(
            principal, request.path_params["user"], changes, address=peer(request).address
        )
    )


async def delete(request: Request) -> Response:
    """`?messages=erase|anonymise` → 202: what he wrote goes in its own time."""
    principal = await signed_in(request)
    query = query_of(request, resources.UserDelete)
    await services_of(request).people.delete_user(principal, request.path_params["user"], query.messages)
    return Response(status_code=202, headers={"cache-control": "no-store"})


routes = [
    at("/api/users", POST=create, GET=listing),
    at("/api/users/{user}", GET=read, PATCH=change, DELETE=delete),
]
