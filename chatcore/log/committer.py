"""Owns the way from drafts to entries: they are decided in log order, in batches, each seeing the ones before it.

One committer serves one shard of channels on one node. It is self-clocked: it commits what is queued as soon as the
last commit is done, so the pace of the disk sets the size of the batches. Knows no SQL, no socket and no text rule.

What holds whatever fails (proved in tests/property/test_log.py):
- a draft gets exactly one answer: a reply, a refusal, or `overloaded` (its outcome is unknown until it is repeated);
- what the log holds is applied to the room exactly once and in order, also what other nodes wrote and what a commit
  wrote whose answer was lost;
- nothing of a batch is seen by anybody before it is durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from chatcore.log.port import Ground, Heads, Log, Unavailable
from chatcore.room.drafts import STAFF, VIEWERS, At, Bucket, Decision, Draft
from chatcore.room.events import Entry
from chatcore.room.settle import DECIDERS
from chatcore.room.state import RoomState
from schemas.errors import Refused

_LOG = logging.getLogger(__name__)

#: Drafts that one commit takes at most: bounds the time to the first answer when a room is flooded.
BATCH_CAP = 256
#: Waiting drafts that are worth a commit at once.
CROWD = 64
#: A disk that stumbles is not waited for twice.
REST_MOST_S = 0.003

Answer = Callable[[Any, Refused | None], None]
"""Called once per draft with (reply, None) or (None, refusal)."""


class Committer:
    """`room_of(channel)` gives the node's live state, None if the room is not here; `follow(entries)` is told what
    became durable, in order.

    `rest` is how long the next commit waits, in durations of the last one, while fewer than CROWD drafts do.
    `queue_cap` bounds the drafts that wait; past it a draft is refused as overloaded.
    """

    def __init__(
        self,
        log: Log,
        *,
        room_of: Callable[[str], RoomState | None],
        follow: Callable[[Sequence[Entry]], None],
        viewers: Bucket | None = VIEWERS,
        staff: Bucket | None = STAFF,
        queue_cap: int = 20_000,
        rest: float = 1.0,
    ) -> None:
        self._log = log
        self._room_of = room_of
        self._follow = follow
        self._viewers = viewers
        self._staff = staff
        self._queue_cap = queue_cap
        self._rest = rest
        self._queue: list[tuple[Draft, Answer]] = []
        self._worker: asyncio.Task[None] | None = None
        self.batches = 0
        self.failures = 0

    @property
    def waiting(self) -> int:
        """Drafts that wait for their batch."""
        return len(self._queue)

    def submit(self, draft: Draft, answer: Answer) -> None:
        """Queue a draft; `answer` is called from the loop when it is decided and durable, or refused."""
        if len(self._queue) >= self._queue_cap:
            answer(None, Refused("overloaded", after_ms=1000))
            return
        self._queue.append((draft, answer))
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())

    async def drain(self) -> None:
        """Wait until everything that was queued is answered."""
        while self._worker is not None:
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._queue:
                began = loop.time()
                batch, self._queue = self._queue[:BATCH_CAP], self._queue[BATCH_CAP:]
                batch = self._present(batch)
                if batch:
                    await self._commit(batch)
                    await self._rested(loop.time() - began)
        finally:
            self._worker = None

    async def _rested(self, took: float) -> None:
        """Wait as long as the last commit took, if few wait for the next: half the commits for one more millisecond."""
        if self._rest and 0 < len(self._queue) < CROWD:
            await asyncio.sleep(min(took * self._rest, REST_MOST_S))

    def _present(self, batch: list[tuple[Draft, Answer]]) -> list[tuple[Draft, Answer]]:
        """The drafts whose rooms are still here. A room may be unloaded or deleted while its drafts wait."""
        found: list[tuple[Draft, Answer]] = []
        for draft, answer in batch:
            if self._room_of(draft.ch) is None:
                refusal = Refused("overloaded", "The room was just closed; send again.", after_ms=50)
                _tell(answer, None, refusal)
            else:
                found.append((draft, answer))
        return found

    async def _commit(self, batch: list[tuple[Draft, Answer]]) -> None:
        run = _Batch(batch, self._room_of, self._take_in, self._log.epoch, self._viewers, self._staff)
        self.batches += 1
        try:
            entries = await self._log.append(run.claims, run.decide)
        except Unavailable as error:
            self.failures += 1
            run.fail(str(error))
            return
        except Exception:
            self.failures += 1
            _LOG.exception("a commit failed")
            run.fail("")
            return
        self._take_in(entries)
        run.answer()

    def _take_in(self, entries: Sequence[Entry]) -> None:
        """Apply what is durable to the live rooms and tell the fan-out of what was new.

        Never raises: these entries are in the log whatever becomes of them here, and their senders are answered.
        """
        new = [entry for entry in entries if entry.stream.kind == "me" or self._applied(entry)]
        try:
            if new:
                self._follow(new)
        except Exception:
            _LOG.exception("following the log failed")

    def _applied(self, entry: Entry) -> bool:
        room = self._room_of(entry.stream.owner)
        return room is not None and room.apply(entry)


class _Batch:
    """The drafts of one commit while they are decided."""

    def __init__(
        self,
        drafts: list[tuple[Draft, Answer]],
        room_of: Callable[[str], RoomState | None],
        take_in: Callable[[Sequence[Entry]], None],
        epoch: str,
        viewers: Bucket | None,
        staff: Bucket | None,
    ) -> None:
        self._drafts = drafts
        self._room_of = room_of
        self._take_in = take_in
        self._epoch = epoch
        self._buckets = viewers, staff
        self._outcomes: list[tuple[Any, Refused | None]] = []
        channels = {draft.ch for draft, _ in drafts}
        self.claims: dict[str, Heads] = {ch: self._heads(ch) for ch in channels}

    def _heads(self, channel: str) -> Heads:
        room = self._live(channel)
        return room.head, room.mod_head

    def _live(self, channel: str) -> RoomState:
        room = self._room_of(channel)
        if room is None:
            raise Unavailable(f"The channel {channel} is no longer here.")
        return room

    def decide(self, ground: Ground) -> list[Entry]:
        """All drafts in the order they came, over an overlay of the live rooms (port, rule 2)."""
        for missed in ground.missed.values():
            self._take_in(missed)
        overlay = {ch: self._live(ch).fork() for ch in self.claims}
        self._outcomes = []
        entries: list[Entry] = []
        for draft, _ in self._drafts:
            entries += self._settle(draft, overlay[draft.ch], ground.now)
        return entries

    def _settle(self, draft: Draft, room: RoomState, now: int) -> list[Entry]:
        at = At(max(now, room.last_ts), self._epoch, *self._buckets)
        try:
            decision = DECIDERS[type(draft.command)](room, draft, at)
        except Refused as refusal:
            self._outcomes.append((None, refusal))
            return []
        except Exception:  # a bug in one decision must not take the batch with it (law 10)
            _LOG.exception("deciding %s failed", type(draft.command).__name__)
            self._outcomes.append((None, Refused("internal")))
            return []
        self._outcomes.append((decision.reply, None))
        return [*_numbered(decision, room, at.now)]

    def answer(self) -> None:
        """Tell every draft its outcome, once."""
        for (_, answer), (reply, refusal) in zip(self._drafts, self._outcomes, strict=True):
            _tell(answer, reply, refusal)

    def fail(self, why: str) -> None:
        """The outcome is unknown: a refusal stands, for all else the sender repeats with the same `idem`."""
        message = f"The log could not be written; repeat with the same idem. {why}".strip()
        for _, answer in self._drafts:
            _tell(answer, None, Refused("overloaded", message, after_ms=1000))


def _tell(answer: Answer, reply: Any, refusal: Refused | None) -> None:
    """One listener that fails must not leave the others of its batch without an answer."""
    try:
        answer(reply, refusal)
    except Exception:
        _LOG.exception("answering a draft failed")


def _numbered(decision: Decision, room: RoomState, now: int) -> list[Entry]:
    """The entries of a decision with their place, applied to the overlay."""
    entries: list[Entry] = []
    for stream, event, message in decision.events:
        n = {"room": room.head + 1, "mod": room.mod_head + 1, "me": 0}[stream.kind]
        entry = Entry(stream, n, now, event, message)
        room.apply(entry)
        entries.append(entry)
    return entries
