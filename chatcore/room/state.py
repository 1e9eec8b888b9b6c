"""Owns what a room is at a position of its log, and `apply`, the only thing that changes it. Decides nothing (law 3).

A state is loaded from the tables at some head and then follows the log. Three parts are windows, not the whole: the
authors, the messages and the remembered `idem`s. Who needs an entry that is not there brings it as `Facts`, read at
some head, and `absorb` joins it with what has happened since.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, MutableMapping
from typing import Any, NamedTuple

import msgspec

from chatcore.room.events import (
    Acted,
    ChannelChanged,
    Entry,
    Gone,
    Message,
    ModeChanged,
    MyRole,
    MySanction,
    Noticed,
    RoleChanged,
    Said,
    Sanctioned,
    Unsanctioned,
)
from chatcore.room.layers import Layer
from schemas.roles import rank

#: Messages and the frames made of them that a node keeps of one room; equals the longest resume (protocol 4).
WINDOW = 2000
IDEM_MS = 600_000
#: Authors that a room remembers however long they are silent.
AUTHORS_KEPT = 5000
#: How long facts stay at least: longer than any draft waits for its decision.
BROUGHT_MS = 60_000
#: Deletions remembered for the joining of facts that were read before them.
GONE_KEPT = 64


class Channel(msgspec.Struct, frozen=True):
    """The channel's card, as its owner wrote it. `policy` holds only what differs from the defaults."""

    id: str
    slug: str
    owner: str
    title: str
    category: str
    tags: tuple[str, ...]
    mature: bool
    visibility: str
    policy: dict[str, Any]
    created_at: int
    scheduled_at: int | None = None


class Mode(NamedTuple):
    value: int | bool | str
    until: int | None
    by: str


class Grant(NamedTuple):
    role: str
    until: int | None


class Sanction(NamedTuple):
    kind: str
    until: int | None
    action: str
    reason: str | None


class Author(NamedTuple):
    """The newest message of a user here: its n (0 = never wrote), its time, his send bucket after it."""

    n: int
    ts: int
    bucket: int


class Remembered(NamedTuple):
    """What a repeated `idem` is answered with."""

    mid: str
    n: int
    ts: int


class Facts(msgspec.Struct):
    """What the log knew at room head `as_of` of authors and messages that the state did not hold."""

    as_of: int
    authors: dict[str, Author]
    messages: dict[str, Message]


class RoomState:
    """All that decisions of one channel need, as of `head` (room) and `mod_head`."""

    __slots__ = (
        "authors",
        "brought",
        "channel",
        "gone_log",
        "head",
        "idems",
        "last_ts",
        "messages",
        "mod_head",
        "modes",
        "roles",
        "sanctions",
    )

    def __init__(self, channel: Channel, head: int, mod_head: int, last_ts: int) -> None:
        self.channel = channel
        self.head = head
        self.mod_head = mod_head
        self.last_ts = last_ts
        self.roles: MutableMapping[str, Grant] = {}
        self.modes: MutableMapping[str, Mode] = {}
        self.sanctions: MutableMapping[str, Sanction] = {}
        self.authors: MutableMapping[str, Author] = {}
        self.messages: MutableMapping[str, Message] = {}
        self.idems: MutableMapping[tuple[str, str], Remembered] = {}
        self.gone_log: deque[tuple[int, Gone]] = deque(maxlen=GONE_KEPT)
        #: Authors and messages brought as facts for drafts that wait, with the time of the first trim that saw them.
        self.brought: dict[str, int | None] = {}

    def fork(self) -> RoomState:
        """A state that starts as this one and whose changes this one never sees (the batch-local overlay)."""
        copy = RoomState(self.channel, self.head, self.mod_head, self.last_ts)
        copy.roles = Layer(self.roles)
        copy.modes = Layer(self.modes)
        copy.sanctions = Layer(self.sanctions)
        copy.authors = Layer(self.authors)
        copy.messages = Layer(self.messages)
        copy.idems = Layer(self.idems)
        copy.gone_log = self.gone_log.copy()
        return copy

    # -- reading -----------------------------------------------------------------------------------------------

    def role_of(self, user: str, now: int) -> str:
        """The channel role in force (protocol 7): owner, a grant that has not expired, else viewer or guest."""
        if user == self.channel.owner:
            return "owner"
        grant = self.roles.get(user)
        if grant is not None and (grant.until is None or grant.until > now):
            return grant.role
        return "guest" if user.startswith("g_") else "viewer"

    def mode(self, name: str, now: int) -> int | bool | str | None:
        """The value of a mode in force, None when off."""
        mode = self.modes.get(name)
        if mode is None or (mode.until is not None and mode.until <= now):
            return None
        return mode.value

    def sanction_of(self, user: str, now: int) -> Sanction | None:
        """The timeout or ban in force on `user`, None without one."""
        sanction = self.sanctions.get(user)
        if sanction is None or (sanction.until is not None and sanction.until <= now):
            return None
        return sanction

    def is_staff(self, user: str, now: int) -> bool:
        """Whether the modes and the viewers' limits leave `user` alone: helper and above."""
        return rank(self.role_of(user, now)) >= rank("helper")

    # -- following the log -------------------------------------------------------------------------------------

    def apply(self, entry: Entry) -> bool:
        """Follow one entry of this channel; False if it was known already. Entries of a stream come in order."""
        if entry.stream.kind == "me":
            return True
        if entry.stream.kind == "mod":
            if entry.n <= self.mod_head:
                return False
            self.mod_head = entry.n
        else:
            if entry.n <= self.head:
                return False
            self.head = entry.n
        self.last_ts = max(self.last_ts, entry.ts)
        self._follow(entry)
        return True

    def _follow(self, entry: Entry) -> None:
        event = entry.event
        match event:
            case Said():
                self._said(entry, event)
            case Gone():
                self.gone_log.append((entry.n, event))
                for message in self.hit_by(event):
                    self.messages[message.mid] = msgspec.structs.replace(message, gone=event.by)
            case ModeChanged():
                self._mode(event)
            case RoleChanged():
                if event.role is None:
                    self.roles.pop(event.user, None)
                else:
                    self.roles[event.user] = Grant(event.role, event.until)
            case Sanctioned():
                self.sanctions[event.user] = Sanction(event.kind, event.until, event.action, event.reason)
            case Unsanctioned():
                self.sanctions.pop(event.user, None)
            case ChannelChanged():
                self.channel = msgspec.convert(
                    {**msgspec.structs.asdict(self.channel), **event.changes}, Channel, strict=False
                )
            case Acted() | Noticed() | MyRole() | MySanction():
                pass

    def _said(self, entry: Entry, event: Said) -> None:
        self.authors[event.user] = Author(entry.n, entry.ts, event.bucket)
        if event.idem is not None:
            key = event.user, event.idem
            self.idems.pop(key, None)  # used again after its time: to the end, where the newest stand
            self.idems[key] = Remembered(event.mid, entry.n, entry.ts)
        if entry.message is not None:
            self.messages[event.mid] = entry.message

    def _mode(self, event: ModeChanged) -> None:
        if event.value in (False, 0, -1) and not isinstance(event.value, str):
            self.modes.pop(event.name, None)
        else:
            self.modes[event.name] = Mode(event.value, event.until, event.by)

    def hit_by(self, event: Gone) -> list[Message]:
        """The standing messages of the window that `event` removes."""
        if event.mids:
            found = (self.messages.get(mid) for mid in event.mids)
            return [m for m in found if m is not None and m.gone is None]
        return [
            m
            for m in self.messages.values()
            if m.user == event.user and event.lo <= m.n <= event.hi and m.gone is None
        ]

    # -- windows -----------------------------------------------------------------------------------------------

    def absorb(self, facts: Facts) -> bool:
        """Take in facts that were read at head `facts.as_of`; False if too much was deleted since: read again."""
        if not self.remembers(facts.as_of):
            return False
        for user, author in facts.authors.items():
            known = self.authors.get(user)
            self.brought[user] = None
            if known is None or known.n < author.n:
                self.authors[user] = author
        for mid, message in facts.messages.items():
            self.brought[mid] = None
            if mid not in self.messages:
                self.messages[mid] = self.since(message, facts.as_of)
        return True

    def remembers(self, as_of: int) -> bool:
        """Whether every deletion after head `as_of` is still at hand, so that `since` can be asked."""
        full = len(self.gone_log) == GONE_KEPT
        return as_of >= self.head or not full or self.gone_log[0][0] <= as_of + 1

    def since(self, message: Message, as_of: int) -> Message:
        """`message`, read at head `as_of`, with what has been deleted since."""
        known = self.messages.get(message.mid)
        if known is not None:
            return known
        if message.gone is not None:  # who took it first is who took it
            return message
        for n, event in self.gone_log:
            in_range = event.user == message.user and event.lo <= message.n <= event.hi
            if n > as_of and (message.mid in event.mids or (event.user is not None and in_range)):
                return msgspec.structs.replace(message, gone=event.by)
        return message

    def trim(self, now: int, keep_from: int | None = None, keep: Collection[str] = ()) -> int:
        """Forget what the windows need no longer; anything forgotten can come back as facts.

        Messages from n = `keep_from` on stay, however many, and those whose ids are in `keep`. What was just brought
        stays for the drafts it was brought for. Returns the n from which on no message is missing.
        """
        waited = self._waited_for(now).union(keep)
        self._forget_idems(now)
        if len(self.authors) > AUTHORS_KEPT:
            idle = [user for user, author in self.authors.items() if author.ts + IDEM_MS <= now]
            for user in idle:
                if user not in waited:
                    del self.authors[user]
        oldest = self.head - WINDOW
        if keep_from is not None:
            oldest = min(oldest, keep_from - 1)
        for mid in [mid for mid, message in self.messages.items() if message.n <= oldest]:
            if mid not in waited:
                del self.messages[mid]
        return oldest + 1

    def _forget_idems(self, now: int) -> None:
        """They stand in the order of their time, so this costs what is forgotten and not what is kept."""
        over: list[tuple[str, str]] = []
        for key, kept in self.idems.items():
            if kept.ts + IDEM_MS > now:
                break
            over.append(key)
        for key in over:
            del self.idems[key]

    def _waited_for(self, now: int) -> set[str]:
        for key, seen in list(self.brought.items()):
            if seen is None:
                self.brought[key] = now
            elif seen + BROUGHT_MS <= now:
                del self.brought[key]
        return set(self.brought)
