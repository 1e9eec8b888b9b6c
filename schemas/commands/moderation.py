"""Commands of moderation, cases and rules (PROTOCOL.md sections 8 to 10).

Owns their members and crude bounds. Refuses to know who may.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Raw, field

from schemas.commands.bounds import Limit, Line, Text, at_most_one, exactly_one
from schemas.values import (
    CaseKind,
    CaseStatus,
    Cursor,
    Decision,
    Fault,
    Id,
    Mids,
    Millis,
    ModeName,
    ModeValue,
    Payload,
    Reason,
    Rule,
    Seconds,
    UserName,
)

# -- section 8: moderation -----------------------------------------------------------------------------------


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
        exactly_one("mids", "Give either `mids`, or `user` and `seconds`.", self.mids, self.user)
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


# -- section 9: cases ----------------------------------------------------------------------------------------


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
        at_most_one(
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


# -- section 10: rules ---------------------------------------------------------------------------------------


class RulePut(Payload, frozen=True):
    """Make a rule, or replace it if it has an `id`."""

    rule: Rule


class RulePutMany(Payload, frozen=True):
    """Put many rules in one action; each is decoded by itself, so that bad ones are reported one by one."""

    rules: Annotated[list[Raw], Meta(min_length=1, max_length=1000)]


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
        exactly_one("rule", "Give either `rule` or `id`.", self.rule, self.id)
        exactly_one("texts", "Give either `texts` or `last`.", self.texts, self.last)
