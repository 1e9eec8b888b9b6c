"""Any history of a room, with readers who stop, drain, leave, are held and overtaken: nobody misses anything.

The model is a log: a list of events. A reader who was overtaken does what a session does: it pages from the
log until the ring takes over.
"""

from dataclasses import dataclass, field
from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chatcore.fanout.frames import frame_text
from chatcore.fanout.hub import FanoutLimits
from chatcore.fanout.ring import PRESENCE, RingRules
from chatcore.fanout.room_fan import Subscription, audience
from tests.unit.fanout.doubles import FakeLoop, Reader, make_hub

Stream = Literal["room", "mod"]
READERS = 4
VIEWER, STAFF = audience(["room", "presence"]), audience(["room", "mod", "presence"])
PAGE = 3


@dataclass
class Log:
    """What was said, by stream; a deleted text is replaced, as in the database."""

    streams: dict[Stream, list[bytes]] = field(default_factory=lambda: {"room": [], "mod": []})

    def add(self, stream: Stream) -> tuple[int, bytes]:
        n = len(self.streams[stream]) + 1
        payload = b"%s %d text" % (stream.encode(), n)
        self.streams[stream].append(payload)
        return n, payload

    def after(self, stream: Stream, n: int) -> list[bytes]:
        return self.streams[stream][n : n + PAGE]


class Storm(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = FakeLoop()
        limits = FanoutLimits(unread_s=1e9, ring=RingRules(entries=16, chunk=60))
        self.hub = make_hub(self.loop, limits)
        self.room = self.hub.room("c_1")
        self.room.prime([], {"room": 0, "mod": 0})
        self.log = Log()
        self.readers = [Reader(self.hub) for _ in range(READERS)]
        self.members: list[Subscription | None] = [None] * READERS
        self.since = [{"room": 0, "mod": 0} for _ in range(READERS)]
        self.deleted: set[bytes] = set()
        self.seen_at_delete: list[int] = [0] * READERS

    which = st.integers(0, READERS - 1)

    @rule(stream=st.sampled_from(["room", "mod"]), count=st.integers(1, 12))
    def publish(self, stream: Stream, count: int) -> None:
        for _ in range(count):
            n, payload = self.log.add(stream)
            assert self.room.publish(payload, stream=stream, n=n)

    @rule(key=st.sampled_from(["count", "typing"]))
    def ephemeral(self, key: str) -> None:
        self.room.ephemeral(key, b"ephemeral " + key.encode(), PRESENCE)

    @precondition(lambda self: bool(self.log.streams["room"]))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        n = data.draw(st.integers(1, len(self.log.streams["room"])))
        payload = b"room %d gone" % n
        self.deleted.add(b"room %d text" % n)
        self.log.streams["room"][n - 1] = payload
        self.room.swap("room", n, payload)
        self.seen_at_delete = [len(reader.texts) for reader in self.readers]

    @rule(index=which)
    def join_or_leave(self, index: int) -> None:
        member = self.members[index]
        if member is not None:
            member.leave()
            self.members[index] = None
            return
        self.readers[index] = reader = Reader(self.hub)
        self.since[index] = {name: len(events) for name, events in self.log.streams.items()}
        self.members[index] = self.room.join(reader.outbox, STAFF if index % 2 else VIEWER)

    @rule(index=which, room=st.integers(1, 100))
    def stop_reading(self, index: int, room: int) -> None:
        self.readers[index].wire.room = room

    @rule(index=which)
    def drain(self, index: int) -> None:
        self.readers[index].drain()

    @rule(index=which)
    def hold(self, index: int) -> None:
        member = self.members[index]
        if member is not None:
            member.hold()

    @rule(index=which)
    def resume(self, index: int) -> None:
        member = self.members[index]
        if member is not None and member.held and member.outbox.free:
            self.page(index, member)

    @rule(milliseconds=st.integers(0, 50))
    def pass_time(self, milliseconds: int) -> None:
        self.loop.run(milliseconds / 1000)
        self.serve_gaps()

    def page(self, index: int, member: Subscription) -> None:
        """As a session does it: page by page, until the ring reaches back to where the pages end."""
        room, mod = member.seen("room") or 0, (member.seen("mod") or 0) if index % 2 else None
        while (rest := self.room.recent(room, mod)) is None:
            page = self.log.after("room", room)
            room += len(page)
            if mod is not None:
                more = self.log.after("mod", mod)
                mod += len(more)
                page = page + more
            member.outbox.send_frames([frame_text(payload) for payload in page])
        member.outbox.send_frames(rest)
        assert member.resume_at(len(self.log.streams["room"]), len(self.log.streams["mod"]))

    def serve_gaps(self) -> None:
        for index, reader in enumerate(self.readers):
            for member in reader.gaps:
                if member is self.members[index] and member.held:
                    self.page(index, member)
            reader.gaps.clear()

    @invariant()
    def what_was_read_is_in_order_and_once(self) -> None:
        for index, reader in enumerate(self.readers):
            self.check(index, reader)

    def check(self, index: int, reader: Reader, *, complete: bool = False) -> None:
        streams: list[Stream] = ["room", "mod"] if index % 2 else ["room"]
        texts = reader.texts
        for stream in streams:
            start = stream.encode() + b" "
            numbers = [int(text.split(b" ")[1]) for text in texts if text.startswith(start)]
            first = self.since[index][stream] + 1
            assert numbers == list(range(first, first + len(numbers)))
            if complete:
                assert len(numbers) == len(self.log.streams[stream]) - first + 1
        assert not any(text.startswith(b"mod") for text in texts) or index % 2
        # A fresh reader's list may be shorter than what its forerunner had read.
        assert not self.deleted.intersection(texts[self.seen_at_delete[index] :])

    def teardown(self) -> None:
        """In the end everybody reads, and has everything."""
        for _ in range(200):
            for index, reader in enumerate(self.readers):
                reader.drain()
                member = self.members[index]
                if member is not None and member.held:
                    self.page(index, member)
            self.loop.run(0.05)
            self.serve_gaps()
        for index, reader in enumerate(self.readers):
            if self.members[index] is not None:
                self.check(index, reader, complete=True)
        assert self.hub.stats.shed_bytes == 0


TestStorm = Storm.TestCase
TestStorm.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
