"""Events of a connection, of streams and of presence (PROTOCOL.md sections 3 to 5).

Owns their members. Refuses to know who hears them.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, field

from schemas.replies import RoomJoinReply
from schemas.values import (
    Maybe,
    Payload,
    Pos,
    RoomState,
    UserRef,
    You,
)

# -- section 4: session --------------------------------------------------------------------------------------


class HelloLimits(Payload, frozen=True):
    """What this server takes: bytes a frame, commands in flight, channels, code points, events a page."""

    frame: int
    in_flight: int
    channels: int
    text: int
    history: int


class Hello(Payload, frozen=True):
    """The first frame of every connection."""

    v: int
    server: str
    ping_ms: int
    pong_ms: int
    auth_ms: int
    limits: HelloLimits


class Ping(Payload, frozen=True):
    """Answer with `pong`, or with anything else."""

    now: int


class Head(Payload, frozen=True):
    """Where a quiet stream stands; whoever has less reads `history {"after": n}`."""

    pos: Pos


class Goaway(Payload, frozen=True):
    """A planned restart: open the new socket in `reconnectInMs`, the old one closes by `deadlineMs`."""

    reason: str
    reconnect_in_ms: int
    deadline_ms: int


class Bye(Payload, frozen=True):
    """Why the server closes now. `afterMs` is absent where reconnecting makes no sense."""

    close: int
    code: str | None
    reason: str
    retry: Literal["reconnect", "never"]
    after_ms: Maybe[int] = UNSET


class ResumeDone(Payload, frozen=True):
    """A resumed stream has caught up; `state` and `you` for `room` only."""

    pos: Pos
    state: Maybe[RoomState] = UNSET
    you: Maybe[You] = UNSET


class RoomSnapshot(RoomJoinReply, frozen=True):
    """A new start where a resume was refused; `d` is that of the reply of `room.join`."""


class StreamOpen(Payload, frozen=True):
    """A stream begins for this reader, after `pos`."""

    pos: Pos


class StreamClosed(Payload, frozen=True):
    """A stream ends for this reader, at `pos`."""

    pos: Pos


class Skip(Payload, frozen=True):
    """Numbers `from` up to this event's own n (both included) were erased or have expired."""

    from_: int = field(name="from")


# -- section 5: presence -------------------------------------------------------------------------------------


class PresenceCount(Payload, frozen=True):
    """Viewers and chatters, over all nodes."""

    viewers: int
    chatters: int


class PresenceDelta(Payload, frozen=True):
    """Who came and who left, in small rooms."""

    in_: list[UserRef] = field(name="in")
    out: list[str]
