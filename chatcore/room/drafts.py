"""Owns the shapes between a command and its decision: who asks, what is asked (`Draft`), what follows (`Decision`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from chatcore.room.events import Message, Stored, StreamKey
from chatcore.room.state import Facts, RoomState


class Actor(msgspec.Struct, frozen=True):
    """Who asks. `scopes` None = all rights of the role; `via` is the door: socket, rest or chat.

    `maker` is whose bot this is: it may nothing that its maker may not now (product.md, REST of tokens).
    """

    id: str
    kind: str
    via: str = "socket"
    scopes: frozenset[str] | None = None
    maker: str | None = None


class Draft(msgspec.Struct):
    """A command on its way to its place in the log; whatever is random or looked up is in it already.

    `fresh` is the id for what it makes (a message or an action), `target` the user it is about, `since` the first n
    of that user's messages that a purge takes, `parent` the message answered.
    """

    ch: str
    actor: Actor
    command: Any
    fresh: str
    text: str = ""
    frags: tuple[dict[str, Any], ...] = ()
    target: str | None = None
    since: int | None = None
    facts: Facts | None = None
    #: Standing of the target in the instance, None if he is unknown here.
    target_kind: str | None = None


class Bucket(NamedTuple):
    """A token bucket: `limit` at once, refilled in `window` ms."""

    limit: int
    window: int


#: Protocol 15: what a viewer, and what staff and bots may send to one channel.
VIEWERS = Bucket(20, 30_000)
STAFF = Bucket(100, 30_000)


class At(NamedTuple):
    """Where a decision is made: the batch's time (Unix ms), the log's epoch, the send buckets in force (None = off)."""

    now: int
    epoch: str
    viewers: Bucket | None = VIEWERS
    staff: Bucket | None = STAFF


class Decision(NamedTuple):
    """The reply, and what happened: (stream, event, the message it carries)."""

    reply: Any
    events: list[tuple[StreamKey, Stored, Message | None]]


Decider = Callable[[RoomState, Draft, At], Decision]
