"""Owns what a client reads of a stored entry: text and names are joined here, through one visibility function (law 7).

`visible` is the only place that says whether a message's text may be shown; live events, snapshots, resume, history
and the previews of replies all come through it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import UNSET, structs

from chatcore.room.events import (
    Acted,
    ChannelChanged,
    Entry,
    Gone,
    Message,
    ModeChanged,
    MyRole,
    MySanction,
    Noticed,
    RoleChanged,
    Said,
    Sanctioned,
    Unsanctioned,
)
from chatcore.room.messages import preview
from schemas import events as e
from schemas.codec import encode_event
from schemas.values import Badge, NameRef, Payload, StreamInfo, Target, UserRef

_TITLES = {
    "owner": "Broadcaster",
    "lead": "Lead moderator",
    "moderator": "Moderator",
    "helper": "Helper",
    "vip": "VIP",
    "member": "Member",
}
_BADGES = {role: (Badge(role, title),) for role, title in _TITLES.items()}


class Named(NamedTuple):
    """How a person is shown today."""

    name: str
    display_name: str
    kind: str


class Joins(NamedTuple):
    """What encoding looks up: names by id, roles by id, and what is known of the broadcast."""

    epoch: str
    named: Callable[[str], Named | None]
    role: Callable[[str], str]
    broadcast: Callable[[], StreamInfo]


def visible(message: Message | None) -> bool:
    """Whether the text of `message` may leave the server towards readers."""
    return message is not None and message.gone is None


def author(joins: Joins, user: str) -> UserRef | None:
    """The author of a message with his role and badges here; None if he was erased."""
    named = joins.named(user)
    if named is None:
        return None
    role = joins.role(user)
    roles = () if role == "viewer" else (role,)
    return UserRef(user, named.name, named.display_name, named.kind, roles, _BADGES.get(role, ()))


def reference(joins: Joins, user: str | None) -> UserRef | None:
    """A person in short: id and names."""
    named = None if user is None else joins.named(user)
    return None if named is None or user is None else UserRef(user, named.name, named.display_name)


def encode_entry(joins: Joins, entry: Entry, parent: Message | None = None) -> bytes:
    """The event's JSON for a reader of its stream. `parent` is the message that a reply answers."""
    t, payload = _payload(joins, entry, parent)
    stream = entry.stream
    ch = None if stream.kind == "me" else stream.owner
    return encode_event(t, ch, stream.kind, (joins.epoch, entry.n), entry.ts, payload)


def message_payload(
    joins: Joins, message: Message, parent: Message | None, who: UserRef | None, ts: int
) -> e.MsgNew:
    """A message as it may be read now: whole, or its place without the text."""
    reply = _reply(joins, message, parent)
    if not visible(message):
        gone = e.Gone(by=message.gone or "staff")
        return e.MsgNew(message.mid, who, reply=reply, gone=gone)
    sent_at = message.ts if message.ts != ts else UNSET
    return e.MsgNew(
        message.mid,
        who,
        message.text,
        message.frags,  # pyright: ignore[reportArgumentType] - stored as the wire's own members
        reply,
        message.flags,
        sent_at,
    )


def _reply(joins: Joins, message: Message, parent: Message | None) -> Any:
    if message.reply is None:
        return UNSET
    shown = visible(message) and parent is not None and visible(parent)
    text = preview(parent.text) if parent is not None and shown else None
    user = reference(joins, parent.user if parent is not None else None)
    return e.ReplyRef(message.reply, message.root or message.reply, user, UNSET if message.gone else text)


def _payload(joins: Joins, entry: Entry, parent: Message | None) -> tuple[str, Payload]:
    event = entry.event
    match event:
        case Said():
            message = entry.message
            if message is None:
                return "skip", e.Skip(entry.n)
            who = None if message.user is None else author(joins, message.user)
            return "msg.new", message_payload(joins, message, parent, who, entry.ts)
        case Gone():
            return "msg.gone", _gone(event)
        case ModeChanged():
            return "room.mode", e.RoomMode(event.name, event.value, event.until, "staff")  # pyright: ignore[reportArgumentType] - only known names are stored
        case RoleChanged():
            role = event.role or ("guest" if event.user.startswith("g_") else "viewer")
            return "role.changed", e.RoleChanged(event.user, role)
        case Sanctioned():
            who = reference(joins, event.user) or UserRef(event.user, "", "")
            return "user.sanctioned", e.UserSanctioned(who, event.kind, event.until)
        case Unsanctioned():
            who = reference(joins, event.user) or UserRef(event.user, "", "")
            return "user.unsanctioned", e.UserUnsanctioned(who, event.cause)
        case ChannelChanged():
            return "stream.state", e.StreamState(**structs.asdict(joins.broadcast()))
        case Acted():
            return "action", _action(joins, event)
        case _:
            return _personal(joins, event)


def _gone(event: Gone) -> e.MsgGone:
    reason = UNSET if event.reason is None else event.reason
    if event.user is None:
        return e.MsgGone(event.by, event.mids, reason=reason)
    return e.MsgGone(event.by, user=event.user, from_=event.lo, to=event.hi, reason=reason)


def _named(joins: Joins, user: str | None, role: str | None = None) -> NameRef | None:
    named = None if user is None else joins.named(user)
    if named is None or user is None:
        return None
    return NameRef(user, named.name, named.display_name, UNSET if role is None else role)


def _action(joins: Joins, event: Acted) -> e.Action:
    return e.Action(
        action=event.action,
        kind=event.kind,
        actor=_named(joins, event.actor, event.actor_role),
        on_behalf_of=None,
        via=event.via,
        target=Target(user=_named(joins, event.target), mids=list(event.mids)),
        params=event.params,
        reason=event.reason,
        inverse_of=None,
        undone_by=None,
        undoable=False,
    )


def _personal(joins: Joins, event: Noticed | MyRole | MySanction) -> tuple[str, Payload]:
    match event:
        case Noticed():
            by = reference(joins, event.by)
            return "notify", e.Notify(event.kind, event.ch, event.mid, UNSET if by is None else by)
        case MyRole():
            return "role.changed", e.MyRoleChanged(event.ch, event.role, list(event.caps))
        case MySanction(cause=None):
            applied = e.SanctionApplied(event.ch, event.kind, event.until, event.reason, event.action, False)
            return "sanction.applied", applied
        case MySanction():
            cause: Any = event.cause
            return "sanction.ended", e.SanctionEnded(event.ch, event.kind, event.action, cause)


def people_in(entry: Entry, parent: Message | None) -> set[str]:
    """The ids whose names `encode_entry` will ask for."""
    found: set[str | None] = {parent.user} if parent is not None else set()
    match entry.event:
        case Said():
            found.add(entry.message.user if entry.message is not None else None)
        case Acted(actor=actor, target=target):
            found |= {actor, target}
        case Sanctioned(user=user) | Unsanctioned(user=user):
            found.add(user)
        case Noticed(by=by):
            found.add(by)
        case _:
            pass
    return {user for user in found if user is not None}
