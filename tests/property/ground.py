"""The ground that histories stand on: virtual time, a log that answers late, and people who are simply there.

Time is virtual: the loop jumps to its next timer, so a night's sleep takes no time and nothing depends on the machine.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar

from chatcore.fanout.hub import FanoutLimits
from chatcore.fanout.ring import RingRules
from chatcore.log.memory import MemoryLog
from chatcore.log.port import Page
from chatcore.people.principal import GuestEntry, Name, Principal
from chatcore.room.events import StreamKey
from chatcore.room.state import Facts, RoomState
from chatcore.session.ports import SessionConfig
from schemas.errors import Refused

T = TypeVar("T")

START = 1_790_000_000_000
CH = "c_1"
OWNER = "u_owner"
USERS = (OWNER, "u_ann", "u_bob", "g_cat")
ROOM, MOD = StreamKey("room", CH), StreamKey("mod", CH)
RECENT = 50

FANOUT = FanoutLimits(backlog=64_000, ring=RingRules(entries=24, total=8_000, chunk=700, recent=2_000))
NO_LIMITS = SessionConfig(
    resume_events=60,
    viewers=None,
    staff=None,
    refused=None,
    join=None,
    query=None,
    mod=None,
    check=None,
)


class _Jump(selectors.SelectSelector):
    """Instead of waiting, time moves on."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("everybody waits for something that nobody will do")
        self.seconds += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.seconds


class StaleLog(MemoryLog):
    """What is read takes a while to arrive: it is true as of the moment when it was asked for, and no later."""

    lag: Callable[[], float] = staticmethod(lambda: 0.0)

    async def room(self, channel: str) -> RoomState | None:
        return await self._late(await super().room(channel))

    async def facts(self, channel: str, users: Iterable[str], mids: Iterable[str]) -> Facts:
        return await self._late(await super().facts(channel, users, mids))

    async def heads(self, streams: Iterable[StreamKey]) -> dict[StreamKey, int]:
        return await self._late(await super().heads(streams))

    async def first_since(self, channel: str, user: str, ts: int) -> int | None:
        return await self._late(await super().first_since(channel, user, ts))

    async def read(
        self,
        stream: StreamKey,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int,
        order: Literal["oldest", "newest"] = "oldest",
        said_only: bool = False,
        standing_only: bool = False,
    ) -> Page:
        page = await super().read(
            stream,
            after=after,
            before=before,
            limit=limit,
            order=order,
            said_only=said_only,
            standing_only=standing_only,
        )
        return await self._late(page)

    async def _late(self, found: T) -> T:
        await asyncio.sleep(self.lag())
        return found


class Folk:
    """People who are simply there: the token of `u_ann` is `cs_u_ann`."""

    def __init__(self) -> None:
        self.names_asked = 0

    async def authenticate(self, token: str, *, address: str | None = None) -> Principal:
        del address
        await asyncio.sleep(0)
        user = token.removeprefix("cs_")
        name = self.name_of(user)
        if name is None:
            raise Refused("unauthenticated")
        return Principal(user, name.kind, name.name, name.display_name, frozenset(), f"x{user}", None)

    def is_revoked(self, principal: Principal) -> bool:
        del principal
        return False

    def seen(self, principal: Principal) -> None:
        del principal

    async def guest(self, name: str, token: str | None, *, address: str) -> GuestEntry:
        raise Refused("rate_limited", after_ms=1, d={})

    def name_of(self, person: str) -> Name | None:
        if person not in USERS:
            return None
        kind: Literal["guest", "user"] = "guest" if person.startswith("g_") else "user"
        return Name(person, person[2:], person[2:].title(), kind)

    async def names(self, ids: Iterable[str]) -> Mapping[str, Name]:
        self.names_asked += 1
        await asyncio.sleep(0)
        return {person: name for person in ids if (name := self.name_of(person)) is not None}

    async def find_user(self, ref: str) -> Name | None:
        await asyncio.sleep(0)
        return self.name_of("u_" + ref[1:] if ref.startswith("@") else ref)

    async def guests_named(self, name: str) -> list[Name]:
        await asyncio.sleep(0)
        found = self.name_of("g_" + name.removeprefix("@"))
        return [] if found is None else [found]
