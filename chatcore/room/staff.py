"""Owns the decisions of a channel's staff that the room itself carries: deletions, sanctions, modes, roles.

Each is one entry of stream `mod` (the action) beside what viewers see of it. Reviewing, undo and rules belong to the
moderation package.
"""

from __future__ import annotations

from typing import Any

from chatcore.room.drafts import At, Decision, Draft
from chatcore.room.events import (
    Acted,
    ChannelChanged,
    Gone,
    Message,
    ModeChanged,
    MyRole,
    MySanction,
    RoleChanged,
    Sanctioned,
    Stored,
    StreamKey,
    Unsanctioned,
)
from chatcore.room.rights import require, require_above
from chatcore.room.speak import settle_delete_own
from chatcore.room.state import RoomState
from schemas.commands import (
    ModBan,
    ModDelete,
    ModeSet,
    ModTimeout,
    RoleGrant,
)
from schemas.errors import Refused
from schemas.replies import ActionReply
from schemas.roles import caps_of, rank

Events = list[tuple[StreamKey, Stored, Message | None]]

#: The modes that this version judges by, with the values that `mode.set` takes.
MODES: dict[str, tuple[type, int, int]] = {
    "slow": (int, 0, 3600),
    "readonly": (bool, 0, 1),
    "members": (bool, 0, 1),
}


def _acted(
    state: RoomState,
    draft: Draft,
    at: At,
    kind: str,
    params: dict[str, Any],
    *,
    mids: tuple[str, ...] = (),
    target: str | None = None,
    reason: str | None = None,
) -> tuple[StreamKey, Stored, Message | None]:
    event = Acted(
        action=draft.fresh,
        kind=kind,
        actor=draft.actor.id,
        actor_role=state.role_of(draft.actor.id, at.now),
        via=draft.actor.via,
        params=params,
        target=target,
        mids=mids,
        reason=reason,
    )
    return StreamKey("mod", draft.ch), event, None


def _room(draft: Draft, event: Stored) -> tuple[StreamKey, Stored, Message | None]:
    return StreamKey("room", draft.ch), event, None


def settle_delete(state: RoomState, draft: Draft, at: At) -> Decision:
    """`msg.delete`: one's own message, or anybody's lower with the right to."""
    own = settle_delete_own(state, draft)
    if own is not None:
        return own
    return _delete(state, draft, at, (draft.command.mid,), draft.command.reason)


def settle_mod_delete(state: RoomState, draft: Draft, at: At) -> Decision:
    """`mod.delete` of messages, or of all that a user said in the last `seconds`."""
    command: ModDelete = draft.command
    if command.mids:
        return _delete(state, draft, at, tuple(dict.fromkeys(command.mids)), command.reason)
    require(state, draft.actor, "mod.delete", at.now)
    target = _target(state, draft, at)
    events = _purge(state, draft, target, command.reason)
    params = {"seconds": command.seconds}
    events.append(_acted(state, draft, at, "delete", params, target=target, reason=command.reason))
    return Decision(ActionReply(action=draft.fresh), events)


def _delete(state: RoomState, draft: Draft, at: At, mids: tuple[str, ...], reason: str | None) -> Decision:
    require(state, draft.actor, "mod.delete", at.now)
    found = [message for mid in mids if (message := state.messages.get(mid)) is not None]
    if not found:
        raise Refused(
            "not_found", "None of these messages exists here.", field="d.mids", d={"what": "message"}
        )
    standing = [message for message in found if message.gone is None]
    if not standing:
        raise Refused("already", "The messages are gone already.", d={"by": found[0].gone})
    for message in standing:
        if message.user is not None and message.user != draft.actor.id:
            require_above(state, draft.actor, message.user, at.now)
    gone = tuple(message.mid for message in standing)
    users = {message.user for message in standing}
    target = users.pop() if len(users) == 1 else None
    events = [
        _room(draft, Gone(by="staff", mids=gone, reason=_class(reason))),
        _acted(state, draft, at, "delete", {}, mids=gone, target=target, reason=reason),
    ]
    return Decision(ActionReply(action=draft.fresh), events)


def _class(reason: str | None) -> str | None:
    """What viewers may know of a reason: its class, never free text (protocol 6)."""
    return reason if reason in ("terms", "spam", "request") else None


def _target(state: RoomState, draft: Draft, at: At) -> str:
    target = draft.target
    if target is None:
        raise Refused("not_found", "There is no such user.", field="d.user", d={"what": "user"})
    require_above(state, draft.actor, target, at.now)
    return target


def _purge(state: RoomState, draft: Draft, target: str, reason: str | None) -> Events:
    """What the target said from `since` on, up to this very place in the log."""
    author = state.authors.get(target)
    if draft.since is None or draft.since > state.head:
        return []
    if author is not None and author.n < draft.since:  # he said nothing since
        return []
    return [_room(draft, Gone(by="staff", user=target, lo=draft.since, hi=state.head, reason=_class(reason)))]


def settle_sanction(state: RoomState, draft: Draft, at: At) -> Decision:
    """`mod.timeout` and `mod.ban`: in force from this place in the log; a newer one replaces an older."""
    command: ModTimeout | ModBan = draft.command
    kind = "ban" if isinstance(command, ModBan) else "timeout"
    require(state, draft.actor, f"mod.{kind}", at.now)
    if isinstance(command, ModBan) and command.network:
        raise Refused(
            "bad_request",
            "This server bans accounts and guests, not networks: leave `network` out.",
            field="d.network",
            d={"reason": "not_served"},
        )
    target = _target(state, draft, at)
    before = state.sanction_of(target, at.now)
    if kind == "timeout" and before is not None and before.kind == "ban":
        raise Refused("already", "This user is banned; a timeout would end the ban.")
    until = None if command.seconds is None else at.now + command.seconds * 1000
    reason = command.reason
    params = {"seconds": command.seconds, "purgeSeconds": command.purge_seconds}
    events: Events = [_room(draft, Sanctioned(target, kind, until, draft.fresh, reason))]
    events += _purge(state, draft, target, reason)
    events.append(_acted(state, draft, at, kind, params, target=target, reason=reason))
    mine = MySanction(ch=draft.ch, kind=kind, action=draft.fresh, until=until, reason=reason)
    events.append((StreamKey("me", target), mine, None))
    return Decision(ActionReply(action=draft.fresh), events)


def settle_lift(state: RoomState, draft: Draft, at: At) -> Decision:
    """`mod.untimeout` and `mod.unban`. Raises already where no such sanction is in force."""
    kind = draft.command.__class__.__name__.lower().removeprefix("modun")
    require(state, draft.actor, f"mod.{kind}", at.now)
    target = _target(state, draft, at)
    sanction = state.sanction_of(target, at.now)
    if sanction is None or sanction.kind != kind:
        raise Refused("already", f"There is no {kind} in force on this user.")
    mine = MySanction(ch=draft.ch, kind=kind, action=sanction.action, cause="lifted")
    events: Events = [
        _room(draft, Unsanctioned(target, "lifted")),
        _acted(state, draft, at, f"un{kind}", {}, target=target),
        (StreamKey("me", target), mine, None),
    ]
    return Decision(ActionReply(action=draft.fresh), events)


def settle_mode(state: RoomState, draft: Draft, at: At) -> Decision:
    """`mode.set`: the value from here on, until it is changed or its time is over."""
    command: ModeSet = draft.command
    require(state, draft.actor, "mode.set", at.now)
    value = _mode_value(command)
    until = None if command.seconds is None else at.now + command.seconds * 1000
    params = {"name": command.name, "value": value, "until": until}
    events = [
        _room(draft, ModeChanged(command.name, value, until, "staff")),
        _acted(state, draft, at, "mode", params),
    ]
    return Decision(ActionReply(action=draft.fresh), events)


def _mode_value(command: ModeSet) -> int | bool | str:
    spec = MODES.get(command.name)
    if spec is None:
        known = ", ".join(MODES)
        raise Refused(
            "bad_request",
            f"This server has the modes {known}.",
            field="d.name",
            d={"reason": "unknown_value"},
        )
    kind, low, high = spec
    value = command.value
    if type(value) is not kind or not low <= int(value) <= high:
        wanted = "true or false" if kind is bool else f"a whole number from {low} to {high}"
        raise Refused(
            "bad_request",
            f"The mode {command.name} takes {wanted}.",
            field="d.value",
            d={"reason": "wrong_type" if type(value) is not kind else "out_of_range"},
        )
    return value


def settle_role(state: RoomState, draft: Draft, at: At) -> Decision:
    """`role.grant` below one's own role, and `role.revoke`. A moderator may make and unmake vips only."""
    target = draft.target
    if target is None or draft.target_kind is None:
        raise Refused("not_found", "There is no such user.", field="d.user", d={"what": "user"})
    if isinstance(draft.command, RoleGrant):
        role, until = _granted(draft.command, draft, at)
        touched = role
    else:
        role, until = None, None
        touched = state.role_of(target, at.now)
    present = state.role_of(target, at.now)
    only_vip = touched == "vip" and rank(present) <= rank("vip")
    require(state, draft.actor, "role.vip" if only_vip else "role.grant", at.now)
    require_above(state, draft.actor, target, at.now)
    if rank(touched) >= rank(state.role_of(draft.actor.id, at.now)):
        raise Refused(
            "role_too_low", "Nobody grants a role that is not below his own.", d={"targetRole": touched}
        )
    if role is None and target not in state.roles:
        raise Refused("already", "This user has no role here.")
    kind = "role.revoke" if role is None else "role.grant"
    effective = role or ("guest" if target.startswith("g_") else "viewer")
    mine = MyRole(ch=draft.ch, role=effective, caps=tuple(sorted(caps_of(effective))))
    events: Events = [
        _room(draft, RoleChanged(target, role, until)),
        _acted(state, draft, at, kind, {"role": role, "until": until}, target=target),
        (StreamKey("me", target), mine, None),
    ]
    return Decision(ActionReply(action=draft.fresh), events)


def _granted(command: RoleGrant, draft: Draft, at: At) -> tuple[str, int | None]:
    if command.role not in ("lead", "moderator", "helper", "vip", "member"):
        raise Refused(
            "bad_request",
            "A role that can be granted is lead, moderator, helper, vip or member.",
            field="d.role",
            d={"reason": "unknown_value"},
        )
    if draft.target_kind == "guest":
        raise Refused("conflict", "A guest can hold no role; he would need an account.", field="d.user")
    return command.role, None if command.seconds is None else at.now + command.seconds * 1000


class EditChannel(dict[str, Any]):
    """Not a command of the socket: the changed columns of a channel's card, from REST."""


def settle_edit(state: RoomState, draft: Draft, at: At) -> Decision:
    """The channel's card changes; viewers learn of it as `stream.state`."""
    if state.role_of(draft.actor.id, at.now) != "owner":
        raise Refused("forbidden", "Only the channel's owner may change it.", d={"cap": "channel.edit"})
    changes = dict(draft.command)
    return Decision({}, [_room(draft, ChannelChanged(changes))])
