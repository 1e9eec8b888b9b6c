"""The `d` of every ok reply (PROTOCOL.md sections 4-12), named after the command: `msg.send` → MsgSendReply.

Owns member names and types of answers. Refuses to know how they come about. Members that may be absent are
`UNSET` unless given; lists are `{"items": […], "next": cursor | null}`.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Raw

from schemas.values import (
    ActionEntry,
    Case,
    Decision,
    Maybe,
    Member,
    Payload,
    Pos,
    RoomState,
    Rule,
    Span,
    StreamName,
    UserRef,
    You,
)

ResumeReason = Literal["too_far", "epoch", "retention", "denied"]


class Empty(Payload, frozen=True):
    """Done, with nothing to say."""


class MePosition(Payload, frozen=True):
    """Where one's personal stream stands."""

    pos: Pos


class Resumed(Payload, frozen=True):
    """The answer to one entry of `resume`; `reason` if not ok. `ch` is absent for `me`."""

    s: StreamName
    ok: bool
    ch: Maybe[str] = UNSET
    reason: Maybe[ResumeReason] = UNSET


class AuthReply(Payload, frozen=True):
    """`user` null = anonymous reader. `guestToken` is given once, with a new guest identity."""

    session: str
    user: UserRef | None
    expires_at: int | None
    me: MePosition | None
    resumed: list[Resumed]
    guest_token: Maybe[str] = UNSET


class ResumeAnswer(Payload, frozen=True):
    """Whether the `pos` of `room.join` can be resumed."""

    ok: bool
    reason: Maybe[ResumeReason] = UNSET


class RoomJoinReply(Payload, frozen=True):
    """All of it as of `pos`; `recent` are whole `msg.new` events, ascending."""

    ch: str
    slug: str
    pos: Pos
    state: RoomState
    you: You
    recent: list[Raw]
    mod_pos: Maybe[Pos] = UNSET
    resume: Maybe[ResumeAnswer] = UNSET


class RoomStateReply(Payload, frozen=True):
    """The present state of a room."""

    ch: str
    pos: Pos
    state: RoomState
    you: You


class RoomWhoReply(Payload, frozen=True):
    """Who is present."""

    items: list[Member]
    next: str | None


class HistoryReply(Payload, frozen=True):
    """Whole events, ascending; `more` lie beyond in the direction read."""

    events: list[Raw]
    more: bool


class MsgSendReply(Payload, frozen=True):
    """`published {mid,pos}`, `held {mid,case,expiresAt}`, `duplicate {mid,pos}`, `command {action?,text?}`.

    A message held by the mode `delay` has no case.
    """

    outcome: Literal["published", "held", "duplicate", "command"]
    mid: Maybe[str] = UNSET
    pos: Maybe[Pos] = UNSET
    case: Maybe[str] = UNSET
    expires_at: Maybe[int] = UNSET
    action: Maybe[str] = UNSET
    text: Maybe[str] = UNSET


class MsgCheckReply(Payload, frozen=True):
    """What would become of a text; `err` as in a refusal."""

    outcome: Literal["published", "held", "refused", "command"]
    err: Maybe[dict[str, Any]] = UNSET


class CaseReply(Payload, frozen=True):
    """The case that took it up (`msg.report`, `appeal.open`)."""

    case: str


class ActionReply(Payload, frozen=True):
    """One act of moderation; `skipped` are effects that somebody changed since, and which were left."""

    action: str
    skipped: Maybe[list[Any]] = UNSET


class MsgDeleteReply(Payload, frozen=True):
    """`action` is there when staff deleted somebody else's message."""

    action: Maybe[str] = UNSET


class Revealed(Payload, frozen=True):
    """A withheld text; `raw` if a masked one was stored differently."""

    mid: str
    text: str
    sent_at: int
    raw: Maybe[str] = UNSET


class ModRevealReply(Payload, frozen=True):
    """Withheld texts."""

    items: list[Revealed]


class ChannelElevateReply(Payload, frozen=True):
    """How long the capabilities last."""

    action: str
    until: int


class RulePutReply(Payload, frozen=True):
    """The rule as stored."""

    action: str
    rule: str


class RuleRejected(Payload, frozen=True):
    """A rule of `rule.putMany` that was not taken."""

    index: int
    field: str
    reason: str


class RulePutManyReply(Payload, frozen=True):
    """How many were taken, and why the others were not."""

    action: str
    put: int
    rejected: list[RuleRejected]


class RuleListReply(Payload, frozen=True):
    """A page of rules."""

    items: list[Rule]
    next: str | None


class RuleHit(Payload, frozen=True):
    """Where a rule hits; `index` of the given text, or `mid` of a message."""

    spans: list[Span]
    index: Maybe[int] = UNSET
    mid: Maybe[str] = UNSET


class RuleTestReply(Payload, frozen=True):
    """The hits among the texts checked."""

    checked: int
    items: list[RuleHit]


class AuditEntry(ActionEntry, frozen=True):
    """An act of moderation with its time and channel."""

    ts: int
    ch: Maybe[str] = UNSET


class AuditListReply(Payload, frozen=True):
    """A page of the audit, newest first."""

    items: list[AuditEntry]
    next: str | None


class UserNote(Payload, frozen=True):
    """A note of staff on a user."""

    by: UserRef | None
    text: str
    at: int


class UserCardReply(Payload, frozen=True):
    """What staff know of a user here."""

    user: UserRef
    role: str
    created_at: int | None
    first_seen_at: int | None
    messages: int
    level: Literal["none", "monitor", "hold"]
    sanction: dict[str, Any] | None
    notes: list[UserNote]
    actions: list[ActionEntry]
    recent: list[Raw]


class QueueListReply(Payload, frozen=True):
    """A page of cases; with the mod events after `pos` it stays current."""

    items: list[Case]
    next: str | None
    pos: Pos


class CaseClaimReply(Payload, frozen=True):
    """How long the case is yours."""

    until: int


class CaseGetReply(Case, frozen=True):
    """One case whole."""


class CaseDecideReply(ActionReply, frozen=True):
    """The decision as an action."""

    decision: Maybe[Decision] = UNSET


class PollOpenReply(Payload, frozen=True):
    """The poll that was opened."""

    poll: str


class SessionReply(Payload, frozen=True):
    """The stream session concerned."""

    session: str


class Ingest(Payload, frozen=True):
    """Where an encoder sends to."""

    rtmp: str
    srt: Maybe[str] = UNSET
    whip: Maybe[str] = UNSET


class KeyCreateReply(Payload, frozen=True):
    """A new stream key; `secret` is shown once."""

    key: str
    secret: str
    ingest: Ingest


class KeyInfo(Payload, frozen=True):
    """A stream key without its secret."""

    key: str
    label: str | None
    created_at: int
    expires_at: int | None
    used_at: int | None


class KeyListReply(Payload, frozen=True):
    """All stream keys of a channel."""

    items: list[KeyInfo]
    next: str | None


PongReply = Empty
RoomLeaveReply = Empty
MsgReportReply = CaseReply
RoleGrantReply = ActionReply
RoleRevokeReply = ActionReply
ModDeleteReply = ActionReply
ModClearReply = ActionReply
ModTimeoutReply = ActionReply
ModBanReply = ActionReply
ModUnbanReply = ActionReply
ModUntimeoutReply = ActionReply
ModWarnReply = ActionReply
WarnAckReply = Empty
ModRestrictReply = ActionReply
ModNoteReply = ActionReply
ModeSetReply = ActionReply
ModePresetReply = ActionReply
PinSetReply = ActionReply
PinUnsetReply = ActionReply
AnnounceReply = ActionReply
ModUndoReply = ActionReply
MuteSetReply = Empty
CaseReleaseReply = Empty
AppealOpenReply = CaseReply
RuleDeleteReply = ActionReply
PollVoteReply = Empty
ReactReply = Empty
StreamStartReply = SessionReply
StreamEndReply = SessionReply
KeyRevokeReply = Empty
PlayBeatReply = Empty
