"""Owns the settings of people as one frozen value. Refuses to know where they come from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from chatcore.people.passwords import Cost

DAY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class PeopleConfig:
    """`limits=False` switches rate limits off (development only); `signup="invite"` closes open sign-up."""

    limits: bool = True
    signup: Literal["open", "invite"] = "open"
    session_days: int = 30
    invite_days: int = 7
    password_cost: Cost = field(default_factory=Cost)
    #: Seconds between writes of who was here when, and between removals of what has expired.
    flush_s: float = 30.0
    sweep_s: float = 3600.0


#: Whether a user still owns channels.
OwnsChannels = Callable[[str], Awaitable[bool]]
#: What becomes of the messages of a deleted user: his id, then `erase` or `anonymise`.
ForgetMessages = Callable[[str, str], Awaitable[None]]


async def owns_nothing(_user: str) -> bool:
    """The port for where there are no channels."""
    return False


async def no_messages(_user: str, _how: str) -> None:
    """The port for where there are no messages."""
