"""The embedded log: streams, events and their projections in one SQLite file. See the port for the contract.

A batch is a handful of statements however many entries it has: rows travel as one JSON array and are taken apart by
SQLite (`json_each`), so the writer thread asks for Python's lock a few times per commit and not once per row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from chatcore.log import epoch as epochs
from chatcore.log.database import Database, DatabaseUnavailable
from chatcore.log.port import Decide, Ground, Heads, Page, Row, Unavailable
from chatcore.log.project import project
from chatcore.room.events import Entry, Message, Said, StreamKey, decode_stored, encode_stored
from chatcore.room.state import IDEM_MS, Author, Channel, Facts, Grant, Mode, Remembered, RoomState, Sanction

_JSON = msgspec.json.Encoder()
_FRAGS = msgspec.json.Decoder(tuple[dict[str, Any], ...])
_FLAGS = msgspec.json.Decoder(tuple[str, ...])


def _columns(alias: str) -> str:
    names = ("mid", "n", "user", "ts", "text", "frags", "reply", "root", "flags", "gone")
    return ", ".join(f"{alias}.{name}" for name in names)


_WIDTH = 10

_INSERT_EVENTS = """
INSERT INTO event (stream, n, ts, body)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
  json_extract(value, '$[3]')
FROM json_each(?)"""

_INSERT_MESSAGES = """
INSERT INTO message (channel, n, mid, user, ts, text, frags, reply, root, flags, idem)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
  json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'), json_extract(value, '$[6]'),
  json_extract(value, '$[7]'), json_extract(value, '$[8]'), json_extract(value, '$[9]'), json_extract(value, '$[10]')
FROM json_each(?)"""

_MESSAGES_BY_ID = (
    "SELECT "
    + _columns("m")
    + " FROM message AS m WHERE m.channel = ? AND m.mid IN (SELECT value FROM json_each(?))"
)


def _read_sql(said: bool, standing: bool, order: str) -> str:
    """Events of one stream with their message and the message that it answers; only constants are put together."""
    return f"""SELECT s.head, e.n, e.ts, e.body, {_columns("m")}, {_columns("p")}
    FROM stream AS s JOIN event AS e ON e.stream = s.id AND e.n > ? AND e.n < ?
    {"" if said else "LEFT"} JOIN message AS m ON m.channel = s.owner AND m.n = e.n AND s.kind = 'room'
    {"AND m.gone IS NULL" if standing else ""}
    LEFT JOIN message AS p ON p.mid = m.reply
    WHERE s.owner = ? AND s.kind = ? ORDER BY e.n {"ASC" if order == "oldest" else "DESC"} LIMIT ?"""


_READS = {
    (said, standing, order): _read_sql(said, standing, order)
    for said in (False, True)
    for standing in (False, True)
    for order in ("oldest", "newest")
}

_NEXT_PERSONAL = """
INSERT INTO stream (kind, owner, head, last_ts) VALUES ('me', ?, 1, ?)
ON CONFLICT (owner, kind) DO UPDATE SET head = head + 1, last_ts = max(last_ts, excluded.last_ts)
RETURNING id, head, last_ts"""


class _Behind(Exception):
    """Another writer was there first; the transaction is undone and decided again."""


class SqliteLog:
    """Open with `await SqliteLog.open(database, now=…, fresh=…)`."""

    def __init__(self, database: Database, epoch: str, now: Callable[[], int]) -> None:
        self._database = database
        self._epoch = epoch
        self._now = now
        self._ids: dict[StreamKey, int] = {}

    @classmethod
    async def open(cls, database: Database, *, now: Callable[[], int], fresh: str) -> SqliteLog:
        """`fresh` is the epoch that a new or restored log gets. Raises DatabaseUnavailable, OSError."""
        sentinel = Path(database.path).with_suffix(".boot")
        epoch, boot = await database.write(lambda connection: epochs.begin(connection, sentinel, fresh))
        epochs.seal(sentinel, boot)
        return cls(database, epoch, now)

    @property
    def epoch(self) -> str:
        """See the port."""
        return self._epoch

    # -- writing -----------------------------------------------------------------------------------------------

    async def append(self, claims: Mapping[str, Heads], decide: Decide) -> list[Entry]:
        """See the port. Decides on the loop and writes by compare-and-set on the heads; a lost race is decided anew."""
        known = dict(claims)
        missed: dict[str, list[Entry]] = {}
        try:
            while True:
                entries = decide(Ground(self._now(), missed))
                if not entries:
                    return []
                for channel, found in missed.items():
                    known[channel] = _advanced(known[channel], found)
                try:
                    await self._database.submit(self._writing(known, entries))
                    return entries
                except _Behind:
                    missed = await self._missed(known)
                    if not missed:
                        await self._check_there(known)
        except (DatabaseUnavailable, sqlite3.Error) as error:
            raise Unavailable(str(error)) from error

    async def _check_there(self, known: Mapping[str, Heads]) -> None:
        """Behind, and nothing was missed: right after a batch that failed as a whole, else a channel is gone."""
        heads = await self.heads([StreamKey("room", channel) for channel in known])
        for stream, head in heads.items():
            if head < known[stream.owner][0] or (head == 0 and not await self._has(stream)):
                raise Unavailable(f"The channel {stream.owner} was deleted.")

    async def _has(self, stream: StreamKey) -> bool:
        sql = "SELECT 1 FROM stream WHERE owner = ? AND kind = ?"
        return bool(await self._query(sql, (stream.owner, stream.kind)))

    def _writing(
        self, known: Mapping[str, Heads], entries: list[Entry]
    ) -> Callable[[sqlite3.Connection], None]:
        heads: dict[StreamKey, tuple[int, int]] = {}
        for entry in entries:
            if entry.stream.kind != "me":
                heads[entry.stream] = (entry.n, entry.ts)
        # Decisions rest on the room stream: one that writes `mod` alone must have seen all of it too.
        rested = {StreamKey("room", stream.owner) for stream in heads} - set(heads)

        def write(connection: sqlite3.Connection) -> None:
            for stream in sorted(heads):
                n, ts = heads[stream]
                expected = known[stream.owner][0 if stream.kind == "room" else 1]
                moved = connection.execute(
                    "UPDATE stream SET head = ?, last_ts = ? WHERE owner = ? AND kind = ? AND head = ?",
                    (n, ts, stream.owner, stream.kind, expected),
                )
                if moved.rowcount != 1:
                    raise _Behind
            for stream in rested:
                (head,) = connection.execute(
                    "SELECT head FROM stream WHERE owner = ? AND kind = ?", (stream.owner, stream.kind)
                ).fetchone()
                if head != known[stream.owner][0]:
                    raise _Behind
            rows: list[tuple[int, int, int, str]] = []
            for entry in entries:
                stream_id = self._place(connection, entry)
                rows.append((stream_id, entry.n, entry.ts, encode_stored(entry.event).decode()))
            connection.execute(_INSERT_EVENTS, (_JSON.encode(rows).decode(),))
            said = [_message_row(entry) for entry in entries if isinstance(entry.event, Said)]
            if said:
                connection.execute(_INSERT_MESSAGES, (_JSON.encode(said).decode(),))
            for entry in entries:
                project(connection, entry)

        return write

    def _place(self, connection: sqlite3.Connection, entry: Entry) -> int:
        """The id of the entry's stream; a personal stream hands out its next n here, in the transaction."""
        if entry.stream.kind == "me":
            stream_id, entry.n, entry.ts = connection.execute(
                _NEXT_PERSONAL, (entry.stream.owner, entry.ts)
            ).fetchone()
            return stream_id
        known = self._ids.get(entry.stream)
        if known is None:
            (known,) = connection.execute(
                "SELECT id FROM stream WHERE owner = ? AND kind = ?", (entry.stream.owner, entry.stream.kind)
            ).fetchone()
            self._ids[entry.stream] = known
        return known

    async def _missed(self, known: Mapping[str, Heads]) -> dict[str, list[Entry]]:
        missed: dict[str, list[Entry]] = {}
        for channel, (room, mod) in known.items():
            rows = (await self.read(StreamKey("room", channel), after=room, limit=100_000)).rows
            rows += (await self.read(StreamKey("mod", channel), after=mod, limit=100_000)).rows
            if rows:
                missed[channel] = [row.entry for row in rows]
        return missed

    # -- reading -----------------------------------------------------------------------------------------------

    async def room(self, channel: str) -> RoomState | None:
        """See the port. Read on the writer's thread, so that it is one moment."""
        horizon = self._now() - IDEM_MS
        return await self._guard(self._database.write(lambda connection: _load(connection, channel, horizon)))

    async def facts(self, channel: str, users: Iterable[str], mids: Iterable[str]) -> Facts:
        """See the port. The head is read first: what is newer than it is joined again without harm."""
        heads = await self._query("SELECT head FROM stream WHERE owner = ? AND kind = 'room'", (channel,))
        authors = {user: Author(0, 0, 0) for user in users}
        if authors:
            rows = await self._query(
                """SELECT u.value, m.n, e.ts, e.body FROM json_each(?) AS u
                JOIN message AS m ON m.channel = ?2 AND m.user = u.value AND m.n =
                  (SELECT max(n) FROM message WHERE channel = ?2 AND user = u.value)
                JOIN stream AS s ON s.owner = ?2 AND s.kind = 'room'
                JOIN event AS e ON e.stream = s.id AND e.n = m.n""",
                (_JSON.encode(list(authors)).decode(), channel),
            )
            for user, n, ts, body in rows:
                event = decode_stored(body)
                authors[user] = Author(n, ts, event.bucket if isinstance(event, Said) else 0)
        messages: dict[str, Message] = {}
        wanted = list(mids)
        if wanted:
            rows = await self._query(_MESSAGES_BY_ID, (channel, _JSON.encode(wanted).decode()))
            messages = {row[0]: _message(row) for row in rows}
        return Facts(heads[0][0] if heads else 0, authors, messages)

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
        """See the port."""
        form = (said_only or standing_only, standing_only, order)
        below = 2**62 if before is None else before
        params = (after or 0, below, stream.owner, stream.kind, limit + 1)
        rows = await self._query(_READS[form], params)
        more = len(rows) > limit
        found = [_row(stream, row) for row in rows[:limit]]
        if order == "newest":
            found.reverse()
        head = rows[0][0] if rows else (await self.heads([stream]))[stream]
        return Page(found, more, head)

    async def first_since(self, channel: str, user: str, ts: int) -> int | None:
        """See the port."""
        rows = await self._query(
            "SELECT min(n) FROM message WHERE channel = ? AND user = ? AND ts >= ?", (channel, user, ts)
        )
        return rows[0][0]

    async def channels_of(self, user: str) -> list[str]:
        """See the port. Reads the whole index of authors: for deletions of accounts, not for traffic."""
        return [
            ch for (ch,) in await self._query("SELECT DISTINCT channel FROM message WHERE user = ?", (user,))
        ]

    async def forget_author(self, channel: str, user: str, *, texts: bool) -> None:
        """See the port."""
        sql = "UPDATE message SET user = NULL, text = '', frags = '[]' WHERE channel = ? AND user = ?"
        if not texts:
            sql = "UPDATE message SET user = NULL WHERE channel = ? AND user = ?"
        await self._guard(self._database.write(lambda db: db.execute(sql, (channel, user)) and None))

    async def heads(self, streams: Iterable[StreamKey]) -> dict[StreamKey, int]:
        """See the port."""
        wanted = list(streams)
        rows = await self._query(
            """SELECT s.kind, s.owner, s.head FROM json_each(?) AS w JOIN stream AS s
            ON s.owner = json_extract(w.value, '$[1]') AND s.kind = json_extract(w.value, '$[0]')""",
            (_JSON.encode(wanted).decode(),),
        )
        found: dict[StreamKey, int] = {StreamKey(kind, owner): head for kind, owner, head in rows}
        return {stream: found.get(stream, 0) for stream in wanted}

    async def _query(self, sql: str, params: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return await self._guard(self._database.query(sql, params))

    @staticmethod
    async def _guard(work: Any) -> Any:
        try:
            return await work
        except (DatabaseUnavailable, sqlite3.Error) as error:
            raise Unavailable(str(error)) from error


def _advanced(heads: Heads, entries: list[Entry]) -> Heads:
    room, mod = heads
    for entry in entries:
        if entry.stream.kind == "room":
            room = entry.n
        else:
            mod = entry.n
    return room, mod


def _message_row(entry: Entry) -> tuple[Any, ...]:
    message, said = entry.message, entry.event
    if message is None or not isinstance(said, Said):
        raise AssertionError("a said entry carries its message")
    return (
        entry.stream.owner,
        entry.n,
        message.mid,
        message.user,
        entry.ts,
        message.text,
        _JSON.encode(message.frags).decode() if message.frags else "[]",
        message.reply,
        message.root,
        _JSON.encode(message.flags).decode() if message.flags else "[]",
        said.idem,
    )


def _message(row: tuple[Any, ...]) -> Message:
    mid, n, user, ts, text, frags, reply, root, flags, gone = row
    return Message(mid, n, user, ts, text, _FRAGS.decode(frags), reply, root, _FLAGS.decode(flags), gone)


def _row(stream: StreamKey, row: tuple[Any, ...]) -> Row:
    _, n, ts, body, *rest = row
    message = _message(tuple(rest[:_WIDTH])) if rest[0] is not None else None
    parent = _message(tuple(rest[_WIDTH:])) if rest[_WIDTH] is not None else None
    return Row(Entry(stream, n, ts, decode_stored(body), message), parent)


def _load(connection: sqlite3.Connection, channel: str, horizon: int) -> RoomState | None:
    card = load_channel(connection, channel)
    if card is None:
        return None
    rows = connection.execute("SELECT kind, head, last_ts FROM stream WHERE owner = ?", (channel,)).fetchall()
    streams = {kind: (head, ts) for kind, head, ts in rows}
    room, mod = streams.get("room", (0, 0)), streams.get("mod", (0, 0))
    state = RoomState(card, room[0], mod[0], max(room[1], mod[1]))
    state.roles = {
        user: Grant(role, until)
        for user, role, until in connection.execute(
            "SELECT user, role, until FROM role WHERE channel = ?", (channel,)
        )
    }
    state.modes = {
        name: Mode(msgspec.json.decode(value), until, by)
        for name, value, until, by in connection.execute(
            "SELECT name, value, until, by FROM mode WHERE channel = ?", (channel,)
        )
    }
    state.sanctions = {
        user: Sanction(kind, until, action, reason)
        for user, kind, until, action, reason in connection.execute(
            "SELECT user, kind, until, action, reason FROM sanction WHERE channel = ?", (channel,)
        )
    }
    remembered = connection.execute(
        """SELECT user, idem, mid, n, ts FROM message WHERE channel = ?1 AND idem IS NOT NULL AND n >
        coalesce((SELECT n FROM message WHERE channel = ?1 AND ts <= ?2 ORDER BY n DESC LIMIT 1), 0) ORDER BY n""",
        (channel, horizon),
    )
    state.idems = {(user, idem): Remembered(mid, n, ts) for user, idem, mid, n, ts in remembered}
    return state


def load_channel(connection: sqlite3.Connection, channel: str) -> Channel | None:
    """The card of a channel by its id, None without one."""
    row = connection.execute(
        "SELECT " + CHANNEL_COLUMNS + " FROM channel WHERE id = ?", (channel,)
    ).fetchone()
    return None if row is None else channel_of(row)


CHANNEL_COLUMNS = (
    "id, slug, owner, title, category, tags, mature, visibility, policy, created_at, scheduled_at"
)


def channel_of(row: tuple[Any, ...]) -> Channel:
    """A row of CHANNEL_COLUMNS as a card."""
    cid, slug, owner, title, category, tags, mature, visibility, policy, created_at, scheduled_at = row
    return Channel(
        cid,
        slug,
        owner,
        title,
        category,
        _FLAGS.decode(tags),
        bool(mature),
        visibility,
        msgspec.json.decode(policy),
        created_at,
        scheduled_at,
    )
