"""Where the suite of the Log port runs: every implementation, as two nodes on one log. Knows how each is made."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from chatcore.log.database import Database
from chatcore.log.memory import MemoryLog
from chatcore.log.port import Ground, Heads, Log
from chatcore.log.sqlite import SqliteLog
from chatcore.room.events import Entry, Gone, Message, Said, Stored, StreamKey
from chatcore.room.state import Channel, RoomState

START = 1_790_000_000_000
CH = "c_1"
ROOM = StreamKey("room", CH)
MOD = StreamKey("mod", CH)


def card(channel: str) -> Channel:
    """A channel as it is made: nothing said, nobody but its owner."""
    return Channel(channel, channel[2:] + "-slug", "u_owner", "Title", "", (), False, "public", {}, START)


class Place:
    """Two nodes (`logs`) on one log, with a clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START
        self.logs: tuple[Log, Log]
        self.create: Callable[[str], Awaitable[None]]
        self._mids = itertools.count(1)

    def clock(self) -> int:
        return self.now

    @property
    def log(self) -> Log:
        return self.logs[0]

    def mid(self) -> str:
        return f"m_{next(self._mids):04}"

    async def write(
        self, *events: tuple[StreamKey, Stored, Message | None], log: Log | None = None
    ) -> list[Entry]:
        """One append of these events, numbered on from what the log holds."""
        log = log or self.log
        channels = {stream.owner for stream, _, _ in events if stream.kind != "me"}
        claims = {ch: await self.heads(ch) for ch in channels}

        def decide(ground: Ground) -> list[Entry]:
            assert not ground.missed
            return numbered(claims, events, self.now)

        return await log.append(claims, decide)

    async def heads(self, channel: str) -> Heads:
        found = await self.log.heads([StreamKey("room", channel), StreamKey("mod", channel)])
        return found[StreamKey("room", channel)], found[StreamKey("mod", channel)]

    def said(
        self,
        user: str = "u_ann",
        text: str = "hi",
        *,
        ch: str = CH,
        idem: str | None = None,
        reply: str | None = None,
    ) -> tuple[StreamKey, Stored, Message | None]:
        """An event that says something; its n and ts are filled in by `numbered`."""
        mid = self.mid()
        frags = ({"k": "link", "start": 0, "end": 1, "href": "https://a.example"},)
        message = Message(mid, 0, user, 0, text, frags, reply, reply, ("first",))
        return StreamKey("room", ch), Said(mid, user, self.now + 7, idem), message


def gone(*mids: str, ch: str = CH) -> tuple[StreamKey, Stored, Message | None]:
    """Messages that staff removed."""
    return StreamKey("room", ch), Gone("staff", mids), None


def numbered(
    claims: dict[str, Heads], events: Sequence[tuple[StreamKey, Stored, Message | None]], now: int
) -> list[Entry]:
    """Entries after these heads, as a decision numbers them."""
    heads = {
        (kind, ch): n for ch, pair in claims.items() for kind, n in zip(("room", "mod"), pair, strict=True)
    }
    entries: list[Entry] = []
    for stream, event, message in events:
        n = 0
        if stream.kind != "me":
            n = heads[stream.kind, stream.owner] = heads[stream.kind, stream.owner] + 1
        placed = None if message is None else msgspec.structs.replace(message, n=n, ts=now)
        entries.append(Entry(stream, n, now, event, placed))
    return entries


async def state(log: Log, channel: str = CH) -> RoomState:
    """The room as it is read; it exists."""
    room = await log.room(channel)
    assert room is not None
    return room


@asynccontextmanager
async def in_memory(_folder: Path) -> AsyncGenerator[Place]:
    """The twin: both nodes are the same object."""
    place = Place()
    log = MemoryLog(now=place.clock)

    async def create(channel: str) -> None:
        log.create(card(channel))

    place.logs, place.create = (log, log), create
    yield place


def insert_channel(database: Database, channel: str) -> Awaitable[None]:
    """A channel's rows, as the community package makes them."""
    made = card(channel)

    def work(db: object) -> None:
        import sqlite3

        assert isinstance(db, sqlite3.Connection)
        db.execute(
            "INSERT INTO channel (id, slug, owner, title, created_at) VALUES (?, ?, ?, ?, ?)",
            (made.id, made.slug, made.owner, made.title, made.created_at),
        )
        db.executemany(
            "INSERT INTO stream (kind, owner) VALUES (?, ?)", [("room", channel), ("mod", channel)]
        )

    return database.write(work)


@asynccontextmanager
async def on_sqlite(folder: Path) -> AsyncGenerator[Place]:
    """A real file; two logs over one database write as two nodes would."""
    place = Place()
    database = await Database.open(folder / "cascade.db")
    try:
        one = await SqliteLog.open(database, now=place.clock, fresh="k1")
        place.logs = one, SqliteLog(database, one.epoch, place.clock)
        place.create = lambda channel: insert_channel(database, channel)
        yield place
    finally:
        await database.close()


PLACES = {"memory": in_memory, "sqlite": on_sqlite}
