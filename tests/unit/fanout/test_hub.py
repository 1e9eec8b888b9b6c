"""The node's memory budget, its stalled readers, and its one scheduler."""

from chatcore.fanout.duty import DutyRules
from chatcore.fanout.frames import frame_text
from chatcore.fanout.hub import FanoutLimits
from chatcore.fanout.room_fan import audience
from tests.unit.fanout.doubles import BYE, FakeLoop, Reader, make_hub, say

ROOM = audience(["room"])
FRAME = len(frame_text(b"x" * 100))


def test_all_rings_share_one_budget_and_the_one_unused_longest_goes_first() -> None:
    loop = FakeLoop()
    hub = make_hub(loop, FanoutLimits(budget=FRAME * 29))
    for name in ("a", "b", "c"):
        for n in range(1, 11):
            say(hub.room(name), n, "x" * 100)
    assert hub.room("a").recent(0) is None
    hub.room("a").prime([], {"room": 10})
    for n in range(11, 15):
        say(hub.room("b"), n, "x" * 100)
    assert hub.room("a").recent(10) == []
    assert len(hub.room("b").recent(10) or []) == 4
    assert hub.stats.ring_bytes <= FRAME * 29
    assert hub.room("c").head("room") == 10


def test_reading_a_room_counts_as_use() -> None:
    loop = FakeLoop()
    hub = make_hub(loop, FanoutLimits(budget=FRAME * 25))
    for name in ("a", "b"):
        hub.room(name).prime([], {"room": 0, "mod": 0})
        for n in range(1, 11):
            say(hub.room(name), n, "x" * 100)
    assert hub.room("a").recent(0) is not None
    for n in range(1, 8):
        say(hub.room("c"), n, "x" * 100)
    assert hub.room("a").recent(0) is not None
    assert hub.room("b").recent(0) is None
    assert hub.stats.evicted == 1


def test_a_dropped_room_has_no_members_and_no_frames() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    reader = Reader(hub)
    room.join(reader.outbox, ROOM)
    say(room, 1)
    hub.drop("c_1")
    loop.run()
    assert reader.texts == []
    assert hub.peek("c_1") is None
    assert (hub.stats.ring_bytes, hub.stats.rooms) == (0, 0)


def test_a_reader_who_does_not_read_is_shed_before_its_oldest_byte_is_too_old() -> None:
    loop = FakeLoop()
    hub = make_hub(loop, FanoutLimits(unread_s=5.0, sweep_s=0.5))
    room = hub.room("c_1")
    stuck, well = Reader(hub), Reader(hub)
    room.join(stuck.outbox, ROOM)
    room.join(well.outbox, ROOM)
    say(room, 1)
    stuck.wire.kernel = len(frame_text(b"event 1"))
    began = loop.time
    while not stuck.shed and loop.time < began + 20:
        loop.run(0.1)
    assert stuck.shed == ["age"]
    # A second is left for it to read why.
    assert 3.0 <= loop.time - began <= 4.1
    assert stuck.texts[-1] == BYE
    assert stuck.wire.closed == (4003, "too slow")
    assert well.shed == []
    assert room.members == 1
    assert hub.stats.shed_age == 1


def test_the_kernels_buffer_alone_is_reason_enough_but_only_while_nothing_is_read() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    reader = Reader(hub)
    for _ in range(100):
        reader.outbox.send(b"x" * 100)
        loop.run(0.1)
        # The peer reads, one frame late.
        reader.wire.kernel = FRAME
    assert reader.shed == []
    reader.wire.kernel = 0
    loop.run(5.0)
    assert not reader.outbox.watched


def test_a_reader_who_lacks_more_than_the_bound_is_shed_by_bytes() -> None:
    loop = FakeLoop()
    hub = make_hub(loop, FanoutLimits(backlog=FRAME * 10))
    room = hub.room("c_1")
    reader = Reader(hub, room=1)
    room.join(reader.outbox, ROOM)
    for n in range(1, 20):
        say(room, n, "x" * 100)
        loop.run(0.05)
    assert reader.shed == ["bytes"]


def test_thousands_of_readers_are_judged_in_steps() -> None:
    loop = FakeLoop()
    hub = make_hub(loop, FanoutLimits(sweep_step=100))
    room = hub.room("c_1")
    readers = [Reader(hub) for _ in range(1050)]
    for reader in readers:
        room.join(reader.outbox, ROOM)
        reader.wire.kernel = 10
    say(room, 1)
    loop.run(6.0)
    assert hub.stats.shed_age == 1050
    assert hub.stats.connections == 0


def test_close_all_says_the_same_to_everybody() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    readers = [Reader(hub) for _ in range(3)]
    assert hub.close_all(b"bye", 4001, "draining") == 3
    assert all(reader.texts == [b"bye"] and reader.wire.closed for reader in readers)


def test_hot_rooms_take_turns_and_none_takes_more_than_a_slice() -> None:
    loop = FakeLoop()
    hub = make_hub(loop, FanoutLimits(duty=DutyRules(slice_s=0.002)))
    readers = {name: [Reader(hub) for _ in range(200)] for name in ("a", "b", "c")}
    for name, crowd in readers.items():
        for reader in crowd:
            hub.room(name).join(reader.outbox, ROOM)
            reader.wire.on_write = lambda: setattr(loop, "time", loop.time + 0.0001)
        say(hub.room(name), 1)
    loop.run(0.0)
    loop.run(0.03)
    served = {name: sum(bool(reader.texts) for reader in crowd) for name, crowd in readers.items()}
    assert all(0 < count < 200 for count in served.values())
    assert max(served.values()) - min(served.values()) <= 40
    loop.run(1.0)
    assert all(reader.texts == [b"event 1"] for crowd in readers.values() for reader in crowd)


def test_commands_get_their_share_of_the_loop_while_rooms_are_hot() -> None:
    """8,000 members, an event each 5 ms, each write 10 us: the loop is never held for more than a slice
    and a few writes, and fan-out stays within its cap."""
    loop = FakeLoop()
    rules = DutyRules()
    hub = make_hub(loop, FanoutLimits(duty=rules))
    room = hub.room("c_1")
    readers = [Reader(hub) for _ in range(8000)]
    for reader in readers:
        room.join(reader.outbox, ROOM)
        reader.wire.on_write = lambda: setattr(loop, "time", loop.time + 0.00001)
    began, n = loop.time, 0
    longest = 0.0
    while loop.time < began + 2.0:
        n += 1
        say(room, n)
        wanted = loop.time + 0.005
        loop.run(0.005)
        longest = max(longest, loop.time - wanted)
    stats = hub.stats
    assert stats.busy_ms <= 2000 * rules.cap * 1.05
    assert longest <= rules.slice_s + 0.001
    loop.run(1.0)
    assert all(len(reader.texts) == n for reader in readers[::97])
