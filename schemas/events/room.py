"""Events of messages, roles and moderation (PROTOCOL.md sections 6 to 8).

Owns their members. Refuses to know who hears them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import UNSET, field

from schemas.values import (
    ActionEntry,
    By,
    Maybe,
    ModeName,
    ModeValue,
    Payload,
    SanctionKind,
    UserRef,
)

# -- section 6: messages -------------------------------------------------------------------------------------


class Frag(Payload, frozen=True):
    """A part of the text that is not plain; half-open, in code points."""

    k: Literal["mention", "link", "emote"]
    start: int
    end: int
    user: Maybe[str] = UNSET
    href: Maybe[str] = UNSET
    emote: Maybe[str] = UNSET


class ReplyRef(Payload, frozen=True):
    """The message answered; `text` (≤ 80 code points) null or absent when it is not visible."""

    mid: str
    root: str
    user: UserRef | None
    text: Maybe[str | None] = UNSET


class Gone(Payload, frozen=True):
    """Who withdrew the message, and the class of the reason."""

    by: By
    reason: Maybe[str] = UNSET


class MsgNew(Payload, frozen=True):
    """A message. With `gone` it has no `text`, `frags` and `reply.text`; `user` null = erased."""

    mid: str
    user: UserRef | None
    text: Maybe[str] = UNSET
    frags: Maybe[Sequence[Frag]] = UNSET
    reply: Maybe[ReplyRef | None] = UNSET
    flags: Maybe[Sequence[str]] = UNSET
    sent_at: Maybe[int] = UNSET
    reacts: Maybe[dict[str, int]] = UNSET
    gone: Maybe[Gone] = UNSET


class MsgGone(Payload, frozen=True):
    """Messages withdrawn: `mids` (≤ 200), or all of `user` from n `from` to n `to`."""

    by: By
    mids: Maybe[Sequence[str]] = UNSET
    user: Maybe[str] = UNSET
    from_: Maybe[int] = field(default=UNSET, name="from")
    to: Maybe[int] = UNSET
    reason: Maybe[str] = UNSET


class BackMessage(Payload, frozen=True):
    """A message that came back, encoded like `msg.new`."""

    n: int
    ts: int
    d: Any


class MsgBack(Payload, frozen=True):
    """Messages restored: `messages` (≤ 50), or a range to re-read by `history`."""

    messages: Maybe[list[BackMessage]] = UNSET
    user: Maybe[str] = UNSET
    from_: Maybe[int] = field(default=UNSET, name="from")
    to: Maybe[int] = UNSET


# -- sections 7 and 8: roles, moderation ---------------------------------------------------------------------


class RoleChanged(Payload, frozen=True):
    """Somebody's role here changed (room)."""

    user: str
    role: str


class MyRoleChanged(Payload, frozen=True):
    """One's own role in a channel changed (me)."""

    ch: str
    role: str
    caps: list[str]


class RoomCleared(Payload, frozen=True):
    """Everything before n `before` is hidden."""

    before: int
    by: By


class RoomMode(Payload, frozen=True):
    """A mode was set."""

    name: ModeName
    value: ModeValue
    until: int | None
    by: By


class UserSanctioned(Payload, frozen=True):
    """Somebody may not write here any more (room)."""

    user: UserRef
    kind: SanctionKind
    until: int | None


class UserUnsanctioned(Payload, frozen=True):
    """The end of a sanction (room)."""

    user: UserRef
    cause: Literal["expired", "lifted", "undone", "appeal"]


class SanctionApplied(Payload, frozen=True):
    """One's own sanction (me)."""

    ch: str
    kind: SanctionKind
    until: int | None
    reason: str | None
    action: str
    appeal: bool


class SanctionEnded(Payload, frozen=True):
    """One's own sanction has ended (me)."""

    ch: str
    kind: SanctionKind
    action: str
    cause: Literal["expired", "lifted", "undone", "appeal"]


class WarnIssued(Payload, frozen=True):
    """One was warned (me); acknowledge it by `warn.ack`."""

    ch: str
    action: str
    reason: str
    mids: list[str]


class RuleChanged(Payload, frozen=True):
    """A rule was put or deleted (mod); the rules are re-read by `rule.list`."""

    action: str
    op: Literal["put", "deleted"]
    rule: Maybe[str] = UNSET
    count: Maybe[int] = UNSET


class PinSet(Payload, frozen=True):
    """A message was pinned."""

    mid: str
    until: int | None
    by: By


class PinUnset(Payload, frozen=True):
    """A message was unpinned."""

    mid: str
    by: By


class Action(ActionEntry, frozen=True):
    """One act of moderation (mod)."""


class Delayed(Payload, frozen=True):
    """A message waits for the mode `delay` (mod); staff may delete it meanwhile."""

    mid: str
    user: UserRef
    text: str
    until: int


class MuteChanged(Payload, frozen=True):
    """One's own mute of somebody, for one's other devices (me)."""

    user: str
    on: bool
