"""The recent frames of one room, in commit order. Pure: bytes and numbers, no connection, no clock.

Owns: which frames a reader at a given place gets next, which of them are ephemeral, which were replaced.
Refuses to know: who reads (room_fan.py), how much memory all rooms may use (hub.py).

Places are `Mark`s: shared, compared by identity on the fast path. A reader that holds the ring's `end` has
everything; one whose mark lies before the oldest entry has been overtaken, and still knows where it stood.
"""

from dataclasses import dataclass
from typing import Final

from chatcore.fanout.frames import frame_text

ROOM: Final = 1
MOD: Final = 2
PRESENCE: Final = 4
ENGAGE: Final = 8

DURABLE: Final = {"room": ROOM, "mod": MOD}


class Mark:
    """A place between two entries: `seq` entries lie before it, and the streams stood at `room`, `mod`.

    `sent` counts the bytes of all entries before it, so that the difference of two marks is a backlog.
    A stream that was never seen here stands at None.
    """

    __slots__ = ("mod", "room", "sent", "seq")

    def __init__(self, seq: int, sent: int, room: int | None, mod: int | None) -> None:
        self.seq = seq
        self.sent = sent
        self.room = room
        self.mod = mod


class Entry:
    """One frame: who may have it (`want`, one bit), its place in its stream, and the mark behind it.

    An ephemeral has `n` 0 and a `key`; an entry whose frame is empty was dropped and is skipped.
    """

    __slots__ = ("after", "at", "frame", "key", "n", "want")

    def __init__(self, frame: bytes, want: int, n: int, key: str, at: float, after: Mark) -> None:
        self.frame = frame
        self.want = want
        self.n = n
        self.key = key
        self.at = at
        self.after = after


class Chunk:
    """What one connection gets in one write: `data` of `count` frames, up to the mark `upto`."""

    __slots__ = ("count", "data", "upto")

    def __init__(self, data: bytes, count: int, upto: Mark) -> None:
        self.data = data
        self.count = count
        self.upto = upto


@dataclass(frozen=True, slots=True)
class RingRules:
    """Bounds of one room's ring."""

    entries: int = 8192
    total: int = 4 * 1024 * 1024
    """Bytes of all frames of one room."""
    chunk: int = 128 * 1024
    """Bytes after which one write ends and the rest waits for the next; one frame may pass it."""
    recent: int = 256 * 1024
    """Bytes that `recent` answers at most: they are queued for one connection all at once."""


class Ring:
    """A bounded run of entries. Sizes are bytes; `at` is the caller's monotonic time in seconds."""

    __slots__ = ("_chunks", "_entries", "_index", "_keys", "_rules", "base", "end", "size")

    def __init__(self, rules: RingRules) -> None:
        self._rules = rules
        self._entries: list[Entry] = []
        self._index: dict[int, dict[int, Entry]] = {ROOM: {}, MOD: {}}
        self._keys: dict[str, Entry] = {}
        self._chunks: dict[tuple[Mark, int], Chunk] = {}
        self.end = Mark(0, 0, None, None)
        self.base = self.end
        self.size = 0

    def head(self, want: int) -> int | None:
        """The newest n of ROOM or MOD, None if nothing of it was ever appended or given to `start`."""
        return self.end.room if want == ROOM else self.end.mod

    def start(self, room: int | None, mod: int | None) -> None:
        """Say where an empty ring begins: the streams' heads before the first entry to come."""
        self.clear()
        self.end = self.base = Mark(self.end.seq, self.end.sent, room, mod)

    def append(self, payload: bytes, want: int, n: int, at: float) -> bool:
        """Add a durable event. False: this n is here or past, and nothing was done.

        After a jump in n the ring forgets what lay before it, so that nobody resumes across the hole.
        """
        head = self.head(want)
        if head is not None and n <= head:
            return False
        if head is not None and n != head + 1:
            self.clear()
        room, mod = self.end.room, self.end.mod
        entry = self._add(payload, want, n, "", at, n if want == ROOM else room, n if want == MOD else mod)
        self._index[want][n] = entry
        self._trim()
        return True

    def ephemeral(self, payload: bytes, want: int, key: str, at: float) -> bool:
        """Add an event that may be dropped. True: it replaced an older one of the same key."""
        older = self._keys.get(key)
        if older is not None:
            self._blank(older)
        self._keys[key] = self._add(payload, want, 0, key, at, self.end.room, self.end.mod)
        self._trim()
        return older is not None

    def swap(self, want: int, n: int, payload: bytes) -> bool:
        """Replace the bytes of a durable event; nothing that is built from now on has the old ones."""
        entry = self._index[want].get(n)
        if entry is None:
            return False
        self._chunks.clear()
        frame = frame_text(payload)
        self.size += len(frame) - len(entry.frame)
        entry.frame = frame
        return True

    def chunk(self, mark: Mark, audience: int) -> Chunk:
        """All that a reader at `mark` gets next; `mark` must not lie before `base`. Shared by readers."""
        key = (mark, audience)
        found = self._chunks.get(key)
        if found is None:
            found = self._chunks[key] = self._build(mark, audience)
        return found

    def waiting_since(self, mark: Mark) -> float | None:
        """When the first entry after `mark` came; None if there is none, or it is gone."""
        index = mark.seq - self.base.seq
        return self._entries[index].at if 0 <= index < len(self._entries) else None

    def mark_after(self, room: int, mod: int | None) -> Mark | None:
        """The place right after these positions; None if the ring does not reach back that far.

        If one stream's position lies further back in commit order than the other's, the further one
        counts: what the other stream has in between is delivered again (at least once, section 15).
        """
        places = [self._place(ROOM, room)]
        if mod is not None:
            places.append(self._place(MOD, mod))
        seqs = [place for place in places if place is not None]
        if len(seqs) < len(places):
            return None
        seq = min(seqs)
        near = self.end if seq == self.end.seq else self._before(seq)
        if near.room == room and mod in (None, near.mod):
            return near
        return Mark(seq, near.sent, room, near.mod if mod is None else mod)

    def recent(self, room: int, mod: int | None) -> list[bytes] | None:
        """Frames of the durable events after these positions, in commit order; None as `mark_after`, and
        if they are too much for one go."""
        mark = self.mark_after(room, mod)
        if mark is None or self.end.sent - mark.sent > self._rules.recent:
            return None
        found: list[bytes] = []
        for entry in self._entries[mark.seq - self.base.seq :]:
            if (entry.want == ROOM and entry.n > room) or (
                mod is not None and _is_mod(entry) and entry.n > mod
            ):
                found.append(entry.frame)
        return found

    def clear(self) -> None:
        """Forget all entries; the heads stay."""
        self._entries.clear()
        self._index[ROOM].clear()
        self._index[MOD].clear()
        self._keys.clear()
        self._chunks.clear()
        self.base = self.end
        self.size = 0

    def _add(
        self, payload: bytes, want: int, n: int, key: str, at: float, room: int | None, mod: int | None
    ) -> Entry:
        frame = frame_text(payload)
        self._chunks.clear()
        self.end = Mark(self.end.seq + 1, self.end.sent + len(frame), room, mod)
        entry = Entry(frame, want, n, key, at, self.end)
        self._entries.append(entry)
        self.size += len(frame)
        return entry

    def _build(self, mark: Mark, audience: int) -> Chunk:
        parts: list[bytes] = []
        size, upto = 0, self.end
        for entry in self._entries[mark.seq - self.base.seq :]:
            upto = entry.after
            if entry.want & audience and entry.frame:
                parts.append(entry.frame)
                size += len(entry.frame)
                if size >= self._rules.chunk:
                    break
        return Chunk(b"".join(parts), len(parts), upto)

    def _place(self, want: int, n: int) -> int | None:
        if n == self.head(want):
            return self.end.seq
        entry = self._index[want].get(n + 1)
        return None if entry is None else entry.after.seq - 1

    def _before(self, seq: int) -> Mark:
        index = seq - self.base.seq
        return self.base if index == 0 else self._entries[index - 1].after

    def _blank(self, entry: Entry) -> None:
        self.size -= len(entry.frame)
        entry.frame = b""

    def _trim(self) -> None:
        rules = self._rules
        if self.size <= rules.total and len(self._entries) <= rules.entries:
            return
        for entry in list(self._keys.values())[:-1]:
            self._blank(entry)
            del self._keys[entry.key]
        # An eighth at once: each trim moves the list, so it has to be rare.
        target = rules.total - rules.total // 8
        count = max(0, len(self._entries) - (rules.entries - rules.entries // 8))
        freed = sum(len(entry.frame) for entry in self._entries[:count])
        while self.size - freed > target and count < len(self._entries) - 1:
            freed += len(self._entries[count].frame)
            count += 1
        self._forget(count)

    def _forget(self, count: int) -> None:
        for entry in self._entries[:count]:
            self.size -= len(entry.frame)
            if entry.n:
                del self._index[entry.want][entry.n]
            elif self._keys.get(entry.key) is entry:
                del self._keys[entry.key]
        if count:
            self.base = self._entries[count - 1].after
            del self._entries[:count]


def _is_mod(entry: Entry) -> bool:
    return entry.want == MOD and entry.n > 0
