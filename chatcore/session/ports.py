"""Owns what the session layer needs of people and of the outside, in its own words; `web` plugs the real ones in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chatcore.limits import Spec
from chatcore.people.principal import GuestEntry, Name, Principal
from chatcore.room.drafts import STAFF, VIEWERS, Bucket
from schemas import limits


class People(Protocol):
    """Who somebody is. Implemented by `chatcore.people.service.People`."""

    async def authenticate(self, token: str, *, address: str | None = None) -> Principal:
        """With an address, failures count there. Raises Refused unauthenticated, token_expired, rate_limited."""
        ...

    def is_revoked(self, principal: Principal) -> bool:
        """Whether a principal resolved a moment ago has ended meanwhile."""
        ...

    def seen(self, principal: Principal) -> None:
        """Somebody is still here."""
        ...

    async def guest(self, name: str, token: str | None, *, address: str) -> GuestEntry:
        """Raises Refused bad_request, term, rate_limited."""
        ...

    def name_of(self, person: str) -> Name | None:
        """From the cache, None if it is not there."""
        ...

    async def names(self, ids: Iterable[str]) -> Mapping[str, Name]:
        """Look up, and into the cache; unknown ids are left out."""
        ...

    async def find_user(self, ref: str) -> Name | None:
        """By id or `@name`."""
        ...

    async def guests_named(self, name: str) -> list[Name]:
        """Guests of that name seen in the last 24 h."""
        ...


Clock = Callable[[], int]
Entropy = Callable[[int], bytes]
Cookie = Callable[[], Awaitable[Principal | None]]


#: Frames of one connection, whatever they say; beyond it is no conversation (close 4008).
FLOOD = Bucket(2000, 10_000)
REFUSED = Spec("send", 60, 30_000)
JOIN = Spec("join", 20, 10_000)
QUERY = Spec("query", 120, 30_000)
MOD = Spec("mod", 120, 30_000)
CHECK = Spec("check", 30, 30_000)


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Numbers of the session layer; the defaults are the protocol's. `None` for a limit switches it off."""

    server: str = "cascade"
    ping_ms: int = limits.PING_MS
    pong_ms: int = limits.PONG_MS
    auth_ms: int = limits.AUTH_MS
    frame: int = limits.FRAME
    in_flight: int = limits.IN_FLIGHT
    channels: int = limits.CHANNELS
    resume_events: int = 2000
    flood: Bucket | None = FLOOD
    viewers: Bucket | None = VIEWERS
    staff: Bucket | None = STAFF
    refused: Spec | None = REFUSED
    join: Spec | None = JOIN
    query: Spec | None = QUERY
    mod: Spec | None = MOD
    check: Spec | None = CHECK
    goaway_spread_ms: int = 2_000
