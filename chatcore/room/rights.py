"""Owns the question "may he?": capabilities of an actor in a room, and who stands above whom (protocol 7).

The table of roles is `schemas.roles`; grants are the room's state; scopes are the credential's.
"""

from __future__ import annotations

from chatcore.room.drafts import Actor
from chatcore.room.policy import effective
from chatcore.room.state import RoomState
from schemas.errors import Refused
from schemas.roles import caps_of, rank

#: What a guest loses where the policy says so.
_GUEST_SPEECH = frozenset({"msg.send", "msg.report", "react", "poll.vote"})


def capabilities(state: RoomState, actor: Actor, now: int) -> frozenset[str]:
    """All that `actor` may do here: his role's capabilities, less the policy's, less what his credential lacks."""
    caps = caps_of(state.role_of(actor.id, now))
    if actor.kind == "guest" and state.channel.policy:
        policy = effective(state.channel.policy)
        if not policy["guests"]:
            caps -= _GUEST_SPEECH
        elif not policy["guestsVote"]:
            caps -= {"poll.vote"}
    return caps if actor.scopes is None else caps & actor.scopes


def require(state: RoomState, actor: Actor, cap: str, now: int) -> None:
    """Raises Refused forbidden unless `actor` has `cap` here."""
    if cap not in capabilities(state, actor, now):
        raise Refused("forbidden", f"This needs the right {cap} in the channel.", d={"cap": cap})


def require_above(state: RoomState, actor: Actor, target: str, now: int) -> None:
    """Raises Refused role_too_low unless the actor's role is higher than the target's."""
    role = state.role_of(target, now)
    if rank(state.role_of(actor.id, now)) <= rank(role):
        raise Refused("role_too_low", "Nobody acts on an equal or a higher role.", d={"targetRole": role})
