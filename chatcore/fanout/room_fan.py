"""One room on this node: its recent frames and who gets them.

Owns: membership, each member's place in the ring, and the rotation in which members are written to.
Refuses to know: when it is its turn (scheduler.py), how bytes leave (outbox.py), what an event means.

Members are served in rotation: the next one is the one that has waited longest, so a slice may end
anywhere and the following one goes on there. A member whose wire is full is skipped without cost until
it drains; events it has not got stay in the ring, where it may catch up or be overtaken.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

from chatcore.fanout.outbox import Outbox
from chatcore.fanout.ring import DURABLE, ENGAGE, MOD, PRESENCE, ROOM, Mark, Ring, RingRules

Stream = Literal["room", "mod"]

_NAMES = {"room": ROOM, "mod": MOD, "presence": PRESENCE, "engage": ENGAGE}

_CLOCK_EVERY = 8
"""Members served between two looks at the clock: about 60 us."""


def audience(names: Iterable[str]) -> int:
    """The bits for what a subscription gets: of room, mod, presence, engage. KeyError for other names."""
    bits = 0
    for name in names:
        bits |= _NAMES[name]
    return bits


class Host(Protocol):
    """The hub, as a room sees it."""

    deliveries: int
    flushes: int
    merged: int
    gaps: int

    def now(self) -> float: ...

    def wake(self, room: "RoomFan") -> None:
        """This room has something to deliver."""
        ...

    def settle(self) -> None:
        """Write what connections have queued in this turn, now."""
        ...

    def charge(self, room: "RoomFan", grown: int) -> None:
        """The room's ring grew by so many bytes (or shrank), and it was used."""
        ...


class Subscription:
    """One connection in one room. Made by `RoomFan.join`."""

    __slots__ = ("audience", "held", "index", "late", "mark", "outbox", "room")

    def __init__(self, room: "RoomFan", outbox: Outbox, bits: int, mark: Mark, held: bool) -> None:
        self.room = room
        self.outbox = outbox
        self.audience = bits
        self.mark = mark
        self.held = held
        self.late = False
        self.index = -1

    def seen(self, stream: Stream) -> int | None:
        """Everything up to this n was handed to the connection; None: the stream was never seen here."""
        return self.mark.room if stream == "room" else self.mark.mod

    def hold(self) -> None:
        """No fan-out until `resume_at`; the place is kept."""
        self.held = True

    def resume_at(self, room: int, mod: int | None = None) -> bool:
        """Go on right after these positions, from the ring. False: the ring does not reach back that far
        (or not forward); nothing changed, read on in the log and try again."""
        mark = self.room.ring.mark_after(room, mod)
        if mark is None:
            return False
        self.mark = mark
        self.held = False
        self.catch_up()
        return True

    def catch_up(self) -> None:
        """Serve this member at the scheduler's next slice, before the rotation."""
        self.room.serve_late(self)

    def lacking(self) -> int:
        """Bytes of events in the room's ring that it has not got, whoever may have them."""
        return self.room.ring.end.sent - self.mark.sent

    def leave(self) -> None:
        """Get nothing more. Idempotent."""
        self.room.leave(self)


class RoomFan:
    """Made by `Hub.room`. All calls on the loop's thread; nothing waits, nothing raises."""

    __slots__ = ("_host", "_late", "_left", "_members", "_next", "ch", "queued", "ring")

    def __init__(self, ch: str, host: Host, rules: RingRules) -> None:
        self.ch = ch
        self._host = host
        self.ring = Ring(rules)
        self._members: list[Subscription] = []
        self._next = 0
        self._left = 0
        self._late: deque[Subscription] = deque()
        self.queued = False

    @property
    def members(self) -> int:
        """Connections that joined here."""
        return len(self._members)

    def head(self, stream: Stream) -> int | None:
        """The newest n published or primed on this node; None: none ever."""
        return self.ring.head(DURABLE[stream])

    # What the room says

    def publish(self, payload: bytes, *, stream: Stream, n: int) -> bool:
        """Frame an event once and have it delivered. Call in commit order. False: n was here already."""
        size = self.ring.size
        if not self.ring.append(payload, DURABLE[stream], n, self._host.now()):
            return False
        self._host.charge(self, self.ring.size - size)
        self._stir()
        return True

    def ephemeral(self, key: str, payload: bytes, want: int) -> None:
        """Have an event delivered that may be merged: a newer one of the same key replaces an older one
        for all who have not got that yet."""
        size = self.ring.size
        if self.ring.ephemeral(payload, want, key, self._host.now()):
            self._host.merged += 1
        self._host.charge(self, self.ring.size - size)
        self._stir()

    def swap(self, stream: Stream, n: int, payload: bytes) -> bool:
        """Replace an event's bytes (a deleted message): no later write has the old ones, for nobody.
        False: the ring has no such event (any more)."""
        # Replies and pages that were encoded before it may lie in outboxes: they go before the deletion.
        self._host.settle()
        size = self.ring.size
        done = self.ring.swap(DURABLE[stream], n, payload)
        self._host.charge(self, self.ring.size - size)
        return done

    def prime(self, entries: Iterable[tuple[Stream, int, bytes]], heads: Mapping[Stream, int | None]) -> None:
        """Fill the ring from the log, in commit order, before anybody reads here; `heads` are the
        streams' newest n. Entries that do not reach the heads without a hole are forgotten."""
        size, now = self.ring.size, self._host.now()
        events = list(entries)
        first = {stream: n for stream, n, _ in reversed(events)}
        before = {s: first[s] - 1 if s in first else heads.get(s) for s in ("room", "mod")}
        self.ring.start(before["room"], before["mod"])
        for stream, n, payload in events:
            self.ring.append(payload, DURABLE[stream], n, now)
        if any(self.head(stream) != n for stream, n in heads.items()):
            self.ring.start(heads.get("room"), heads.get("mod"))
        for member in self._members:
            member.mark = self.ring.end
        self._host.charge(self, self.ring.size - size)

    def recent(self, room: int, mod: int | None = None) -> list[bytes] | None:
        """Frames of all durable events after these positions, in commit order, for `send_frames`.
        None: the ring does not reach back that far, or they are too much for one go (RingRules.recent);
        then read on in the log and ask again. Without `mod`, those of `room` alone."""
        self._host.charge(self, 0)
        return self.ring.recent(room, mod)

    def forget(self) -> int:
        """Drop all frames, answer how many bytes that freed. Readers who lack some will see a gap."""
        size = self.ring.size
        self.ring.clear()
        return size

    # Who listens

    def join(self, outbox: Outbox, bits: int, *, held: bool = False) -> Subscription:
        """Subscribe a connection from here on: it stands at `head(…)`. `bits` as made by `audience`."""
        member = Subscription(self, outbox, bits, self.ring.end, held)
        member.index = len(self._members)
        self._members.append(member)
        if self._left:
            # The newcomer may stand in front of those who are still to be served: one visit more.
            self._left += 1
        if outbox.subscriptions is None:
            outbox.subscriptions = set()
        outbox.subscriptions.add(member)
        return member

    def leave(self, member: Subscription) -> None:
        """Unsubscribe. Idempotent."""
        if member.index < 0:
            return
        last = self._members.pop()
        if last is not member:
            last.index = member.index
            self._members[member.index] = last
            # The moved one may now stand behind the rotation: go round once more, at a glance each.
            self._left = len(self._members) if self._left else 0
        member.index = -1
        if member.outbox.subscriptions is not None:
            member.outbox.subscriptions.discard(member)

    def dismiss(self) -> None:
        """Unsubscribe everybody."""
        for member in list(self._members):
            self.leave(member)

    # Delivery, called by the scheduler

    def flush(self, deadline: float) -> bool:
        """Serve members until all are served or the time is `deadline`. True: some still wait."""
        if not self._flush_late(deadline):
            return True
        members, end, now = self._members, self.ring.end, self._host.now
        left = min(self._left, len(members))
        at = self._next
        while left:
            for _ in range(min(left, _CLOCK_EVERY)):
                if at >= len(members):
                    at = 0
                member = members[at]
                at += 1
                left -= 1
                if member.mark is not end and not member.held and not member.late:
                    # Whoever is overtaken leaves and joins from in here: the count is theirs to raise.
                    self._left = left
                    self._serve(member)
                    left = self._left
            if left and now() >= deadline:
                break
        self._next, self._left = at, left
        return bool(left or self._late)

    def waiting_since(self) -> float | None:
        """When the oldest event came that somebody who reads has not got, as far as a glance tells."""
        members = self._members
        for step in range(min(self._left, 4)):
            member = members[(self._next + step) % len(members)]
            if not (member.held or member.outbox.blocked):
                return self.ring.waiting_since(member.mark)
        return None

    def serve_late(self, member: Subscription) -> None:
        """Serve this member before the rotation: it was full and has drained, or it was held."""
        if member.index < 0 or member.late or member.held or member.mark is self.ring.end:
            return
        member.late = True
        self._late.append(member)
        self._host.wake(self)

    def _flush_late(self, deadline: float) -> bool:
        while self._late:
            member = self._late.popleft()
            member.late = False
            if member.index >= 0 and not member.held:
                self._serve(member)
            if self._host.now() >= deadline:
                return not self._late and not self._left
        return True

    def _serve(self, member: Subscription) -> None:
        outbox = member.outbox
        if outbox.blocked:
            self._fall_behind(member)
            return
        if member.mark.seq < self.ring.base.seq:
            member.held = True
            self._host.gaps += 1
            outbox.on_gap(member)
            return
        chunk = self.ring.chunk(member.mark, member.audience)
        member.mark = chunk.upto
        if chunk.count:
            host = self._host
            host.deliveries += chunk.count
            host.flushes += 1
            outbox.fan(chunk.data)
        if chunk.upto is not self.ring.end:
            self._fall_behind(member) if outbox.blocked else self.serve_late(member)

    def _fall_behind(self, member: Subscription) -> None:
        if member.outbox.behind is None:
            member.outbox.behind = []
        if member not in member.outbox.behind:
            member.outbox.behind.append(member)

    def _stir(self) -> None:
        if self._members:
            self._left = len(self._members)
            self._host.wake(self)
