"""The one table of REST endpoints (PROTOCOL.md section 16): method, path, bodies, statuses, who may.

Owns what OpenAPI and the tests' matrix are made from. Refuses to route: `web` does, and a test compares its
routes with this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from schemas import resources as r
from schemas.replies import MsgSendReply

Who = Literal["all", "user", "self", "self or admin", "admin", "creator", "owner", "readers", "staff"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One REST endpoint.

    `path` has its parameters in braces. `statuses` are those of success, each with the reply (`reply` None:
    no body, or what `media` says). `refusals` are codes of `schemas.codes` beyond those any request may get.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    summary: str
    who: Who
    statuses: tuple[int, ...]
    reply: type[Struct] | None = None
    body: type[Struct] | None = None
    query: type[Struct] | None = None
    refusals: tuple[str, ...] = ()
    media: str | None = None
    tag: str = ""


def _auth() -> tuple[Endpoint, ...]:
    base = "/api/auth"
    return (
        Endpoint(
            "POST",
            f"{base}/signup",
            "Make an account and sign in. The first account of an empty instance administers it.",
            "all",
            (201,),
            r.SignedIn,
            r.Signup,
            refusals=("conflict", "forbidden", "rate_limited", "banned"),
        ),
        Endpoint(
            "POST",
            f"{base}/login",
            "Sign in. A wrong name and a wrong password are not told apart.",
            "all",
            (200,),
            r.SignedIn,
            r.Login,
            refusals=("unauthenticated", "rate_limited", "banned"),
        ),
        Endpoint("GET", f"{base}/session", "The session of this request.", "self", (200,), r.SessionInfo),
        Endpoint("DELETE", f"{base}/session", "Sign out; its sockets close with 4006.", "self", (204,)),
        Endpoint("GET", f"{base}/sessions", "One's sessions.", "self", (200,), r.SessionList),
        Endpoint(
            "DELETE",
            f"{base}/sessions/{{id}}",
            "End one of one's sessions.",
            "self",
            (204,),
            refusals=("not_found",),
        ),
    )


def _users() -> tuple[Endpoint, ...]:
    base = "/api/users"
    one = f"{base}/{{user}}"
    return (
        Endpoint(
            "POST",
            base,
            "Make an account for somebody; without a password the answer has an invitation, once.",
            "admin",
            (201,),
            r.User,
            r.UserCreate,
            refusals=("conflict",),
        ),
        Endpoint("GET", base, "List users.", "admin", (200,), r.UserList, query=r.UserQuery),
        Endpoint("GET", one, "A user, by id or @name.", "all", (200,), r.User, refusals=("not_found",)),
        Endpoint(
            "PATCH",
            one,
            "Change a user; roles by administrators only.",
            "self or admin",
            (200,),
            r.User,
            r.UserPatch,
            refusals=("not_found", "conflict"),
        ),
        Endpoint(
            "DELETE",
            one,
            "Delete a user; 409 while he owns channels.",
            "self or admin",
            (202,),
            query=r.UserDelete,
            refusals=("not_found", "conflict"),
        ),
    )


def _channels() -> tuple[Endpoint, ...]:
    base = "/api/channels"
    one = f"{base}/{{channel}}"
    return (
        Endpoint(
            "POST",
            base,
            "Make a channel; the answer has its stream key, once.",
            "creator",
            (201,),
            r.Channel,
            r.ChannelCreate,
            refusals=("conflict",),
        ),
        Endpoint("GET", base, "List channels.", "all", (200,), r.ChannelList, query=r.ChannelQuery),
        Endpoint("GET", one, "A channel, by id or @slug.", "all", (200,), r.Channel, refusals=("not_found",)),
        Endpoint(
            "PATCH",
            one,
            "Change a channel.",
            "owner",
            (200,),
            r.Channel,
            r.ChannelPatch,
            refusals=("not_found", "conflict"),
        ),
        Endpoint(
            "DELETE",
            one,
            "Delete a channel; 409 while it is live.",
            "owner",
            (204,),
            refusals=("not_found", "conflict"),
        ),
    )


def _chat() -> tuple[Endpoint, ...]:
    base = "/api/channels/{channel}/chat"
    return (
        Endpoint(
            "POST",
            base,
            "Say something: 201 published, 200 duplicate or command, 202 held.",
            "user",
            (201, 200, 202),
            MsgSendReply,
            r.ChatSend,
            refusals=(
                "banned",
                "timed_out",
                "rate_limited",
                "slow_mode",
                "too_long",
                "empty",
                "term",
                "link",
                "spam",
                "not_found",
                "conflict",
            ),
        ),
        Endpoint(
            "GET",
            base,
            "Read chat, newest page first, ascending within it.",
            "readers",
            (200,),
            r.ChatPage,
            query=r.ChatQuery,
            refusals=("not_found",),
        ),
        Endpoint(
            "DELETE",
            f"{base}/{{mid}}",
            "Delete a message; one that is gone already is 204 too.",
            "user",
            (204,),
            refusals=("not_found",),
        ),
    )


def _tokens() -> tuple[Endpoint, ...]:
    base = "/api/tokens"
    return (
        Endpoint("POST", base, "Make a token, shown once.", "self", (201,), r.TokenCreated, r.TokenCreate),
        Endpoint("GET", base, "One's tokens.", "self", (200,), r.TokenList, query=r.PageQuery),
        Endpoint(
            "DELETE",
            f"{base}/{{id}}",
            "Revoke a token; its sockets close with 4505.",
            "self",
            (204,),
            refusals=("not_found",),
        ),
    )


def _operations() -> tuple[Endpoint, ...]:
    return (
        Endpoint("GET", "/healthz", "The health of the whole and of its parts.", "all", (200, 503), r.Health),
        Endpoint("GET", "/livez", "Whether the process answers.", "all", (200,), r.Health),
        Endpoint("GET", "/readyz", "Whether it takes work; not while draining.", "all", (200, 503), r.Health),
        Endpoint("GET", "/metrics", "Figures for Prometheus.", "all", (200,), media="text/plain"),
        Endpoint("GET", "/api/openapi.json", "This description.", "all", (200,), media="application/json"),
        Endpoint(
            "GET",
            "/api/asyncapi.json",
            "The description of the socket.",
            "all",
            (200,),
            media="application/json",
        ),
    )


def _tagged(tag: str, endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    return tuple(
        Endpoint(
            e.method, e.path, e.summary, e.who, e.statuses, e.reply, e.body, e.query, e.refusals, e.media, tag
        )
        for e in endpoints
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    *_tagged("auth", _auth()),
    *_tagged("users", _users()),
    *_tagged("channels", _channels()),
    *_tagged("chat", _chat()),
    *_tagged("tokens", _tokens()),
    *_tagged("operations", _operations()),
)
"""Every REST endpoint but the commands door, whose endpoints follow from `schemas.catalog`."""

DOOR_PATH = "/api/commands/{t}"
