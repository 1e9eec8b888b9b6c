"""Owns what happens to one command of somebody known: it is prepared, put to the log, or answered from what is read.

The socket and the commands door both come through here, so a command means the same from both. A message to a loaded
room by a known author runs to the committer without a task of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from chatcore.limits import Buckets, address_key
from chatcore.log.committer import Committer
from chatcore.log.port import Unavailable
from chatcore.people.principal import Name, Principal
from chatcore.room.drafts import Actor, Draft
from chatcore.room.messages import bare, clean, fragments, mentioned
from chatcore.room.policy import text_max
from chatcore.room.speak import Erase
from chatcore.session import slash
from chatcore.session.live_room import LiveRoom
from chatcore.session.ports import Clock, Entropy, People, SessionConfig
from chatcore.session.reading import Reading
from chatcore.session.rooms import Rooms
from schemas import commands as c
from schemas.catalog import BY_TYPE
from schemas.errors import Refused
from schemas.ids import new_id
from schemas.replies import MsgSendReply
from schemas.values import Payload

_LOG = logging.getLogger(__name__)

Answer = Callable[[Any, Refused | None], None]


class Asker:
    """Who sends a command, through which door, from which address. `actor`: as decisions see him, None if anonymous."""

    __slots__ = ("actor", "address", "principal", "via")

    def __init__(self, principal: Principal | None, address: str, via: str = "socket") -> None:
        self.principal = principal
        self.address = address
        self.via = via
        self.actor: Actor | None = None
        if principal is not None:
            maker = principal.maker if principal.kind == "bot" else None
            self.actor = Actor(principal.id, principal.kind, via, principal.scopes, maker)


#: Commands that become drafts of the log; `send` goes its own, faster way.
_DRAFTED = (
    c.MsgDelete,
    c.ModDelete,
    c.ModTimeout,
    c.ModBan,
    c.ModUntimeout,
    c.ModUnban,
    c.ModeSet,
    c.RoleGrant,
    c.RoleRevoke,
)
_READ = (c.RoomState, c.RoomWho, c.History, c.MsgCheck)
SERVED = frozenset((*_DRAFTED, *_READ, c.MsgSend))


class Chat:
    """One per node. `submit` never raises: every command is answered exactly once."""

    def __init__(
        self,
        rooms: Rooms,
        committer: Committer,
        people: People,
        config: SessionConfig,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.rooms = rooms
        self.config = config
        self.clock = clock
        self._committer = committer
        self._people = people
        self._entropy = entropy
        self._reading = Reading(rooms, people, clock)
        self._buckets = {
            spec: Buckets(getattr(config, spec)) for spec in ("refused", "query", "mod", "check")
        }
        self._names: dict[tuple[str, str], tuple[int, str | None]] = {}
        self._preparing: dict[tuple[str, str], deque[tuple[Asker, str, c.MsgSend, Answer]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # -- doors -------------------------------------------------------------------------------------------------

    def submit(self, asker: Asker, ch: str | None, command: Payload, answer: Answer) -> None:
        """Run a command; `answer(reply, refusal)` is called once, now or later."""
        if type(command) is c.MsgSend:
            self._send(asker, ch or "", command, answer)
        else:
            self.spawn(self._answered(self.run(asker, ch, command), answer))

    async def run(self, asker: Asker, ch: str | None, command: Payload) -> Any:
        """The reply of a command. Raises Refused."""
        kind = type(command)
        if kind not in SERVED:
            raise Refused("unknown_command", f"This server does not serve {BY_TYPE[kind].t} yet.")
        if isinstance(command, c.MsgSend):
            return await self._sent(asker, ch or "", command)
        spec = BY_TYPE[kind]
        principal = asker.principal
        if principal is None and not spec.anonymous:
            raise unauthenticated()
        self._draw(spec.bucket or "query", asker)
        self._in_reach(principal, ch)
        if kind in _DRAFTED:
            return await self._drafted(asker, ch or "", command)
        return await self._read(asker, ch, command)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside the connection; kept until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answered(self, work: Awaitable[Any], answer: Answer) -> None:
        try:
            reply = await work
        except Refused as refusal:
            answer(None, refusal)
        except Unavailable:
            answer(None, Refused("overloaded", after_ms=1000))
        except Exception:  # a bug: logged, told as `internal` (law 10)
            _LOG.exception("a command failed")
            answer(None, Refused("internal"))
        else:
            answer(reply, None)

    def _draw(self, bucket: str, asker: Asker) -> None:
        table = self._buckets.get(bucket)
        if table is not None:
            table.check(self._key(asker), self.clock())

    @staticmethod
    def _key(asker: Asker) -> str:
        return address_key(asker.address) if asker.principal is None else asker.principal.id

    @staticmethod
    def _in_reach(principal: Principal | None, ch: str | None) -> None:
        if principal is not None and principal.channels is not None and ch not in principal.channels:
            raise Refused("forbidden", "This token is for other channels.", d={"cap": "channel"})

    # -- messages ----------------------------------------------------------------------------------------------

    def _send(self, asker: Asker, ch: str, command: c.MsgSend, answer: Answer) -> None:
        """The hot path: to the committer in this very call when nothing has to be looked up."""
        principal = asker.principal
        try:
            if principal is None:
                raise unauthenticated()
            if principal.read_only:
                raise Refused("forbidden", "This token only reads.", d={"cap": "msg.send"})
            self._in_reach(principal, ch)
            self._buckets["refused"].check_only(principal.id, self.clock())
        except Refused as refusal:
            answer(None, refusal)
            return
        key = principal.id, ch
        waiting = self._preparing.get(key)
        if waiting is not None:  # an earlier one is still being prepared: keep their order
            waiting.append((asker, ch, command, answer))
            return
        room = self.rooms.get(ch)
        if room is None or not self._ready(room, principal.id, command):
            self._preparing[key] = deque([(asker, ch, command, answer)])
            self.spawn(self._prepare(key))
            return
        self._commit_message(asker, room, command, answer)

    def _ready(self, room: LiveRoom, user: str, command: c.MsgSend) -> bool:
        state = room.state
        if user not in state.authors or ("/" in command.text and slash.is_command(command.text)):
            return False
        if command.reply_to is not None and command.reply_to not in state.messages:
            return False
        return "@" not in command.text or all(self._known(room, name) for name in mentioned(command.text))

    def _known(self, room: LiveRoom, name: str) -> bool:
        kept = self._names.get((room.id, name))
        return kept is not None and kept[0] > self.clock()

    async def _prepare(self, key: tuple[str, str]) -> None:
        """Look up what the messages of one author to one room need, and hand them on in their order."""
        queue = self._preparing[key]
        while queue:
            asker, ch, command, answer = queue[0]
            try:
                if slash.is_command(command.text):
                    reply = await self._slash(asker, ch, command.text)
                    answer(reply, None)
                else:
                    room = await self._look_up(asker, ch, command)
                    self._commit_message(asker, room, command, answer)
            except Refused as refusal:
                self._refused(asker, answer, refusal)
            except Unavailable:
                answer(None, Refused("overloaded", after_ms=1000))
            except Exception:
                _LOG.exception("preparing a message failed")
                answer(None, Refused("internal"))
            queue.popleft()
        del self._preparing[key]

    async def _look_up(self, asker: Asker, ch: str, command: c.MsgSend) -> LiveRoom:
        room = await self.rooms.load(ch)
        user = self._key(asker)
        await self.rooms.ensure(room, [user], [command.reply_to] if command.reply_to else [])
        for name in mentioned(bare(command.text)):
            if not self._known(room, name):
                found = await self._named(room, "@" + name)
                if len(self._names) > 10_000:
                    self._names.clear()
                self._names[room.id, name] = (self.clock() + 60_000, found[0].id if len(found) == 1 else None)
        return room

    async def _named(self, room: LiveRoom, ref: str) -> list[Name]:
        """Whom `ref` means here: a registered user, else the guests of that name seen in this channel (protocol 4)."""
        found = await self._people.find_user(ref)
        if found is not None or not ref.startswith("@"):
            return [] if found is None else [found]
        guests = await self._people.guests_named(ref)
        await self.rooms.ensure(room, [guest.id for guest in guests], ())
        state, here = room.state, room.presence.people
        return [guest for guest in guests if guest.id in here or state.authors[guest.id].n > 0]

    async def _slash(self, asker: Asker, ch: str, text: str) -> MsgSendReply:
        parsed = slash.parse(clean(text))
        reply = await self.run(Asker(asker.principal, asker.address, "chat"), ch, parsed)
        return MsgSendReply("command", action=reply.action)

    def _commit_message(self, asker: Asker, room: LiveRoom, command: c.MsgSend, answer: Answer) -> None:
        actor = asker.actor
        if actor is None:
            raise AssertionError("an anonymous reader sends nothing")
        try:
            text = clean(slash.literal(command.text), text_max(room.state.channel.policy))
        except Refused as refusal:
            self._refused(asker, answer, refusal)
            return
        users: dict[str, str] = {}
        if "@" in text:
            for name in mentioned(text):
                kept = self._names.get((room.id, name))
                if kept is not None and kept[1] is not None:
                    users[name] = kept[1]
        now = self.clock()
        mid = new_id("m_", now, self._entropy(8))
        draft = Draft(room.id, actor, command, mid, text, fragments(text, users))

        def done(reply: Any, refusal: Refused | None) -> None:
            if refusal is None:
                answer(reply, None)
            else:
                self._refused(asker, answer, refusal)

        self._committer.submit(draft, done)

    def _refused(self, asker: Asker, answer: Answer, refusal: Refused) -> None:
        """Refused attempts have a bucket of their own (protocol 15)."""
        self._buckets["refused"].take(self._key(asker), self.clock())
        answer(None, refusal)

    async def _sent(self, asker: Asker, ch: str, command: c.MsgSend) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(reply: Any, refusal: Refused | None) -> None:
            if future.done():
                return
            if refusal is None:
                future.set_result(reply)
            else:
                future.set_exception(refusal)

        self._send(asker, ch, command, done)
        return await future

    # -- other drafts ------------------------------------------------------------------------------------------

    async def _drafted(self, asker: Asker, ch: str, command: Any) -> Any:
        actor = asker.actor
        if actor is None:
            raise unauthenticated()
        room = await self.rooms.load(ch)
        draft = Draft(room.id, actor, command, new_id("a_", self.clock(), self._entropy(8)))
        mids: list[str] = []
        if isinstance(command, c.MsgDelete):
            mids = [command.mid]
        elif isinstance(command, c.ModDelete) and command.mids:
            mids = list(command.mids)
        user: str | None = getattr(command, "user", None)
        if user is not None:
            await self._target(room, draft, user)
        await self.rooms.ensure(room, (), mids)
        return await self.decided(draft)

    async def _target(self, room: LiveRoom, draft: Draft, user: str) -> None:
        named = await self._named(room, user)
        if not named:
            raise Refused("not_found", f"There is no user {user} here.", field="d.user", d={"what": "user"})
        if len(named) > 1:
            users = [{"id": name.id, "name": name.name, "displayName": name.display_name} for name in named]
            raise Refused(
                "conflict", f"Several guests are called {user}; name one by id.", d={"users": users}
            )
        found = named[0]
        draft.target, draft.target_kind = found.id, found.kind
        seconds = getattr(draft.command, "purge_seconds", None)
        if isinstance(draft.command, c.ModDelete):
            seconds = draft.command.seconds
        if seconds is not None:
            since = self.clock() - seconds * 1000
            next_n = room.state.head + 1  # what he says while we look is purged as well
            draft.since = await self.rooms.log.first_since(room.id, found.id, since) or next_n

    async def decided(self, draft: Draft) -> Any:
        """The reply of a draft once it is durable. Raises Refused."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(reply: Any, refusal: Refused | None) -> None:
            if not future.done():
                if refusal is None:
                    future.set_result(reply)
                else:
                    future.set_exception(refusal)

        self._committer.submit(draft, done)
        return await future

    async def forget(self, user: str, *, texts: bool) -> None:
        """An account is deleted: its messages stand without an author, or with `texts` are withdrawn and erased."""
        for ch in await self.rooms.log.channels_of(user):
            room = await self.rooms.load(ch)
            if texts:
                await self.decided(Draft(ch, Actor(user, "user", "rest"), Erase(), ""))
            await self.rooms.log.forget_author(ch, user, texts=texts)
            room.forget_author(user, texts=texts)

    # -- reading -----------------------------------------------------------------------------------------------

    async def _read(self, asker: Asker, ch: str | None, command: Any) -> Any:
        actor = asker.actor
        if isinstance(command, c.History):
            return await self._reading.history(actor, ch, command)
        room = await self.rooms.load(ch or "")
        now = self.clock()
        if not room.may_read(actor, now):
            raise Refused("forbidden", "This channel is not open to you.", d={"cap": "read"})
        if isinstance(command, c.RoomState):
            return room.state_reply(actor, now)
        if isinstance(command, c.RoomWho):
            return self._reading.who(room, command)
        if actor is None:
            raise unauthenticated()
        await self.rooms.ensure(room, [actor.id], ())
        return self._reading.check(room, actor, command)


def unauthenticated() -> Refused:
    """Nobody proved who he is."""
    return Refused("unauthenticated", "Say who you are first: auth with a token or as a guest.")
