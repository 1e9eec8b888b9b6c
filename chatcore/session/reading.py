"""Owns the commands that only read: history, who is here, and what would become of a text."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from chatcore.log.port import Page, Row
from chatcore.room.drafts import Actor, At, Draft
from chatcore.room.encode import Joins, Named, encode_entry, people_in
from chatcore.room.events import StreamKey
from chatcore.room.messages import clean
from chatcore.room.policy import text_max
from chatcore.room.rights import require
from chatcore.room.speak import admit
from chatcore.room.state import RoomState
from chatcore.session import slash
from chatcore.session.live_room import LiveRoom
from chatcore.session.ports import Clock, People
from chatcore.session.rooms import Rooms
from schemas import commands as c
from schemas.codec import error_of
from schemas.errors import Refused
from schemas.replies import HistoryReply, MsgCheckReply, RoomWhoReply
from schemas.values import StreamInfo

#: Rows looked through for kinds that are not stored apart, at most.
SCAN = 5000


class Reading:
    """Answers from the log and from the room as it is."""

    def __init__(self, rooms: Rooms, people: People, clock: Clock) -> None:
        self._rooms = rooms
        self._people = people
        self._clock = clock

    async def prepare(self, rows: list[Row]) -> None:
        """Have the names that these rows are shown with."""
        wanted: set[str] = set()
        for row in rows:
            wanted |= people_in(row.entry, row.parent)
        await self._people.names(wanted)

    def encode(self, joins: Joins, page: Page, state: RoomState | None) -> list[bytes]:
        """Rows as event JSON. What was deleted since they were read is not shown any more.

        Raises Refused overloaded if so much was that nobody remembers it: read again.
        """
        if (
            state is not None
            and not state.remembers(page.head)
            and any(row.entry.message for row in page.rows)
        ):
            raise Refused("overloaded", "Much is being deleted here; read again.", after_ms=100)
        found: list[bytes] = []
        for row in page.rows:
            entry, parent = row.entry, row.parent
            if state is not None and entry.message is not None:
                entry = msgspec.structs.replace(entry, message=state.since(entry.message, page.head))
                parent = None if parent is None else state.since(parent, page.head)
            found.append(encode_entry(joins, entry, parent))
        return found

    async def encoded(self, joins: Joins, page: Page, state: RoomState | None = None) -> list[bytes]:
        """`prepare` and `encode` in one."""
        await self.prepare(page.rows)
        return self.encode(joins, page, state)

    def personal_joins(self) -> Joins:
        """For entries of `me` streams: names, no room."""
        return Joins(self._rooms.log.epoch, self._named, _viewer, _nothing_on)

    def _named(self, user: str) -> Named | None:
        name = self._people.name_of(user)
        return None if name is None else Named(name.name, name.display_name, name.kind)

    async def history(self, actor: Actor | None, ch: str | None, command: c.History) -> HistoryReply:
        """Events of a stream around, before or after a place; newest without one (protocol 5)."""
        if command.s == "me":
            if actor is None:
                raise Refused("unauthenticated", "Only a known user has a stream of his own.")
            stream, joins, state = StreamKey("me", actor.id), self.personal_joins(), None
        else:
            room = await self._readable(actor, ch, command.s)
            stream, joins, state = room.key(command.s), room.joins, room.state
        bounds = [name for name in ("before", "after", "around") if getattr(command, name) is not None]
        if len(bounds) > 1:
            raise Refused(
                "bad_request",
                "Give one of before, after and around.",
                field=f"d.{bounds[1]}",
                d={"reason": "contradiction"},
            )
        page = await self._page(stream, command)
        return HistoryReply([Raw(event) for event in await self.encoded(joins, page, state)], page.more)

    async def _readable(self, actor: Actor | None, ch: str | None, stream: str) -> LiveRoom:
        if ch is None:
            raise Refused("bad_request", "Name the channel in ch.", field="ch", d={"reason": "missing"})
        room = await self._rooms.load(ch)
        now = self._clock()
        if not room.may_read(actor, now):
            raise Refused("forbidden", "This channel is not open to you.", d={"cap": "read"})
        if stream == "mod":
            if actor is None:
                raise Refused("forbidden", "Only staff read this stream.", d={"cap": "mod.read"})
            require(room.state, actor, "mod.read", now)
        return room

    async def _page(self, stream: StreamKey, command: c.History) -> Page:
        log, limit = self._rooms.log, command.limit
        said = command.kinds == ["msg.new"] and stream.kind == "room"
        if command.kinds is not None and not said:
            return await self._scan(stream, command, frozenset(command.kinds))
        if command.around is not None:
            older = await log.read(
                stream, before=command.around + 1, limit=limit // 2 + 1, order="newest", said_only=said
            )
            rest = limit - len(older.rows)
            newer = await log.read(stream, after=command.around, limit=max(rest, 1), said_only=said)
            more = older.more or newer.more or len(newer.rows) > rest
            return Page(older.rows + newer.rows[:rest], more, newer.head)
        order = "oldest" if command.after is not None else "newest"
        return await log.read(
            stream, after=command.after, before=command.before, limit=limit, order=order, said_only=said
        )

    async def _scan(self, stream: StreamKey, command: c.History, kinds: frozenset[str]) -> Page:
        newest = command.after is None
        centre = command.around
        page = await self._rooms.log.read(
            stream,
            after=command.after,
            before=command.before if centre is None else centre + SCAN // 2,
            limit=SCAN,
            order="newest" if newest else "oldest",
        )
        found = [row for row in page.rows if kind_of(row) in kinds]
        if centre is not None:
            upto = sum(row.entry.n <= centre for row in found)
            first = max(0, upto - (command.limit // 2 + 1))
            rows = found[first : first + command.limit]
        else:
            rows = found[-command.limit :] if newest else found[: command.limit]
        return Page(rows, page.more or len(found) > len(rows), page.head)

    def who(self, room: LiveRoom, command: c.RoomWho) -> RoomWhoReply:
        """A page of those who are here; the cursor is the last id shown."""
        members = room.who(self._clock())
        start = 0
        if command.cursor is not None:
            start = next(
                (i + 1 for i, member in enumerate(members) if member.id == command.cursor), len(members)
            )
        page = members[start : start + command.limit]
        more = start + len(page) < len(members)
        return RoomWhoReply(page, page[-1].id if more and page else None)

    def check(self, room: LiveRoom, actor: Actor, command: c.MsgCheck) -> MsgCheckReply:
        """What would become of the text if it were sent now."""
        if slash.is_command(command.text):
            return MsgCheckReply("command")
        now = self._clock()
        draft = Draft(room.id, actor, c.MsgSend(command.text), "")
        try:
            clean(slash.literal(command.text), text_max(room.state.channel.policy))
            admit(room.state, draft, At(now, self._rooms.log.epoch))
        except Refused as refusal:
            return MsgCheckReply("refused", err=_as_dict(refusal))
        return MsgCheckReply("published")


def _viewer(_user: str) -> str:
    return "viewer"


def _nothing_on() -> StreamInfo:
    return StreamInfo("offline", None, "", None, 0)


def _as_dict(refusal: Refused) -> dict[str, object]:
    built: dict[str, object] = msgspec.to_builtins(error_of(refusal))
    return built


_KINDS = {
    "Said": "msg.new",
    "Gone": "msg.gone",
    "ModeChanged": "room.mode",
    "RoleChanged": "role.changed",
    "Sanctioned": "user.sanctioned",
    "Unsanctioned": "user.unsanctioned",
    "ChannelChanged": "stream.state",
    "Acted": "action",
    "Noticed": "notify",
    "MyRole": "role.changed",
    "MySanction": "sanction.applied",
}


def kind_of(row: Row) -> str:
    """The `t` of a row's event."""
    event = row.entry.event
    if type(event).__name__ == "MySanction" and getattr(event, "cause", None) is not None:
        return "sanction.ended"
    return _KINDS[type(event).__name__]
