"""Events of cases, engagement and media (PROTOCOL.md sections 9, 11 and 12).

Owns their members. Refuses to know who hears them.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET

from schemas.values import (
    Case,
    CaseKind,
    Claim,
    Decision,
    LiveState,
    Maybe,
    NameRef,
    Payload,
    Playback,
    Pos,
    StreamInfo,
    UserRef,
)

# -- section 9: cases ----------------------------------------------------------------------------------------


class CaseNew(Case, frozen=True):
    """A case was opened (mod), whole."""


class CaseChanged(Payload, frozen=True):
    """A claim, a further report or a further hit (mod); only what changed."""

    case: str
    claim: Maybe[Claim | None] = UNSET
    count: Maybe[int] = UNSET
    causes: Maybe[list[Any]] = UNSET
    status: Maybe[str] = UNSET


class CaseDecided(Payload, frozen=True):
    """A case was decided (mod)."""

    case: str
    decision: Decision
    by: NameRef | None
    action: str


class CaseExpired(Payload, frozen=True):
    """Nobody decided in time (mod); `decision` is what the policy said."""

    case: str
    decision: Decision
    kind: Maybe[CaseKind] = UNSET


class HoldOpened(Payload, frozen=True):
    """One's message waits for staff (me)."""

    ch: str
    mid: str
    expires_at: int | None
    case: Maybe[str] = UNSET


class HoldResolved(Payload, frozen=True):
    """What became of it (me); `pos` if published."""

    ch: str
    mid: str
    outcome: Literal["allowed", "denied", "expired"]
    case: Maybe[str] = UNSET
    pos: Maybe[Pos] = UNSET


class AppealUpdated(Payload, frozen=True):
    """One's appeal (me)."""

    ch: str
    case: str
    action: str
    status: Literal["open", "upheld", "overturned", "expired"]
    text: Maybe[str | None] = UNSET


# -- section 11: engagement and notices ----------------------------------------------------------------------


class PollOpened(Payload, frozen=True):
    """A poll was opened."""

    poll: str
    question: str
    options: list[str]
    ends_at: int


class PollTally(Payload, frozen=True):
    """The present tally (ephemeral)."""

    poll: str
    tally: list[int]


class PollClosed(Payload, frozen=True):
    """A poll has ended."""

    poll: str
    question: str
    options: list[str]
    tally: list[int]


class ReactAgg(Payload, frozen=True):
    """Reactions: `[mid, key, total]`, or for bursts `[null, key, increase]` (ephemeral)."""

    items: list[tuple[str | None, str, int]]


class Notify(Payload, frozen=True):
    """A notice (me): ids, never text."""

    kind: Literal["mention", "reply", "follow", "live", "tip"]
    ch: Maybe[str] = UNSET
    mid: Maybe[str] = UNSET
    by: Maybe[UserRef] = UNSET


# -- section 12: media ---------------------------------------------------------------------------------------


class StreamState(StreamInfo, frozen=True):
    """The broadcast changed its state."""


class RecordReady(Payload, frozen=True):
    """A recording can be watched."""

    recording: str
    session: str
    playback: Maybe[Playback | None] = UNSET


class StreamHealth(Payload, frozen=True):
    """How the ingest does, for staff (ephemeral)."""

    bitrate_kbps: int
    fps: float
    keyframe_ms: int
    advice: list[str]
    state: Maybe[LiveState] = UNSET
