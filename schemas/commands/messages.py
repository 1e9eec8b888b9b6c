"""Commands on messages and roles (PROTOCOL.md sections 6 and 7).

Owns their members and crude bounds. Refuses to judge texts and ranks.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from schemas.commands.bounds import Text
from schemas.values import (
    Id,
    Idem,
    Payload,
    Reason,
    ReportPolicy,
    Seconds,
    UserName,
)

# -- section 6: messages -------------------------------------------------------------------------------------


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


# -- section 7: roles ----------------------------------------------------------------------------------------


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
