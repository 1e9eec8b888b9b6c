"""Owns the way into a room and back into it: join, leave, resume by positions, snapshot when that is refused.

A resume that the room's recent frames can serve is written at once and costs no read of the database. An older one is
paged from the log; meanwhile the subscription is held, and it goes on from the ring where the pages meet it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from chatcore.fanout.frames import frame_text
from chatcore.fanout.room_fan import MOD, Subscription, audience
from chatcore.limits import Buckets
from chatcore.people.principal import Principal
from chatcore.room.drafts import Actor
from chatcore.room.events import StreamKey
from chatcore.session.chat import Asker
from chatcore.session.live_room import LiveRoom
from chatcore.session.reading import Reading
from schemas import commands as c
from schemas import events as e
from schemas.codec import encode_event
from schemas.errors import Disconnect, Refused
from schemas.replies import Empty, ResumeAnswer, Resumed

if TYPE_CHECKING:
    from chatcore.session.connection import Connection
    from chatcore.session.sessions import Sessions

_LOG = logging.getLogger(__name__)

PAGE = 200

Answer = Callable[[Any, Refused | None], None]
Done = tuple[str, ...]


class Wish(msgspec.Struct):
    """One channel to resume: where its streams were left (epoch, n); `room` None when it can't be read."""

    ch: str
    room: LiveRoom | None
    denied: bool
    at: tuple[str, int] | None = None
    mod_at: tuple[str, int] | None = None


class Plan(msgspec.Struct):
    """All that an auth asked to resume, with the rooms loaded; judged in one go when the reply is made."""

    joining: Joining
    who: Connection
    wishes: list[Wish]
    me: tuple[str, int] | None
    me_reason: str | None = None

    def verdicts(self, me_head: int | None) -> list[Resumed]:
        """One answer per stream asked for."""
        found: list[Resumed] = []
        for wish in self.wishes:
            if wish.at is not None:
                found.append(_resumed("room", wish.ch, self.joining.refusal(wish, self.who, "room")))
            if wish.mod_at is not None:
                found.append(_resumed("mod", wish.ch, self.joining.refusal(wish, self.who, "mod")))
        if self.me is not None:
            barred = me_head is None or "me" not in self.who.want
            self.me_reason = "denied" if barred else self.joining.too_old(self.me, me_head or 0)
            found.append(_resumed("me", None, self.me_reason))
        return found


def _resumed(s: Any, ch: str | None, reason: str | None) -> Resumed:
    where: Any = msgspec.UNSET if ch is None else ch
    why: Any = msgspec.UNSET if reason is None else reason
    return Resumed(s, reason is None, where, why)


class Joining:
    """One per node, for all connections."""

    def __init__(self, sessions: Sessions, reading: Reading) -> None:
        self._sessions = sessions
        self._reading = reading
        self._joins = Buckets(sessions.config.join)

    # -- commands ----------------------------------------------------------------------------------------------

    def run(self, who: Connection, ch: str, command: Any, answer: Answer) -> None:
        """room.join and room.leave."""
        if isinstance(command, c.RoomLeave):
            self._leave(who, ch, answer)
            return
        after = self._joins.take(who.session, self._sessions.clock())
        if after and self._joins.spec is not None:
            answer(None, self._joins.spec.refused(after))
            return
        room = self._sessions.rooms.get(ch)
        if room is not None and not self._waits_unknown(who, room):
            self._answered(who, room, command, answer)
        else:
            self._sessions.chat.spawn(self._load_and_join(who, ch, command, answer))

    @staticmethod
    def _waits_unknown(who: Connection, room: LiveRoom) -> bool:
        """Whether the reply has to say how long slow mode makes him wait, and that is not at hand."""
        return (
            "slow" in room.state.modes
            and who.asker.actor is not None
            and who.asker.actor.id not in room.state.authors
        )

    async def _load_and_join(self, who: Connection, ch: str, command: c.RoomJoin, answer: Answer) -> None:
        try:
            room = await self._sessions.rooms.load(ch)
            if who.asker.actor is not None and self._waits_unknown(who, room):
                await self._sessions.rooms.ensure(room, [who.asker.actor.id], ())
                room = await self._sessions.rooms.load(room.id)  # deleted meanwhile, it is not found
        except Refused as refusal:
            answer(None, refusal)
            return
        except Exception:
            _LOG.exception("loading a room failed")
            answer(None, Refused("internal"))
            return
        if not who.wants_closed():
            self._answered(who, room, command, answer)

    def _answered(self, who: Connection, room: LiveRoom, command: c.RoomJoin, answer: Answer) -> None:
        try:
            self._join(who, room, command, answer)
        except Refused as refusal:
            answer(None, refusal)

    def _join(self, who: Connection, room: LiveRoom, command: c.RoomJoin, answer: Answer) -> None:
        if room.id in who.rooms:
            raise Refused("already", "This connection is in the room.", d={"pos": room.pos()})
        if len(who.rooms) >= self._sessions.config.channels:
            most = self._sessions.config.channels
            raise Refused("conflict", f"A connection joins at most {most} channels; leave one first.")
        now = self._sessions.clock()
        principal = who.principal
        out_of_reach = (
            principal is not None and principal.channels is not None and room.id not in principal.channels
        )
        if out_of_reach or not room.may_read(who.asker.actor, now):
            raise Refused("forbidden", "This channel is not open to you.", d={"cap": "read"})
        if command.pos is None:
            self._enter(who, room)
            answer(room.snapshot(who.asker.actor, now), None)
            return
        reason = self.too_old(command.pos, room.state.head)
        subscription = self._enter(who, room, held=reason is None)
        reply = room.snapshot(who.asker.actor, now, recent=reason is not None)
        why: Any = msgspec.UNSET if reason is None else reason
        answer(msgspec.structs.replace(reply, resume=ResumeAnswer(reason is None, why)), None)
        if reason is None:
            mod = room.state.mod_head if subscription.audience & MOD else None  # modPos of the reply
            self._resume(who, room, subscription, command.pos[1], mod, ("room",))

    def _leave(self, who: Connection, ch: str, answer: Answer) -> None:
        room = self._sessions.rooms.get(ch)
        subscription = who.rooms.pop(room.id if room is not None else ch, None)
        if subscription is None:
            answer(None, Refused("not_joined", "This connection is not in the room."))
            return
        subscription.leave()
        if room is not None:
            self.left(who, room)
        answer(Empty(), None)

    # -- entering ----------------------------------------------------------------------------------------------

    def _enter(self, who: Connection, room: LiveRoom, *, held: bool = False) -> Subscription:
        subscription = room.fan.join(who.outbox, self.audience(who, room), held=held)
        who.rooms[room.id] = subscription
        if not _unseen(who):
            room.presence.enter(_counted(who), self._sessions.clock())
        return subscription

    def left(self, who: Connection, room: LiveRoom) -> None:
        """The connection is no longer in the room."""
        if not _unseen(who):
            room.presence.leave(_counted(who), self._sessions.clock())

    def audience(self, who: Connection, room: LiveRoom) -> int:
        """What of the room this connection gets: what it wants, as far as it may."""
        names = {"room", *(who.want & {"presence", "engage"})}
        if "mod" in who.want and self._reads_mod(who.asker.actor, room):
            names.add("mod")
        return audience(names)

    def _reads_mod(self, actor: Actor | None, room: LiveRoom) -> bool:
        return actor is not None and "mod.read" in room.you(actor, self._sessions.clock()).caps

    def promote(self, who: Connection) -> None:
        """An anonymous reader became somebody: his rooms stay, each gets a snapshot (protocol 4)."""
        now = self._sessions.clock()
        for ch, subscription in list(who.rooms.items()):
            room = self._sessions.rooms.get(ch)
            if room is None:
                continue
            room.presence.leave(None, now)
            if not _unseen(who):
                room.presence.enter(_counted(who), now)
            subscription.leave()
            self._snapshot(who, room)
            who.rooms[ch] = room.fan.join(who.outbox, self.audience(who, room))

    def _snapshot(self, who: Connection, room: LiveRoom) -> None:
        snapshot = room.snapshot(who.asker.actor, self._sessions.clock())
        who.event("room.snapshot", room.id, "room", snapshot)

    # -- resuming ----------------------------------------------------------------------------------------------

    async def plan(self, who: Connection, principal: Principal | None, points: list[c.ResumePoint]) -> Plan:
        """Load what the entries of `resume` name; what can't be read is judged denied. Raises Refused overloaded."""
        actor = Asker(principal, who.address).actor
        wishes: dict[str, Wish] = {}
        plan = Plan(self, who, [], None)
        for point in points:
            if point.s == "me":
                plan.me = point.pos
                continue
            ch = point.ch or ""
            wish = wishes.get(ch)
            if wish is None:
                here = {*wishes, *who.rooms}
                beyond = ch not in here and len(here) >= self._sessions.config.channels
                wish = wishes[ch] = Wish(ch, None, True) if beyond else await self._wish(principal, actor, ch)
            if point.s == "mod":
                wish.mod_at = point.pos
            else:
                wish.at = point.pos
        plan.wishes = list(wishes.values())
        return plan

    async def _wish(self, principal: Principal | None, actor: Actor | None, ch: str) -> Wish:
        try:
            room = await self._sessions.rooms.load(ch)
        except Refused as refusal:
            if refusal.code == "overloaded":  # nobody knows yet whether it may be read
                raise
            return Wish(ch, None, True)
        beyond = (
            principal is not None and principal.channels is not None and room.id not in principal.channels
        )
        return Wish(room.id, room, beyond or not room.may_read(actor, self._sessions.clock()))

    def too_old(self, at: tuple[str, int], head: int) -> str | None:
        """Why a stream can't go on from `at`, None if it can."""
        epoch, n = at
        if epoch != self._sessions.epoch or n > head:
            return "epoch"
        return "too_far" if head - n > self._sessions.config.resume_events else None

    def refusal(self, wish: Wish, who: Connection, s: str) -> str | None:
        """Why this stream of the wish is not resumed, None if it is. `mod` goes on only together with its room."""
        room = wish.room
        if room is None or wish.denied or wish.at is None or self._sessions.rooms.get(room.id) is not room:
            return "denied"
        reason = self.too_old(wish.at, room.state.head)
        if s == "room":
            return reason
        if wish.mod_at is None or not self.audience(who, room) & MOD:
            return "denied"
        return reason or self.too_old(wish.mod_at, room.state.mod_head)

    def begin(self, who: Connection, plan: Plan) -> None:
        """Start what `plan.verdicts` promised. Same turn of the loop as the verdicts."""
        for wish in plan.wishes:
            room = wish.room
            reason = self.refusal(wish, who, "room")
            if room is None or reason == "denied" or room.id in who.rooms or wish.at is None:
                continue
            self._begin_room(who, room, wish, wish.at[1], reason)
        if plan.me is not None and who.held_personal is None:
            self._begin_me(who, plan.me, plan.me_reason)

    def _begin_room(self, who: Connection, room: LiveRoom, wish: Wish, n: int, reason: str | None) -> None:
        at = None if self.refusal(wish, who, "mod") is not None else wish.mod_at
        if reason is not None:
            self._snapshot(who, room)
        subscription = self._enter(who, room, held=reason is None)
        if at is None and subscription.audience & MOD:
            who.event("stream.open", room.id, "mod", e.StreamOpen(room.mod_pos()))
        if reason is not None:
            return
        if at is not None:
            self._resume(who, room, subscription, n, at[1], ("room", "mod"))
        else:
            mod = room.state.mod_head if subscription.audience & MOD else None
            self._resume(who, room, subscription, n, mod, ("room",))

    def _resume(
        self, who: Connection, room: LiveRoom, sub: Subscription, n: int, mod: int | None, done: Done
    ) -> None:
        """From the ring if it reaches back that far, else page by page. `done`: the streams whose end is told."""
        if not self._from_ring(who, room, sub, n, mod, done):
            self._sessions.chat.spawn(self._paged(who, room, sub, n, mod, done))

    def _from_ring(
        self, who: Connection, room: LiveRoom, sub: Subscription, n: int, mod: int | None, done: Done
    ) -> bool:
        frames = room.fan.recent(n, mod)
        if frames is None or not sub.resume_at(room.state.head, room.state.mod_head):
            return False
        who.outbox.send_frames(frames)
        self._tell_done(who, room, done if mod is not None else done[:1])
        return True

    def _tell_done(self, who: Connection, room: LiveRoom, done: Done) -> None:
        if "room" in done:
            now = self._sessions.clock()
            you = room.you(who.asker.actor, now)
            who.event("resume.done", room.id, "room", e.ResumeDone(room.pos(), room.view(now), you))
        if "mod" in done:
            who.event("resume.done", room.id, "mod", e.ResumeDone(room.mod_pos()))

    async def _paged(
        self, who: Connection, room: LiveRoom, sub: Subscription, n: int, mod: int | None, done: Done
    ) -> None:
        """Read on until the ring can take over. Durable events keep their order within each stream."""
        try:
            while not self._from_ring(who, room, sub, n, mod, done):
                await self._outbox_free(who)
                if who.wants_closed() or who.rooms.get(room.id) is not sub:
                    return
                before = n, mod
                n = await self._page(who, room, "room", n)
                mod = self._mod_going_on(sub, mod)
                if mod is not None:
                    mod = await self._page(who, room, "mod", mod)
                mod = self._mod_going_on(sub, mod)
                if (n, mod) == before and room.fan.recent(n, mod) is None:
                    raise RuntimeError(f"the frames of {room.id} do not meet its log at {before}")
        except Exception:
            _LOG.exception("a resume failed")
            who.bye(Disconnect(4000, code="internal", after_ms=1000))

    @staticmethod
    def _mod_going_on(sub: Subscription, mod: int | None) -> int | None:
        """Where stream mod goes on: rights may come and go while the room is paged."""
        if not sub.audience & MOD:
            return None
        return (sub.seen("mod") or 0) if mod is None else mod

    async def _page(self, who: Connection, room: LiveRoom, kind: str, n: int) -> int:
        head = room.state.head if kind == "room" else room.state.mod_head
        page = await self._sessions.rooms.log.read(room.key(kind), after=n, before=head + 1, limit=PAGE)
        if not page.rows:
            return n
        await self._reading.prepare(page.rows)
        frames = [frame_text(payload) for payload in self._reading.encode(room.joins, page, room.state)]
        who.outbox.send_frames(frames)
        return page.rows[-1].entry.n

    async def _outbox_free(self, who: Connection) -> None:
        if who.wants_closed():
            return
        future = self._sessions.future()
        who.outbox.when_free(lambda: None if future.done() else future.set_result(None))
        self._sessions.waits(who, future)
        await future

    def gap(self, who: Connection, sub: Subscription) -> None:
        """A slow reader drained, but the ring has moved past it: read on from the log, or begin anew."""
        room = self._sessions.rooms.get(sub.room.ch)
        if room is None:
            return
        n = sub.seen("room") or 0
        if room.state.head - n > self._sessions.config.resume_events:
            sub.leave()
            self._snapshot(who, room)
            who.rooms[room.id] = room.fan.join(who.outbox, self.audience(who, room))
            return
        self._sessions.chat.spawn(self._paged(who, room, sub, n, self._mod_going_on(sub, None), ()))

    # -- the personal stream -----------------------------------------------------------------------------------

    def _begin_me(self, who: Connection, at: tuple[str, int], reason: str | None) -> None:
        if reason == "denied" or who.principal is None:
            return
        head = (self._sessions.epoch, who.me_seen)
        if reason is not None:
            who.event("stream.open", None, "me", e.StreamOpen(head))
        elif at[1] == who.me_seen:
            who.event("resume.done", None, "me", e.ResumeDone(head))
        else:
            who.held_personal = []
            who.me_seen = at[1]
            self._sessions.chat.spawn(self._paged_me(who, who.principal.id))

    def personal_gap(self, who: Connection) -> None:
        """A personal event came before one that was never sent: read on from what was."""
        if who.principal is not None:
            self._sessions.chat.spawn(self._paged_me(who, who.principal.id, done=False))

    async def _paged_me(self, who: Connection, user: str, *, done: bool = True) -> None:
        stream = StreamKey("me", user)
        try:
            more = True
            while more and not who.wants_closed():
                page = await self._sessions.rooms.log.read(stream, after=who.me_seen, limit=PAGE)
                for payload in await self._reading.encoded(self._reading.personal_joins(), page):
                    who.outbox.send(payload)
                if page.rows:
                    who.me_seen = page.rows[-1].entry.n
                more = page.more
        except Exception:
            _LOG.exception("a resume failed")
            who.bye(Disconnect(4000, code="internal", after_ms=1000))
            return
        if done:
            who.event("resume.done", None, "me", e.ResumeDone((self._sessions.epoch, who.me_seen)))
        held, who.held_personal = who.held_personal or [], None
        for n, payload in held:
            who.personal(n, payload)

    # -- rights ------------------------------------------------------------------------------------------------

    def rights_changed(self, who: Connection, room: LiveRoom) -> None:
        """The reader's role changed: give or take the mod stream (protocol 7)."""
        sub = who.rooms.get(room.id)
        if sub is None:
            return
        before, after = sub.audience, self.audience(who, room)
        if before == after:
            return
        mod = audience({"mod"})
        sub.audience = after
        if after & mod and not before & mod:
            who.event("stream.open", room.id, "mod", e.StreamOpen(self._mod_seen(sub)))
        elif before & mod and not after & mod:
            who.event("stream.closed", room.id, "mod", e.StreamClosed(self._mod_seen(sub)))

    def _mod_seen(self, sub: Subscription) -> tuple[str, int]:
        """The place in stream mod up to which this connection's fan-out has gone by: what follows it is sent."""
        return self._sessions.epoch, sub.seen("mod") or 0


def _unseen(who: Connection) -> bool:
    """An overlay reads for its maker and is nobody's presence."""
    return who.principal is not None and who.principal.read_only


def _counted(who: Connection) -> str | None:
    return None if who.principal is None else who.principal.id


def count_event(room: LiveRoom, viewers: int, chatters: int) -> bytes:
    """The ephemeral presence.count."""
    return encode_event("presence.count", room.id, None, None, None, e.PresenceCount(viewers, chatters))
