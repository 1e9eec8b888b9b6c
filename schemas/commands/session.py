"""Commands of a connection and of rooms (PROTOCOL.md sections 4 and 5).

Owns their members and crude bounds. Refuses to judge anything.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from schemas.commands.bounds import Limit, at_most_one
from schemas.values import (
    Count,
    Cursor,
    Fault,
    Id,
    Payload,
    Pos,
    Secret,
    StreamName,
)

# -- section 4: session --------------------------------------------------------------------------------------


class GuestLogin(Payload, frozen=True):
    """Enter as a guest; `token` is the `guestToken` of an earlier visit."""

    name: Annotated[str, Meta(max_length=200)]
    token: Secret | None = None


class ClientInfo(Payload, frozen=True):
    """What speaks; for the operator's logs only."""

    name: Annotated[str, Meta(max_length=64)] = ""
    ver: Annotated[str, Meta(max_length=64)] = ""


class ResumePoint(Payload, frozen=True):
    """One stream to go on with, after `pos`. `ch` is absent for `me`."""

    s: StreamName
    pos: Pos
    ch: Id | None = None

    def __post_init__(self) -> None:
        if self.s != "me" and self.ch is None:
            raise Fault("ch", "missing", "Say which channel's stream to resume: add `ch`.")


class Auth(Payload, frozen=True):
    """Exactly one of `token`, `guest`, or none (the cookie's user, else an anonymous reader)."""

    token: Secret | None = None
    guest: GuestLogin | None = None
    client: ClientInfo | None = None
    want: Annotated[list[Annotated[str, Meta(max_length=32)]], Meta(max_length=32)] | None = None
    resume: Annotated[list[ResumePoint], Meta(max_length=201)] = field(default_factory=list[ResumePoint])

    def __post_init__(self) -> None:
        at_most_one("guest", "Give `token` or `guest`, not both.", self.token, self.guest)


class Pong(Payload, frozen=True):
    """Life sign; has no `id` and no reply."""


# -- section 5: rooms ----------------------------------------------------------------------------------------


class RoomJoin(Payload, frozen=True):
    """Join a channel's room (`ch` may be `@slug`); with `pos`, go on from there."""

    pos: Pos | None = None


class RoomLeave(Payload, frozen=True):
    """Leave a joined room."""


class RoomState(Payload, frozen=True):
    """Ask for the present state of a room."""


class RoomWho(Payload, frozen=True):
    """Ask who is present: staff first, then by name."""

    cursor: Cursor | None = None
    limit: Limit = 100


class History(Payload, frozen=True):
    """Read a stream; at most one of the exclusive bounds, none = newest. The result is ascending."""

    s: StreamName = "room"
    before: Count | None = None
    after: Count | None = None
    around: Count | None = None
    limit: Limit = 50
    kinds: Annotated[list[Annotated[str, Meta(max_length=32)]], Meta(max_length=32)] | None = None

    def __post_init__(self) -> None:
        at_most_one(
            "before", "Give one of `before`, `after` and `around`.", self.before, self.after, self.around
        )
