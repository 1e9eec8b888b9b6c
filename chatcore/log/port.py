"""Owns the contract of the durable log. Implementations: `memory` (twin for tests), `sqlite`; one suite for all.

The contract in prose
1. A stream is a gap-free sequence of entries, n = 1, 2, 3 …. An entry that `append` returned is durable and never
   changes place. Either all entries of an `append` are in the log, or none.
2. `append(claims, decide)` is where order is made. `claims` are the channels that the caller wants to write, with the
   heads that it knows. The log holds those channels against every other writer, calls `decide(ground)` and writes what
   it returns. If the log knows more than the caller, `ground.missed` holds the entries the caller has not seen, in
   order; the caller takes them in before it decides. `decide` may be called several times; only the last call counts.
3. `decide` numbers the entries of claimed channels itself, from the heads that it knows after `missed`; entries of
   `me` streams carry n = 0, and the log numbers them. Channels are locked before users, each kind in sorted order.
4. `ground.now` is the log's clock in Unix ms; `ts` of a stream never goes back (the caller takes the maximum).
5. A failing `append` raises Unavailable and may or may not have been written: the caller finds out by the next
   `append` (as `missed`) or by `read`.
6. `read` sees everything that an `append` returned before `read` was called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from chatcore.room.events import Entry, Message, StreamKey
from chatcore.room.state import Facts, RoomState

Heads = tuple[int, int]
"""(room head, mod head) of a channel."""


class Unavailable(Exception):
    """The log can't be reached or written now; `args[0]` says what is known of it."""


class Ground(NamedTuple):
    """What a decision stands on: the log's time (Unix ms), and per channel what the caller had not seen."""

    now: int
    missed: Mapping[str, Sequence[Entry]]


Decide = Callable[[Ground], list[Entry]]


class Row(msgspec.Struct):
    """An entry as it is read: with the message that it carries and the text that a reply previews."""

    entry: Entry
    parent: Message | None = None


class Page(NamedTuple):
    """Rows ascending; `more` says whether the log goes on in the direction of reading; `head` as of the read."""

    rows: list[Row]
    more: bool
    head: int


class Log(Protocol):
    @property
    def epoch(self) -> str:
        """The identity of this log; a new one is made when it was restored (protocol 3)."""
        ...

    async def append(self, claims: Mapping[str, Heads], decide: Decide) -> list[Entry]:
        """Decide and write in one transaction; returns the entries with their n. Raises Unavailable."""
        ...

    async def room(self, channel: str) -> RoomState | None:
        """The room at its head, its windows empty but for `idem`; None if there is no such channel."""
        ...

    async def facts(self, channel: str, users: Iterable[str], mids: Iterable[str]) -> Facts:
        """Authors (n = 0 for one who never wrote) and messages (absent ones left out) as of one head."""
        ...

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
        """Up to `limit` rows with after < n < before, from the oldest or the newest of them, returned ascending.

        `said_only` leaves only messages, `standing_only` only those that are not gone.
        """
        ...

    async def first_since(self, channel: str, user: str, ts: int) -> int | None:
        """The n of the oldest message of `user` that is not older than `ts`, None without one."""
        ...

    async def channels_of(self, user: str) -> list[str]:
        """The channels in which `user` ever wrote."""
        ...

    async def forget_author(self, channel: str, user: str, *, texts: bool) -> None:
        """Take the author off all his messages in a channel, with `texts` their text as well. No entry is written."""
        ...

    async def heads(self, streams: Iterable[StreamKey]) -> dict[StreamKey, int]:
        """The newest n of each stream; 0 for one that has no entry."""
        ...
