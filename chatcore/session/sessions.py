"""Owns all connections of this node: opening, closing, the regular sweep, who is whose, and the drain at shutdown."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chatcore.batch import Batcher
from chatcore.fanout.hub import Hub
from chatcore.fanout.room_fan import PRESENCE, ROOM
from chatcore.fanout.wire import Wire
from chatcore.log.committer import Committer
from chatcore.log.port import Log
from chatcore.people.principal import Principal, Revocation
from chatcore.room.encode import encode_entry
from chatcore.room.events import Entry, RoleChanged, StreamKey
from chatcore.session.chat import Chat
from chatcore.session.connection import Connection
from chatcore.session.joining import Joining, count_event
from chatcore.session.live_room import LiveRoom
from chatcore.session.notices import Notices
from chatcore.session.ports import Clock, Entropy, People, SessionConfig
from chatcore.session.reading import Reading
from chatcore.session.rooms import Rooms
from schemas import events as e
from schemas import limits
from schemas.codec import encode_event
from schemas.errors import Disconnect
from schemas.ids import new_id

_LOG = logging.getLogger(__name__)

TICK_S = 1.0
#: Heads of personal streams kept: those that moved while somebody was asking for his, and many more.
FOLLOWED_MOST = 4096
QUIET_MS = 25_000
#: How often a connected person's credential is marked as in use.
SEEN_MS = 600_000


class Sessions:
    """One per node; `start` when the loop runs, `drain` then `stop` at the end."""

    def __init__(
        self,
        *,
        log: Log,
        hub: Hub,
        rooms: Rooms,
        committer: Committer,
        people: People,
        chat: Chat,
        notices: Notices,
        config: SessionConfig,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.hub = hub
        self.rooms = rooms
        self.people = people
        self.chat = chat
        self.config = config
        self.clock = clock
        self.epoch = log.epoch
        self.connections: set[Connection] = set()
        self.draining = False
        self._log = log
        self._committer = committer
        self._notices = notices
        self._entropy = entropy
        self._by_user: dict[str, set[Connection]] = {}
        self._heads: Batcher[str, int] = Batcher(self._load_heads)
        self._reading = Reading(rooms, people, clock)
        self._personal_joins = self._reading.personal_joins()
        self.joining = Joining(self, self._reading)
        self._waiting: dict[Connection, list[asyncio.Future[None]]] = {}
        self._followed: OrderedDict[str, int] = OrderedDict()
        self._emptied: asyncio.Future[None] | None = None
        self._ticker: asyncio.Task[None] | None = None
        self.hello = encode_event("hello", None, None, None, None, self._hello())
        rooms.told = self._told
        rooms.personal = self._personal

    def _hello(self) -> e.Hello:
        config = self.config
        most = e.HelloLimits(config.frame, config.in_flight, config.channels, limits.TEXT, limits.HISTORY)
        return e.Hello(limits.VERSION, config.server, config.ping_ms, config.pong_ms, config.auth_ms, most)

    # -- life --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin the regular sweep."""
        self._ticker = asyncio.get_running_loop().create_task(self._tick())

    async def drain(self, seconds: float) -> None:
        """Ask everybody to come back elsewhere, spread over time; close who has not gone by the end."""
        self.draining = True
        began = self.clock()
        everybody = list(self.connections)
        spread = self.config.goaway_spread_ms
        for index, connection in enumerate(everybody):
            wait = spread * index // max(len(everybody), 1)
            connection.event("goaway", None, None, e.Goaway("restart", wait, int(seconds * 1000)))
        deadline = began + int(seconds * 1000)
        while self.connections and self.clock() < deadline:
            self._emptied = self.future()
            await asyncio.wait([self._emptied], timeout=(deadline - self.clock()) / 1000)
        end = Disconnect(4001, after_ms=500)
        for connection in list(self.connections):
            connection.bye(end)
        await self._committer.drain()
        await self._notices.drain()

    async def stop(self) -> None:
        """End the sweep; nothing is sent any more."""
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        await self._committer.drain()
        await self._notices.drain()

    # -- connections -------------------------------------------------------------------------------------------

    def open(
        self, wire: Wire, address: str, cookie: Callable[[], Awaitable[Principal | None]] | None
    ) -> Connection:
        """A new socket: greets it; the caller attaches the connection to the wire in the same step."""
        session = new_id("x_", self.clock(), self._entropy(8))
        connection = Connection(self, wire, address, session, cookie)
        self.connections.add(connection)
        connection.greet()
        return connection

    def closed(self, connection: Connection) -> None:
        """A socket is gone: it leaves its rooms."""
        self.connections.discard(connection)
        if not self.connections and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)
        for future in self._waiting.pop(connection, ()):
            if not future.done():
                future.set_result(None)
        for ch, subscription in list(connection.rooms.items()):
            subscription.leave()
            room = self.rooms.get(ch)
            if room is not None:
                self.joining.left(connection, room)
        connection.rooms.clear()
        if connection.principal is not None:
            self._forget_user(connection, connection.principal.id)

    def known(self, connection: Connection, before: Principal | None) -> None:
        """The connection proved who it is."""
        if before is not None:
            self._forget_user(connection, before.id)
        if connection.principal is not None:
            self._by_user.setdefault(connection.principal.id, set()).add(connection)

    def _forget_user(self, connection: Connection, user: str) -> None:
        mine = self._by_user.get(user)
        if mine is not None:
            mine.discard(connection)
            if not mine:
                del self._by_user[user]

    def future(self) -> asyncio.Future[None]:
        """A bare future of this loop."""
        return asyncio.get_running_loop().create_future()

    def waits(self, connection: Connection, future: asyncio.Future[None]) -> None:
        """Somebody waits for this connection's outbox; a lost socket ends the wait."""
        waiting = [other for other in self._waiting.get(connection, ()) if not other.done()]
        self._waiting[connection] = [*waiting, future]

    def revoked(self, revocation: Revocation) -> None:
        """A credential or a user's standing ended: close the sockets that rest on it."""
        user = revocation.user if revocation.credential is None else None
        suspects = list(self.connections if user is None else self._by_user.get(user, ()))
        for connection in suspects:
            who = connection.principal
            if who is not None and revocation.credential in (None, who.credential):
                connection.bye(Disconnect(revocation.close))

    def room_deleted(self, ch: str) -> None:
        """A channel is about to go: whoever is in its room is told that the stream ends."""
        room = self.rooms.get(ch)
        if room is None:
            return
        for connection in self.connections:
            if connection.rooms.pop(ch, None) is not None:
                connection.event("stream.closed", ch, "room", e.StreamClosed(room.pos()))

    # -- following ---------------------------------------------------------------------------------------------

    async def personal_head(self, user: str) -> int:
        """The newest n of a user's own stream."""
        return await self._heads.submit(user)

    async def _load_heads(self, users: list[str]) -> list[int]:
        streams = [StreamKey("me", user) for user in users]
        found = await self._log.heads(streams)
        return [found[stream] for stream in streams]

    def followed(self, user: str) -> int:
        """The newest n of a user's own stream that went by here lately, 0 if none did."""
        return self._followed.get(user, 0)

    def _personal(self, entry: Entry) -> None:
        self._followed[entry.stream.owner] = entry.n
        self._followed.move_to_end(entry.stream.owner)
        if len(self._followed) > FOLLOWED_MOST:
            self._followed.popitem(last=False)
        mine = self._by_user.get(entry.stream.owner)
        if mine:
            payload = encode_entry(self._personal_joins, entry)
            for connection in mine:
                if connection.principal is not None and not connection.principal.read_only:
                    connection.personal(entry.n, payload)

    def _told(self, room: LiveRoom, entries: Sequence[Entry]) -> None:
        self._notices.told(room, entries)
        for entry in entries:
            if isinstance(entry.event, RoleChanged):
                self._rights(room, entry.event.user)

    def _rights(self, room: LiveRoom, user: str) -> None:
        """Whoever has a role has it for his bots, too."""
        for connection in self.connections:
            who = connection.principal
            if who is not None and user in (who.id, who.maker):
                self.joining.rights_changed(connection, room)

    # -- the sweep ---------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                now = self.clock()
                self._sweep_rooms(now)
                await self._sweep_connections(now)
            except Exception:
                _LOG.exception("the sweep failed")

    async def _sweep_connections(self, now: int) -> None:
        for index, connection in enumerate(list(self.connections)):
            if (
                index % 500 == 499
            ):  # a few thousand connections are judged in pieces, so that nobody waits for it
                await asyncio.sleep(0)
            self._judge(connection, now)

    def _judge(self, connection: Connection, now: int) -> None:
        config = self.config
        if connection.state == "closing":
            return
        if connection.state == "greeting" and now - connection.opened_at >= config.auth_ms:
            connection.bye(Disconnect(4502, code="unauthenticated"))
            return
        who = connection.principal
        if who is not None and who.expires_at is not None and who.expires_at <= now:
            connection.bye(Disconnect(4005, code="token_expired"))
            return
        if who is not None and now >= connection.noted_at:
            connection.noted_at = now + SEEN_MS
            self.people.seen(who)
        silent = now - connection.alive_at
        if silent >= config.ping_ms + config.pong_ms and connection.pinged_at > connection.alive_at:
            connection.bye(Disconnect(4002, after_ms=0))
        elif silent >= config.ping_ms and now - connection.pinged_at >= config.ping_ms:
            connection.ping(now)

    def _sweep_rooms(self, now: int) -> None:
        for room in self.rooms.all():
            if room.fan.members == 0:
                continue
            presence = room.presence
            if presence.dirty or presence.ages(now):
                presence.dirty = False
                self._tell_presence(room, now)
            if now - room.quiet_since >= QUIET_MS:
                room.quiet_since = now
                head = encode_event("head", room.id, "room", None, None, e.Head(room.pos()))
                room.fan.ephemeral("head", head, ROOM)
            for user in room.expired_grants(now):
                self._rights(room, user)
        self.rooms.sweep(now)

    def _tell_presence(self, room: LiveRoom, now: int) -> None:
        counts = room.presence.counts(now)
        if counts != room.told_counts:
            room.told_counts = counts
            room.fan.ephemeral("presence.count", count_event(room, *counts), PRESENCE)
        delta = room.presence.delta(now)
        if delta is not None:
            came = [ref for user in delta.came if (ref := room.reference(user)) is not None]
            payload: Any = e.PresenceDelta(came, delta.left)
            frame = encode_event("presence.delta", room.id, None, None, None, payload)
            room.fan.ephemeral(f"presence.delta.{now}", frame, PRESENCE)
