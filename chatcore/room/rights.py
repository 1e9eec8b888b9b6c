"""Owns the question "may he?": capabilities of an actor in a room, and who stands above whom (protocol 7).

The table of roles is `schemas.roles`; grants are the room's state; scopes are the credential's.
"""

from __future__ import annotations

from chatcore.room.drafts import Actor
from chatcore.room.policy import DEFAULTS
from chatcore.room.state import RoomState, Sanction
from schemas.errors import Refused
from schemas.roles import caps_of, rank

#: What a guest loses where the policy says so.
_GUEST_SPEECH = frozenset({"msg.send", "msg.report", "react", "poll.vote"})
_VOTE = frozenset({"poll.vote"})


def capabilities(state: RoomState, actor: Actor, now: int) -> frozenset[str]:
    """All that `actor` may do here: his role's capabilities, less the policy's, less what his credential lacks."""
    caps = caps_of(state.role_of(actor.id, now))
    if actor.kind == "guest":
        policy = state.channel.policy
        if not policy.get("guests", DEFAULTS["guests"]):
            caps -= _GUEST_SPEECH
        elif not policy.get("guestsVote", DEFAULTS["guestsVote"]):
            caps -= _VOTE
    if actor.maker is not None:
        caps &= caps_of(state.role_of(actor.maker, now))
    return caps if actor.scopes is None else caps & actor.scopes


def sanction_on(state: RoomState, actor: Actor, now: int) -> Sanction | None:
    """The timeout or ban that stops `actor`: his own, or his maker's, who could else go on through a bot."""
    own = state.sanction_of(actor.id, now)
    return own if own is not None or actor.maker is None else state.sanction_of(actor.maker, now)


def require(state: RoomState, actor: Actor, cap: str, now: int) -> None:
    """Raises Refused forbidden unless `actor` has `cap` here."""
    if cap not in capabilities(state, actor, now):
        raise Refused("forbidden", f"This needs the right {cap} in the channel.", d={"cap": cap})


def require_above(state: RoomState, actor: Actor, target: str, now: int) -> None:
    """Raises Refused role_too_low unless the actor's role is higher than the target's."""
    role = state.role_of(target, now)
    own = rank(state.role_of(actor.id, now))
    if actor.maker is not None:
        own = min(own, rank(state.role_of(actor.maker, now)))
    if own <= rank(role):
        raise Refused("role_too_low", "Nobody acts on an equal or a higher role.", d={"targetRole": role})
