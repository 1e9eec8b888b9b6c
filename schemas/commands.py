"""The `d` of every command (PROTOCOL.md sections 4-12), one structure each, named after its `t`.

Owns member names, types, crude bounds and defaults. Refuses to judge: whether a text is empty or too long,
whether a user exists, and who may do what are answered elsewhere. Capability, bucket and channel of each
command stand in `schemas.catalog`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, field

from schemas.values import (
    CaseKind,
    CaseStatus,
    Count,
    Cursor,
    Decision,
    Fault,
    Id,
    Idem,
    Maybe,
    Mids,
    Millis,
    ModeName,
    ModeValue,
    Payload,
    Pos,
    Reason,
    ReportPolicy,
    Rule,
    Seconds,
    Secret,
    StreamName,
    UserName,
)

Limit = Annotated[int, Meta(ge=1, le=200)]
Text = str
Line = Annotated[str, Meta(min_length=1, max_length=500)]


def _exactly_one(field: str, remedy: str, *given: object) -> None:
    if sum(value is not None and value is not UNSET for value in given) != 1:
        raise Fault(field, "ambiguous", remedy)


def _at_most_one(field: str, remedy: str, *given: object) -> None:
    if sum(value is not None and value is not UNSET for value in given) > 1:
        raise Fault(field, "ambiguous", remedy)


# -- section 4: session ------------------------------------------------------------------------------------


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
        _at_most_one("guest", "Give `token` or `guest`, not both.", self.token, self.guest)


class Pong(Payload, frozen=True):
    """Life sign; has no `id` and no reply."""


# -- section 5: rooms --------------------------------------------------------------------------------------


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
        _at_most_one(
            "before", "Give one of `before`, `after` and `around`.", self.before, self.after, self.around
        )


# -- section 6: messages -----------------------------------------------------------------------------------


class MsgSend(Payload, frozen=True):
    """Say something. `idem` makes a repeat harmless for ten minutes."""

    text: Text
    reply_to: Id | None = None
    idem: Idem | None = None


class MsgDelete(Payload, frozen=True):
    """Delete one's own message, or anybody's with the capability."""

    mid: Id
    reason: Reason | None = None


class MsgCheck(Payload, frozen=True):
    """Ask what would become of a text."""

    text: Text


class MsgReport(Payload, frozen=True):
    """Report a message to the channel's staff."""

    mid: Id
    policy: ReportPolicy
    note: Reason | None = None


# -- section 7: roles --------------------------------------------------------------------------------------


class RoleGrant(Payload, frozen=True):
    """Give a user a channel role below one's own, for a while or for good."""

    user: UserName
    role: Literal["lead", "moderator", "helper", "vip", "member"]
    seconds: Seconds | None = None


class RoleRevoke(Payload, frozen=True):
    """Take a user's channel role away."""

    user: UserName


class ChannelElevate(Payload, frozen=True):
    """An administrator takes channel capabilities for a while; audited, and seen by the owner."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    seconds: Annotated[int, Meta(ge=1, le=86_400)]


# -- section 8: moderation ---------------------------------------------------------------------------------


class ModReveal(Payload, frozen=True):
    """Read withheld texts; each is an audit entry."""

    mids: Annotated[list[Id], Meta(min_length=1, max_length=50)]


class ModDelete(Payload, frozen=True):
    """Delete messages: either `mids`, or all that `user` said in the last `seconds`."""

    mids: Mids | None = None
    user: UserName | None = None
    seconds: Annotated[int, Meta(ge=1, le=604_800)] | None = None
    reason: Reason | None = None

    def __post_init__(self) -> None:
        _exactly_one("mids", "Give either `mids`, or `user` and `seconds`.", self.mids, self.user)
        if self.user is not None and self.seconds is None:
            raise Fault("seconds", "missing", "Say how far back: add `seconds`.")


class ModClear(Payload, frozen=True):
    """Hide everything said so far."""

    reason: Reason | None = None


class ModTimeout(Payload, frozen=True):
    """Forbid a user to write for a while; `purgeSeconds` also deletes what he said lately."""

    user: UserName
    seconds: Seconds
    reason: Reason | None = None
    purge_seconds: Annotated[int, Meta(ge=1, le=604_800)] | None = None


class ModBan(Payload, frozen=True):
    """Forbid a user to write, without end unless `seconds`; `network` also bans his addresses for a day."""

    user: UserName
    seconds: Seconds | None = None
    reason: Reason | None = None
    purge_seconds: Annotated[int, Meta(ge=1, le=604_800)] | None = None
    network: bool = False


class ModUnban(Payload, frozen=True):
    """Lift a ban."""

    user: UserName


class ModUntimeout(Payload, frozen=True):
    """Lift a timeout."""

    user: UserName


class ModWarn(Payload, frozen=True):
    """Warn a user; he must acknowledge it before he writes again."""

    user: UserName
    reason: Line
    mids: Mids | None = None


class WarnAck(Payload, frozen=True):
    """Acknowledge a warning."""

    action: Id


class ModRestrict(Payload, frozen=True):
    """Watch a user, or hold all that he says."""

    user: UserName
    level: Literal["none", "monitor", "hold"]


class ModNote(Payload, frozen=True):
    """Leave a note on a user for the other staff."""

    user: UserName
    text: Annotated[str, Meta(min_length=1, max_length=2000)]


class ModeSet(Payload, frozen=True):
    """Set a mode, for a while or until changed. The value's type belongs to the mode."""

    name: ModeName
    value: ModeValue
    seconds: Seconds | None = None


class ModePreset(Payload, frozen=True):
    """Switch a set of modes on or off."""

    name: Literal["shield"]
    on: bool


class PinSet(Payload, frozen=True):
    """Pin a message, for a while or until unpinned."""

    mid: Id
    seconds: Seconds | None = None


class PinUnset(Payload, frozen=True):
    """Unpin a message."""

    mid: Id


class Announce(Payload, frozen=True):
    """Post a message with the flag `announcement`."""

    text: Text


class ModUndo(Payload, frozen=True):
    """Undo one act of moderation."""

    action: Id


class AuditList(Payload, frozen=True):
    """Read the audit, newest first."""

    actor: UserName | None = None
    user: UserName | None = None
    kinds: Annotated[list[Annotated[str, Meta(max_length=32)]], Meta(max_length=64)] | None = None
    from_: Millis | None = field(default=None, name="from")
    to: Millis | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class UserCard(Payload, frozen=True):
    """Ask what staff know of a user here."""

    user: UserName


class MuteSet(Payload, frozen=True):
    """Hide a user for oneself; synced over one's devices by `me`."""

    user: UserName
    on: bool


# -- section 9: cases --------------------------------------------------------------------------------------


class QueueList(Payload, frozen=True):
    """Read the review queue."""

    kinds: Annotated[list[CaseKind], Meta(max_length=4)] | None = None
    status: CaseStatus = "open"
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class CaseClaim(Payload, frozen=True):
    """Take a case for 30 s, or prolong that."""

    case: Id


class CaseRelease(Payload, frozen=True):
    """Give a claimed case back."""

    case: Id


class CaseGet(Payload, frozen=True):
    """Read one case whole."""

    case: Id


class ThenTimeout(Payload, frozen=True):
    """A timeout that goes with a decision."""

    seconds: Seconds
    reason: Reason | None = None


class ThenBan(Payload, frozen=True):
    """A ban that goes with a decision."""

    seconds: Seconds | None = None
    reason: Reason | None = None
    purge_seconds: Annotated[int, Meta(ge=1, le=604_800)] | None = None
    network: bool = False


class ThenWarn(Payload, frozen=True):
    """A warning that goes with a decision."""

    reason: Line


class Then(Payload, frozen=True):
    """What else follows from a decision: at most one."""

    timeout: ThenTimeout | None = None
    ban: ThenBan | None = None
    warn: ThenWarn | None = None
    rule: Rule | None = None

    def __post_init__(self) -> None:
        _at_most_one(
            "timeout",
            "Give at most one of `timeout`, `ban`, `warn` and `rule`.",
            self.timeout,
            self.ban,
            self.warn,
            self.rule,
        )


class CaseDecide(Payload, frozen=True):
    """Decide a case; what `allow` and `deny` do depends on its kind."""

    case: Id
    decision: Decision
    then: Then | None = None


class AppealOpen(Payload, frozen=True):
    """Appeal against an action, once."""

    action: Id
    text: Line


# -- section 10: rules -------------------------------------------------------------------------------------


class RulePut(Payload, frozen=True):
    """Make a rule, or replace it if it has an `id`."""

    rule: Rule


class RulePutMany(Payload, frozen=True):
    """Put many rules in one action; bad ones are reported one by one."""

    rules: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=1000)]


class RuleList(Payload, frozen=True):
    """Read the rules."""

    cursor: Cursor | None = None
    limit: Limit = 100


class RuleDelete(Payload, frozen=True):
    """Delete a rule."""

    rule: Id


class RuleTest(Payload, frozen=True):
    """Try a rule (given, or by id) on texts or on the channel's last messages."""

    rule: Rule | None = None
    id: Id | None = None
    texts: (
        Annotated[list[Annotated[str, Meta(max_length=2000)]], Meta(min_length=1, max_length=100)] | None
    ) = None
    last: Annotated[int, Meta(ge=1, le=1000)] | None = None

    def __post_init__(self) -> None:
        _exactly_one("rule", "Give either `rule` or `id`.", self.rule, self.id)
        _exactly_one("texts", "Give either `texts` or `last`.", self.texts, self.last)


# -- section 11: engagement --------------------------------------------------------------------------------


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
        _exactly_one("mid", "Give either `mid` and `key`, or `burst`.", self.mid, self.burst)
        if self.mid is not None and self.key is None:
            raise Fault("key", "missing", "Say which reaction: add `key`.")


# -- section 12: media -------------------------------------------------------------------------------------


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
    start_ms: Maybe[Count] = UNSET
    latency_ms: Maybe[Count] = UNSET
    rendition: Maybe[Annotated[str, Meta(max_length=64)]] = UNSET
