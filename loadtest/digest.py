"""What one chunk of bytes from the server means, worked out once for all connections that received it.

Owns the reading of chunks and the memory of chunks read before. A server that frames an event once sends the
same bytes to everybody, so a crowd sees few different chunks, each thousands of times: comparing with a known
chunk is one memcmp, and exact, while parsing it again for every receiver would make the crowd, not the server,
the thing measured. Refuses to know sockets and time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from loadtest import frames, stamps

_CHUNKS = 512
_FRAMES = 8192
_KEY = 160  # enough of a chunk to reach past the position in its first event


@dataclass(frozen=True, slots=True)
class Run:
    """Durable events of one stream with positions first…last, without a gap; the stamps and the ids in them.

    `mids` pairs the position and the id of each message.
    """

    stream: tuple[str, str]
    first: int
    last: int
    stamps: tuple[int, ...]
    mids: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A frame that is no durable event: a reply, an ephemeral, a greeting; as its JSON object."""

    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Control:
    """A control frame: opcode and payload."""

    opcode: int
    payload: bytes


Item = Run | Notice | Control


@dataclass(frozen=True, slots=True)
class Digest:
    """The whole frames of a chunk: `items` in order, and how many bytes they took (`consumed`)."""

    data: bytes
    consumed: int
    items: tuple[Item, ...]


@dataclass(slots=True)
class Reader:
    """Turns chunks into digests, and remembers them. One for a whole crowd."""

    hits: int = 0
    misses: int = 0
    _last: Digest = field(default_factory=lambda: Digest(b"", 0, ()))
    _chunks: dict[tuple[int, bytes], Digest] = field(default_factory=dict[tuple[int, bytes], Digest])
    _frames: dict[bytes, Item] = field(default_factory=dict[bytes, Item])

    def read(self, data: bytes) -> Digest:
        """The digest of `data`, which begins at a frame's first byte. Raises ValueError for a broken frame."""
        if data == self._last.data:
            self.hits += 1
            return self._last
        key = (len(data), data[:_KEY])
        known = self._chunks.get(key)
        if known is not None and known.data == data:
            self.hits += 1
            self._last = known
            return known
        self.misses += 1
        fresh = self._parse(data)
        if len(self._chunks) >= _CHUNKS:
            self._chunks.clear()
        self._chunks[key] = self._last = fresh
        return fresh

    def _parse(self, data: bytes) -> Digest:
        items: list[Item] = []
        consumed = 0
        for opcode, start, end in frames.server_frames(data):
            consumed = end
            if opcode == frames.TEXT:
                items.append(self._frame(data[start:end]))
            else:
                items.append(Control(opcode, data[start:end]))
        return Digest(data, consumed, tuple(_joined(items)))

    def _frame(self, payload: bytes) -> Item:
        known = self._frames.get(payload)
        if known is not None:
            return known
        item = read_frame(payload)
        if isinstance(item, Run):
            if len(self._frames) >= _FRAMES:
                self._frames.clear()
            self._frames[payload] = item
        return item


def read_frame(payload: bytes) -> Run | Notice:
    """One text frame. A durable event (protocol 2: top-level `pos`) is a run of one, a `skip` of several."""
    body = cast("dict[str, Any]", json.loads(payload))
    position = body.get("pos")
    if position is None:
        return Notice(body)
    last = int(position[1])
    first = int(body["d"]["from"]) if body["t"] == "skip" else last
    mids = ((last, str(body["d"]["mid"])),) if body["t"] == "msg.new" else ()
    return Run((body.get("ch", ""), body["s"]), first, last, stamps.find(payload), mids)


def _joined(items: Iterable[Item]) -> list[Item]:
    """Neighbouring runs of a stream that touch become one run."""
    out: list[Item] = []
    for item in items:
        before = out[-1] if out else None
        if (
            isinstance(item, Run)
            and isinstance(before, Run)
            and before.stream == item.stream
            and before.last + 1 == item.first
        ):
            out[-1] = Run(
                item.stream, before.first, item.last, before.stamps + item.stamps, before.mids + item.mids
            )
        else:
            out.append(item)
    return out
