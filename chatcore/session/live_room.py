"""Owns one room as it lives on this node: its state, its frames, who is in it, and the snapshot a newcomer gets.

Follows what the committer made durable; decides nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import Raw

from chatcore.fanout.room_fan import RoomFan
from chatcore.log.port import Row
from chatcore.people.principal import Name
from chatcore.room.drafts import Actor
from chatcore.room.encode import Joins, Named, author, encode_entry, message_payload
from chatcore.room.events import Entry, Gone, Message, RoleChanged, Said, StreamKey
from chatcore.room.policy import effective
from chatcore.room.rights import capabilities, sanction_on
from chatcore.room.speak import next_send_at
from chatcore.room.state import WINDOW, RoomState
from chatcore.session.presence import Presence
from schemas import values
from schemas.codec import encode_event
from schemas.replies import RoomJoinReply, RoomStateReply
from schemas.roles import is_staff, rank

RECENT = 50
TRIM_EVERY = 500


class NameCache(Protocol):
    def name_of(self, person: str) -> Name | None:
        """The name if it is known without asking."""
        ...


class LiveRoom:
    """Made by `Rooms` from a loaded state; all calls on the loop's thread."""

    def __init__(self, state: RoomState, fan: RoomFan, names: NameCache, epoch: str) -> None:
        self.state = state
        self.fan = fan
        self.presence = Presence()
        self.quiet_since = 0
        self.told_counts: tuple[int, int] | None = None
        self._names = names
        self._epoch = epoch
        self._authors: dict[str, values.UserRef | None] = {}
        self._recent: deque[tuple[int, str, Raw]] = deque(maxlen=RECENT)
        self._recent_list: list[Raw] | None = None
        self._untrimmed = 0
        self._now = 0
        self._whole_from = 0
        self._grants_seen = 0
        self.joins = Joins(epoch, self._named, self._role, self.broadcast)

    @property
    def id(self) -> str:
        """The channel's id."""
        return self.state.channel.id

    # -- joins -------------------------------------------------------------------------------------------------

    def _named(self, user: str) -> Named | None:
        name = self._names.name_of(user)
        return None if name is None else Named(name.name, name.display_name, name.kind)

    def _role(self, user: str) -> str:
        return self.state.role_of(user, self._now)

    def broadcast(self) -> values.StreamInfo:
        """What the room knows of the channel's broadcast."""
        channel = self.state.channel
        state = "scheduled" if (channel.scheduled_at or 0) > self._now else "offline"
        return values.StreamInfo(state, None, channel.title, None, channel.created_at)

    def renamed(self, user: str) -> None:
        """A person has a new name: what is encoded from now on shows it."""
        self._authors.pop(user, None)
        messages = self.state.messages
        mine = {m.mid for m in messages.values() if m.user == user}
        self._rewrite(mine | {m.mid for m in messages.values() if m.reply in mine})

    def forget_author(self, user: str, *, texts: bool) -> None:
        """The log forgot who wrote these messages, with `texts` what: so does the room."""
        mine = [message for message in self.state.messages.values() if message.user == user]
        for message in mine:
            text, frags = ("", ()) if texts else (message.text, message.frags)
            self.state.messages[message.mid] = msgspec.structs.replace(
                message, user=None, text=text, frags=frags
            )
        self._authors.pop(user, None)
        mids = {message.mid for message in mine}
        self._rewrite(
            mids | {message.mid for message in self.state.messages.values() if message.reply in mids}
        )

    # -- following the log -------------------------------------------------------------------------------------

    def prime(self, rows: list[Row], now: int, older: Sequence[Row] = ()) -> None:
        """Take the newest rows of the room stream (ascending, up to its head) into the windows.

        `older` are messages before them that stand, where the rows have too few for `recent`.
        """
        self._now = self.quiet_since = now
        self._whole_from = rows[0].entry.n if rows else 0
        frames: list[tuple[str, int, bytes]] = []
        for row in older:
            if row.entry.message is not None:
                self.state.messages.setdefault(row.entry.message.mid, row.entry.message)
                payload = encode_entry(self.joins, row.entry, row.parent)
                self._recent.append((row.entry.n, row.entry.message.mid, Raw(payload)))
        for row in rows:
            for message in (row.parent, row.entry.message):
                if message is not None:
                    self.state.messages.setdefault(message.mid, message)
            payload = encode_entry(self.joins, row.entry, row.parent)
            frames.append(("room", row.entry.n, payload))
            if isinstance(row.entry.event, Said):
                if row.entry.message is not None and row.entry.message.gone is None:
                    self._recent.append((row.entry.n, row.entry.event.mid, Raw(payload)))
                self.presence.spoke(row.entry.event.user, row.entry.ts)
        heads: Mapping[str, int] = {"room": self.state.head, "mod": self.state.mod_head}
        self.fan.prime(frames, heads)  # pyright: ignore[reportArgumentType] - the two stream names

    def follow(self, entries: list[Entry], now: int) -> None:
        """Entries of this channel became durable and are applied: frame them once and hand them to the fan-out."""
        self._now = now
        self.quiet_since = now
        for entry in entries:
            event = entry.event
            if isinstance(event, Said):
                self._said(entry, event)
                continue
            if isinstance(event, Gone):
                self._gone(event)
            elif isinstance(event, RoleChanged):
                self._authors.pop(event.user, None)
            stream = "mod" if entry.stream.kind == "mod" else "room"
            self.fan.publish(encode_entry(self.joins, entry), stream=stream, n=entry.n)
        self._untrimmed += len(entries)
        if self._untrimmed >= TRIM_EVERY:
            self._untrimmed = 0
            self._trim(now)

    def _trim(self, now: int) -> None:
        """Keep what has bytes on this node: a deletion has to find the message of each frame."""
        before = self.fan.ring.base.room
        kept = {mid for _, mid, _ in self._recent}
        whole = self.state.trim(now, None if before is None else before + 1, kept)
        self._whole_from = max(self._whole_from, whole)

    def _said(self, entry: Entry, event: Said) -> None:
        message = self.state.messages.get(event.mid)
        if message is None:
            message = entry.message
        if message is None:
            return
        payload = self._encode(message, entry.ts)
        self.fan.publish(payload, stream="room", n=entry.n)
        # A deletion earlier in the same commit has rebuilt the list from the state, which is ahead of these entries.
        if message.gone is None and (not self._recent or self._recent[-1][0] < entry.n):
            self._recent.append((entry.n, event.mid, Raw(payload)))
            self._recent_list = None
        self.presence.spoke(event.user, entry.ts)

    def _encode(self, message: Message, ts: int) -> bytes:
        user = message.user
        who = None
        if user is not None:
            who = self._authors.get(user)
            if who is None:
                who = self._authors[user] = author(self.joins, user)
                if len(self._authors) > WINDOW:
                    self._authors.clear()
        parent = self.state.messages.get(message.reply) if message.reply is not None else None
        payload = message_payload(self.joins, message, parent, who, ts)
        return encode_event("msg.new", self.id, "room", (self._epoch, message.n), ts, payload)

    def _gone(self, event: Gone) -> None:
        messages = self.state.messages
        if event.user is None:
            hit = {mid for mid in event.mids if mid in messages}
        else:
            hit = {m.mid for m in messages.values() if m.user == event.user and event.lo <= m.n <= event.hi}
        self._rewrite(hit | {m.mid for m in messages.values() if m.reply in hit})

    def _rewrite(self, mids: set[str]) -> None:
        """Encode these messages anew wherever this node keeps their bytes."""
        fresh: dict[str, bytes] = {}
        for mid in mids:
            message = self.state.messages[mid]
            fresh[mid] = self._encode(message, message.ts)
            self.fan.swap("room", message.n, fresh[mid])
        if not any(mid in fresh for _, mid, _ in self._recent):
            return
        shown = {mid for _, mid, _ in self._recent}
        standing = [
            m
            for m in self.state.messages.values()
            if m.gone is None and (m.n >= self._whole_from or m.mid in shown)
        ]
        standing.sort(key=lambda m: m.n)
        self._recent.clear()
        for message in standing[-RECENT:]:
            payload = fresh.get(message.mid) or self._encode(message, message.ts)
            self._recent.append((message.n, message.mid, Raw(payload)))
        self._recent_list = None

    # -- what a client is shown --------------------------------------------------------------------------------

    def pos(self) -> tuple[str, int]:
        """The room stream's head."""
        return self._epoch, self.state.head

    def mod_pos(self) -> tuple[str, int]:
        """The mod stream's head."""
        return self._epoch, self.state.mod_head

    def recent(self) -> list[Raw]:
        """The newest visible messages as whole events, ascending."""
        if self._recent_list is None:
            self._recent_list = [payload for _, _, payload in self._recent]
        return self._recent_list

    def view(self, now: int) -> values.RoomState:
        """What every reader sees of the room."""
        self._now = max(self._now, now)
        channel = self.state.channel
        viewers, chatters = self.presence.counts(now)
        name = self._named(channel.owner)
        owner = values.UserRef(channel.owner, name.name if name else "", name.display_name if name else "")
        modes = {
            mode: values.Mode(kept.value, kept.until)
            for mode, kept in self.state.modes.items()
            if self.state.mode(mode, now) is not None
        }
        counts = values.Counts(viewers, chatters)
        category = channel.category or None
        return values.RoomState(
            channel.title, category, list(channel.tags), owner, modes, self.broadcast(), counts, [], None
        )

    def you(self, actor: Actor | None, now: int) -> values.You:
        """What the reader may do here. `actor` None = anonymous."""
        if actor is None:
            return values.You("guest", [], None, None, None)
        state = self.state
        caps = capabilities(state, actor, now)
        kept = sanction_on(state, actor, now)
        sanction = None
        if kept is not None:
            sanction = values.Sanction(kept.kind, kept.until, kept.reason, kept.action, False)  # pyright: ignore[reportArgumentType] - stored from the same words
        waits = None if "exempt.slow" in caps else next_send_at(state, actor.id, now)
        return values.You(state.role_of(actor.id, now), sorted(caps), sanction, None, waits)

    def snapshot(self, actor: Actor | None, now: int, *, recent: bool = True) -> RoomJoinReply:
        """The reply of room.join, as of the head."""
        you = self.you(actor, now)
        mod = self.mod_pos() if "mod.read" in you.caps else msgspec.UNSET
        shown = self.recent() if recent else []
        channel = self.state.channel
        return RoomJoinReply(channel.id, channel.slug, self.pos(), self.view(now), you, shown, mod)

    def state_reply(self, actor: Actor | None, now: int) -> RoomStateReply:
        """The reply of room.state."""
        return RoomStateReply(self.id, self.pos(), self.view(now), self.you(actor, now))

    def who(self, now: int) -> list[values.Member]:
        """Who is here: staff first, highest role first, then by name."""
        found: list[tuple[int, str, values.Member]] = []
        for user, here in self.presence.people.items():
            name = self._named(user)
            if name is None:
                continue
            role = self.state.role_of(user, now)
            roles = [] if role == "viewer" else [role]
            member = values.Member(user, name.name, name.display_name, name.kind, roles, here.since)
            height = -rank(role) if is_staff(role) else 0
            found.append((height, name.name, member))
        return [member for _, _, member in sorted(found, key=lambda item: item[:2])]

    def reference(self, user: str) -> values.UserRef | None:
        """A person as an author is shown here, None if his name is not at hand."""
        return author(self.joins, user)

    def expired_grants(self, now: int) -> list[str]:
        """Users whose grant has ended by time since this was last asked."""
        ended = [
            user
            for user, grant in self.state.roles.items()
            if grant.until is not None and self._grants_seen < grant.until <= now
        ]
        self._grants_seen = now
        for user in ended:
            self._authors.pop(user, None)
        return ended

    def may_read(self, actor: Actor | None, now: int) -> bool:
        """Whether the reader may join, by the channel's policy."""
        policy = effective(self.state.channel.policy)
        if actor is None:
            return bool(policy["anonymousRead"])
        banned = sanction_on(self.state, actor, now)
        return not (policy["banHides"] and banned is not None and banned.kind == "ban")

    def key(self, kind: str) -> StreamKey:
        """The room's stream of this kind."""
        return StreamKey("mod" if kind == "mod" else "room", self.id)
