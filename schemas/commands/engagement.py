"""Commands of polls, reactions and media (PROTOCOL.md sections 11 and 12).

Owns their members and crude bounds. Refuses to count votes.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta

from schemas.commands.bounds import exactly_one
from schemas.values import (
    Count,
    Fault,
    Id,
    Maybe,
    Millis,
    Payload,
    Reason,
)

# -- section 11: engagement ----------------------------------------------------------------------------------


class PollOpen(Payload, frozen=True):
    """Open a poll."""

    question: Annotated[str, Meta(min_length=1, max_length=200)]
    options: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=80)]], Meta(min_length=2, max_length=10)
    ]
    seconds: Annotated[int, Meta(ge=15, le=86_400)]


class PollVote(Payload, frozen=True):
    """Vote; the last vote counts. `option` is an index."""

    poll: Id
    option: Annotated[int, Meta(ge=0, le=9)]


class React(Payload, frozen=True):
    """React to a message (one of each key per user), or add to a burst."""

    mid: Id | None = None
    key: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    on: bool = True
    burst: Annotated[str, Meta(min_length=1, max_length=64)] | None = None

    def __post_init__(self) -> None:
        exactly_one("mid", "Give either `mid` and `key`, or `burst`.", self.mid, self.burst)
        if self.mid is not None and self.key is None:
            raise Fault("key", "missing", "Say which reaction: add `key`.")


# -- section 12: media ---------------------------------------------------------------------------------------


class StreamStart(Payload, frozen=True):
    """Open a stream session."""

    title: Annotated[str, Meta(max_length=200)] | None = None
    renditions: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=16)] | None = None


class StreamEnd(Payload, frozen=True):
    """End the stream session."""

    reason: Reason | None = None


class KeyCreate(Payload, frozen=True):
    """Make a stream key; the secret is shown once."""

    label: Annotated[str, Meta(max_length=64)] | None = None
    expires_at: Millis | None = None


class KeyList(Payload, frozen=True):
    """Read the stream keys, without their secrets."""


class KeyRevoke(Payload, frozen=True):
    """Revoke a stream key; cuts what it feeds."""

    key: Id


class PlayBeat(Payload, frozen=True):
    """A player's totals since the page loaded, every 10 s."""

    session: Id
    watch_ms: Count
    stall_ms: Count
    stalls: Count
    start_ms: Maybe[Count | None] = UNSET
    latency_ms: Maybe[Count | None] = UNSET
    rendition: Maybe[Annotated[str, Meta(max_length=64)] | None] = UNSET
