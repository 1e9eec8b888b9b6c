"""Owns who is in a room on this node: people by connection, anonymous readers, recent authors. No clock, no I/O.

Counts are of the moment. Who left is told 15 s after the last connection went, so that a reload is no coming and
going; `presence.delta` exists in rooms of at most 100 (protocol 5).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

GRACE_MS = 15_000
CHATTER_MS = 300_000
DELTA_MOST = 100


class Here(NamedTuple):
    """Somebody in the room: when he came (Unix ms) and with how many connections."""

    since: int
    connections: int


class Delta(NamedTuple):
    """Who came and who left since it was last asked for."""

    came: list[str]
    left: list[str]


class Presence:
    """Of one room. `dirty` says that the counts may have changed since `counts` was last called."""

    __slots__ = ("_announced", "_chatters", "_leaving", "anonymous", "dirty", "people")

    def __init__(self) -> None:
        self.people: dict[str, Here] = {}
        self.anonymous = 0
        self.dirty = False
        self._leaving: dict[str, int] = {}
        self._announced: set[str] = set()
        self._chatters: OrderedDict[str, int] = OrderedDict()

    def enter(self, user: str | None, now: int) -> None:
        """A connection of `user` (None = anonymous) joined."""
        self.dirty = True
        if user is None:
            self.anonymous += 1
            return
        self._leaving.pop(user, None)
        here = self.people.get(user)
        self.people[user] = Here(now, 1) if here is None else Here(here.since, here.connections + 1)

    def leave(self, user: str | None, now: int) -> None:
        """A connection of `user` left."""
        self.dirty = True
        if user is None:
            self.anonymous -= 1
            return
        here = self.people.get(user)
        if here is None:
            return
        if here.connections > 1:
            self.people[user] = Here(here.since, here.connections - 1)
        else:
            del self.people[user]
            self._leaving[user] = now

    def spoke(self, user: str, now: int) -> None:
        """`user` published a message."""
        self._chatters[user] = now
        self._chatters.move_to_end(user)
        self.dirty = True

    def counts(self, now: int) -> tuple[int, int]:
        """(viewers, chatters)."""
        chatters = self._chatters
        while chatters and next(iter(chatters.values())) <= now - CHATTER_MS:
            chatters.popitem(last=False)
        return len(self.people) + self.anonymous, len(chatters)

    def ages(self, now: int) -> bool:
        """Whether time alone may have changed something: a chatter fell silent or a grace is over."""
        oldest = next(iter(self._chatters.values()), now)
        return oldest <= now - CHATTER_MS or any(at <= now - GRACE_MS for at in self._leaving.values())

    def delta(self, now: int) -> Delta | None:
        """Who came and left since the last call; None where nothing did or the room is too large for it."""
        if len(self.people) > DELTA_MOST:
            self._announced.clear()
            self._leaving.clear()
            return None
        came = [user for user in self.people if user not in self._announced]
        left = [user for user, at in self._leaving.items() if at <= now - GRACE_MS]
        for user in left:
            del self._leaving[user]
        gone = [user for user in left if user in self._announced]
        self._announced.update(came)
        self._announced.difference_update(left)
        return Delta(came, gone) if came or gone else None
