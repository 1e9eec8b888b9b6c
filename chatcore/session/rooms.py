"""Owns the rooms that live on this node: loads them once, brings facts their decisions need, follows the committer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from chatcore.batch import Batcher
from chatcore.fanout.hub import Hub
from chatcore.log.port import Log, Page, Row, Unavailable
from chatcore.room.encode import people_in
from chatcore.room.events import Entry, StreamKey
from chatcore.room.state import Facts, RoomState
from chatcore.session.live_room import RECENT, LiveRoom
from chatcore.session.ports import Clock, People
from schemas.errors import Refused

#: Newest events that a room has at hand when it is loaded: what clients missed during a restart is among them.
PRIMED = 500
IDLE_MS = 600_000

FindChannel = Callable[[str], Awaitable[str | None]]
"""The id of the channel with this slug."""


class Rooms:
    """`told(channel, entries)` hears what became durable in a channel after the room followed it, `personal` the
    entries of `me` streams."""

    def __init__(self, log: Log, hub: Hub, people: People, find_channel: FindChannel, clock: Clock) -> None:
        self.log = log
        self.told: Callable[[LiveRoom, Sequence[Entry]], None] | None = None
        self.personal: Callable[[Entry], None] | None = None
        self._hub = hub
        self._people = people
        self._find_channel = find_channel
        self._clock = clock
        self._rooms: dict[str, LiveRoom] = {}
        self._loading: dict[str, asyncio.Task[LiveRoom | None]] = {}
        self._slugs: dict[str, str] = {}
        self._facts: dict[str, Batcher[tuple[str, str], None]] = {}

    def all(self) -> list[LiveRoom]:
        """The rooms that are loaded."""
        return list(self._rooms.values())

    def get(self, ref: str) -> LiveRoom | None:
        """The room of a channel id or `@slug` if it is loaded."""
        return self._rooms.get(self._slugs.get(ref, ref) if ref[:1] == "@" else ref)

    async def load(self, ref: str) -> LiveRoom:
        """The room of a channel id or `@slug`, loaded if need be. Raises Refused not_found, overloaded."""
        room = self.get(ref)
        if room is not None:
            return room
        try:
            channel = await self._find_channel(ref[1:].lower()) if ref.startswith("@") else ref
            room = None if channel is None else await self._once(channel)
        except Unavailable as error:
            raise Refused("overloaded", after_ms=1000) from error
        if room is None:
            raise Refused("not_found", "There is no such channel.", field="ch", d={"what": "channel"})
        if ref.startswith("@"):
            self._slugs[ref] = room.id
        return room

    async def _once(self, channel: str) -> LiveRoom | None:
        known = self._rooms.get(channel)
        if known is not None:
            return known
        task = self._loading.get(channel)
        if task is None:
            task = self._loading[channel] = asyncio.get_running_loop().create_task(self._load(channel))
            task.add_done_callback(lambda _: self._loading.pop(channel, None))
        return await asyncio.shield(task)

    async def _load(self, channel: str) -> LiveRoom | None:
        state = await self.log.room(channel)
        if state is None:
            return None
        page = await self.log.read(
            StreamKey("room", channel), before=state.head + 1, limit=PRIMED, order="newest"
        )
        older = await self._older(channel, page)
        wanted = {state.channel.owner}
        for row in [*older, *page.rows]:
            wanted |= people_in(row.entry, row.parent)
        await self._people.names(wanted)
        if channel not in self._loading:  # deleted while it was read
            return None
        room = LiveRoom(state, self._hub.room(channel), self._people, self.log.epoch)
        room.prime(page.rows, self._clock(), older)
        self._rooms[channel] = room
        return room

    async def _older(self, channel: str, page: Page) -> list[Row]:
        """The standing messages before `page` that `recent` lacks where most of the page was deleted."""
        standing = sum(row.entry.message is not None and row.entry.message.gone is None for row in page.rows)
        if standing >= RECENT or not page.more:
            return []
        before = page.rows[0].entry.n
        found = await self.log.read(
            StreamKey("room", channel),
            before=before,
            limit=RECENT - standing,
            order="newest",
            said_only=True,
            standing_only=True,
        )
        return found.rows

    # -- facts -------------------------------------------------------------------------------------------------

    async def ensure(self, room: LiveRoom, users: Iterable[str], mids: Iterable[str]) -> None:
        """Have these authors and messages in the room's windows, as far as they exist."""
        state = room.state
        keys = [("u", user) for user in users if user not in state.authors]
        keys += [("m", mid) for mid in mids if mid not in state.messages]
        if not keys:
            return
        batcher = self._facts.get(room.id)
        if batcher is None:
            batcher = self._facts[room.id] = Batcher(lambda asked: self._bring(room, asked))
        await asyncio.gather(*[batcher.submit(key) for key in keys])

    async def _bring(self, room: LiveRoom, keys: list[tuple[str, str]]) -> list[None]:
        users = [key for kind, key in keys if kind == "u"]
        mids = [key for kind, key in keys if kind == "m"]
        facts: Facts = await self.log.facts(room.id, users, mids)
        while not room.state.absorb(facts):
            facts = await self.log.facts(room.id, users, mids)
        return [None] * len(keys)

    # -- following ---------------------------------------------------------------------------------------------

    def state_of(self, channel: str) -> RoomState | None:
        """For the committer: the live state. Drafts are only made for loaded rooms; None once it is forgotten."""
        room = self._rooms.get(channel)
        return None if room is None else room.state

    def follow(self, entries: Sequence[Entry]) -> None:
        """For the committer: these entries are durable and applied."""
        now = self._clock()
        by_room: dict[str, list[Entry]] = {}
        for entry in entries:
            if entry.stream.kind == "me":
                if self.personal is not None:
                    self.personal(entry)
            else:
                by_room.setdefault(entry.stream.owner, []).append(entry)
        for channel, told in by_room.items():
            room = self._rooms.get(channel)
            if room is None:
                continue
            room.follow(told, now)
            if self.told is not None:
                self.told(room, told)

    def renamed(self, user: str) -> None:
        """A person has a new name."""
        for room in self._rooms.values():
            room.renamed(user)

    def reslugged(self, channel: str) -> None:
        """The channel has another slug."""
        self._slugs = {slug: known for slug, known in self._slugs.items() if known != channel}

    def forget(self, channel: str) -> None:
        """The channel is deleted: nobody can join it any more."""
        room = self._rooms.pop(channel, None)
        self._loading.pop(channel, None)
        self._facts.pop(channel, None)
        if room is not None:
            self.reslugged(channel)
            self._hub.drop(channel)

    def sweep(self, now: int) -> None:
        """Unload rooms that nobody is in and where nothing happened for ten minutes."""
        for room in self.all():
            if room.fan.members == 0 and room.quiet_since + IDLE_MS <= now:
                self.forget(room.id)
