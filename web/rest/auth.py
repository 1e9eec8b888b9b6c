"""Owns /api/auth: signing up, in and out, and one's own sessions; puts the session into the cookie.

Refuses to judge passwords, names and codes: `chatcore.people` does.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from chatcore.people.principal import SignedIn
from schemas import resources
from schemas.errors import Refused
from web import logs
from web.auth import peer, signed_in
from web.cookies import clear_cookie, set_cookie
from web.origins import secure_cookie
from web.rest.wire import answer, at, body_of, nothing, services_of

_DAY_S = 86_400


async def sign_up(request: Request) -> Response:
    """`{displayName,name?,email,password,code?}` → 201 `{token,expiresAt,user}` and the cookie."""
    body = await body_of(request, resources.Signup)
    who = peer(request)
    made = await services_of(request).people.signup(
        display_name=body.display_name,
        name=body.name,
        email=body.email,
        password=body.password,
        code=body.code,
        address=who.address,
        loopback=who.loopback,
        agent=request.headers.get("user-agent", ""),
    )
    return _welcome(request, made, 201)


async def log_in(request: Request) -> Response:
    """`{email or name,password}` → 200 `{token,expiresAt,user}` and the cookie; wrong is 401, not saying what."""
    body = await body_of(request, resources.Login)
    address = peer(request).address
    agent = request.headers.get("user-agent", "")
    people = services_of(request).people
    try:
        made = await people.login(body.email or body.name or "", body.password, address=address, agent=agent)
    except Refused as refused:
        if refused.code == "unauthenticated":
            logs.login_failed(address)
        raise
    return _welcome(request, made, 200)


async def session(request: Request) -> Response:
    """The session that asks: `{user,expiresAt,createdAt}`."""
    principal = await signed_in(request)
    return answer(await services_of(request).people.session(principal))


async def log_out(request: Request) -> Response:
    """End the session that asks; its sockets close with 4006."""
    principal = await signed_in(request)
    await services_of(request).people.logout(principal)
    cookie = clear_cookie(secure=secure_cookie(peer(request), services_of(request).settings))
    return nothing({"set-cookie": cookie})


async def sessions(request: Request) -> Response:
    """One's own sessions, the newest first."""
    principal = await signed_in(request)
    return answer(await services_of(request).people.list_sessions(principal))


async def end_session(request: Request) -> Response:
    """End one of one's own sessions."""
    principal = await signed_in(request)
    await services_of(request).people.revoke_session(principal, request.path_params["id"])
    return nothing()


def _welcome(request: Request, made: SignedIn, status: int) -> Response:
    settings = services_of(request).settings
    cookie = set_cookie(
        made.token,
        secure=secure_cookie(peer(request), settings),
        max_age=settings.accounts.session_days * _DAY_S,
    )
    body = resources.SignedIn(token=made.token, expires_at=made.expires_at, user=made.user)
    return answer(body, status, {"set-cookie": cookie})


routes = [
    at("/api/auth/signup", POST=sign_up),
    at("/api/auth/login", POST=log_in),
    at("/api/auth/session", GET=session, DELETE=log_out),
    at("/api/auth/sessions", GET=sessions),
    at("/api/auth/sessions/{id}", DELETE=end_session),
]
