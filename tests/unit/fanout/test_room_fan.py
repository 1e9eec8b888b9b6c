"""A room and its members: one write each, in rotation, slow ones aside."""

from chatcore.fanout.frames import frame_text
from chatcore.fanout.hub import FanoutLimits
from chatcore.fanout.ring import MOD, PRESENCE, ROOM, RingRules
from chatcore.fanout.room_fan import audience
from tests.unit.fanout.doubles import FakeLoop, Reader, make_hub, say

VIEWER = audience(["room", "presence"])
STAFF = audience(["room", "mod", "presence", "engage"])


def test_audience_names() -> None:
    assert VIEWER == ROOM | PRESENCE
    assert STAFF & MOD


def test_what_a_room_said_in_one_turn_is_one_write_for_each_member() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    readers = [Reader(hub) for _ in range(20)]
    for reader in readers:
        room.join(reader.outbox, VIEWER)
    said = [say(room, n) for n in (1, 2, 3)]
    loop.run()
    for reader in readers:
        assert len(reader.wire.writes) == 1
        assert reader.texts == said
    assert (hub.stats.deliveries, hub.stats.flushes) == (60, 20)


def test_all_readers_in_step_get_the_same_bytes_object() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    first, second = Reader(hub), Reader(hub)
    room.join(first.outbox, VIEWER)
    room.join(second.outbox, VIEWER)
    say(room, 1)
    say(room, 2)
    loop.run()
    assert first.wire.writes[0] is second.wire.writes[0]


def test_an_audience_gets_its_streams_and_no_other() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    viewer, staff = Reader(hub), Reader(hub)
    room.join(viewer.outbox, VIEWER)
    room.join(staff.outbox, STAFF)
    say(room, 1)
    room.publish(b"action", stream="mod", n=1)
    loop.run()
    assert viewer.texts == [b"event 1"]
    assert staff.texts == [b"event 1", b"action"]


def test_who_joins_gets_what_comes_after_and_who_left_nothing() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    old, new, left = Reader(hub), Reader(hub), Reader(hub)
    room.join(old.outbox, VIEWER)
    gone = room.join(left.outbox, VIEWER)
    say(room, 1)
    subscription = room.join(new.outbox, VIEWER)
    assert subscription.seen("room") == room.head("room") == 1
    gone.leave()
    gone.leave()
    say(room, 2)
    loop.run()
    assert old.texts == [b"event 1", b"event 2"]
    assert new.texts == [b"event 2"]
    assert left.texts == []
    assert room.members == 2


def test_who_joins_while_others_wait_takes_nobodys_turn() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    first, second = Reader(hub), Reader(hub)
    room.join(first.outbox, VIEWER)
    say(room, 1)
    loop.run()
    say(room, 2)
    room.join(second.outbox, VIEWER)
    loop.run()
    assert first.texts == [b"event 1", b"event 2"]
    assert second.texts == []


def test_members_who_leave_in_the_middle_of_a_rotation_cost_nobody_an_event() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    readers = [Reader(hub) for _ in range(64)]
    members = [room.join(reader.outbox, VIEWER) for reader in readers]
    for reader in readers:
        reader.wire.on_write = lambda: setattr(loop, "time", loop.time + 0.0005)
    say(room, 1)
    loop.run(0.0)
    served = [reader for reader in readers if reader.texts]
    assert 0 < len(served) < 64
    for member in members[:10]:
        member.leave()
    loop.run(1.0)
    assert all(reader.texts == [b"event 1"] for reader in readers[10:])
    assert all(len(reader.texts) <= 1 for reader in readers[:10])


def test_a_slow_reader_is_skipped_and_catches_up_in_order_when_it_drains() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    slow, quick = Reader(hub, room=5), Reader(hub)
    room.join(slow.outbox, VIEWER)
    room.join(quick.outbox, VIEWER)
    for n in range(1, 6):
        say(room, n)
        loop.run(0.1)
    assert len(slow.wire.writes) == 1
    assert len(quick.texts) == 5
    slow.drain()
    loop.run(0.1)
    assert slow.texts == quick.texts
    assert len(slow.wire.writes) == 2
    say(room, 6)
    loop.run(0.1)
    assert slow.texts == quick.texts


def test_a_slow_reader_never_gets_the_text_of_what_was_deleted_meanwhile() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    slow = Reader(hub, room=1)
    room.join(slow.outbox, VIEWER)
    say(room, 1)
    loop.run(0.1)
    say(room, 2, "a secret")
    loop.run(0.1)
    assert room.swap("room", 2, b"gone 2")
    say(room, 3, "msg.gone 2")
    slow.drain()
    loop.run(0.1)
    assert slow.texts == [b"event 1", b"gone 2", b"msg.gone 2"]


def test_a_slow_reader_gets_only_the_newest_of_what_can_be_merged() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    slow = Reader(hub, room=1)
    room.join(slow.outbox, VIEWER)
    say(room, 1)
    loop.run(0.1)
    for count in range(5):
        room.ephemeral("count", b"count %d" % count, PRESENCE)
        loop.run(0.1)
    slow.drain()
    loop.run(0.1)
    assert slow.texts == [b"event 1", b"count 4"]
    assert hub.stats.merged == 4


def test_a_reader_who_was_overtaken_is_held_and_named_and_goes_on_from_the_log() -> None:
    loop = FakeLoop()
    hub = make_hub(loop, FanoutLimits(ring=RingRules(entries=8)))
    room = hub.room("c_1")
    slow = Reader(hub, room=1)
    subscription = room.join(slow.outbox, VIEWER)
    for n in range(1, 31):
        say(room, n)
        loop.run(0.1)
    assert subscription.seen("room") == 1
    slow.drain()
    loop.run(0.1)
    assert slow.gaps == [subscription]
    say(room, 31)
    loop.run(0.1)
    assert slow.texts == [b"event 1"]
    assert not subscription.resume_at(1)
    slow.outbox.send_frames([frame_text(b"event %d" % n) for n in range(2, 30)])
    assert subscription.resume_at(29)
    loop.run(0.1)
    say(room, 32)
    loop.run(0.1)
    assert slow.texts == [b"event %d" % n for n in range(1, 33)]


def test_a_held_member_gets_nothing_until_it_is_resumed() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    room.prime([], {"room": 4, "mod": None})
    reader = Reader(hub)
    subscription = room.join(reader.outbox, VIEWER, held=True)
    assert subscription.seen("room") == 4
    for n in (5, 6, 7):
        say(room, n)
    loop.run(0.1)
    assert reader.texts == []
    assert subscription.resume_at(5)
    loop.run(0.1)
    assert reader.texts == [b"event 6", b"event 7"]


def test_a_primed_room_answers_resumes_from_memory() -> None:
    loop = FakeLoop()
    room = make_hub(loop).room("c_1")
    assert room.recent(5) is None
    room.prime([("room", 6, b"six"), ("mod", 2, b"two"), ("room", 7, b"seven")], {"room": 7, "mod": 2})
    assert (room.head("room"), room.head("mod")) == (7, 2)
    assert room.recent(5) == [frame_text(b"six"), frame_text(b"seven")]
    assert room.recent(6, 1) == [frame_text(b"two"), frame_text(b"seven")]
    assert room.recent(7) == []
    assert room.recent(4) is None
    assert room.recent(8) is None


def test_priming_with_a_hole_keeps_the_heads_and_no_frames() -> None:
    loop = FakeLoop()
    room = make_hub(loop).room("c_1")
    room.prime([("room", 5, b"five"), ("room", 6, b"six")], {"room": 9, "mod": None})
    assert room.head("room") == 9
    assert room.recent(8) is None
    assert room.recent(9) == []


def test_an_event_published_twice_is_delivered_once() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    reader = Reader(hub)
    room.join(reader.outbox, VIEWER)
    say(room, 1)
    assert not room.publish(b"event 1", stream="room", n=1)
    loop.run()
    assert reader.texts == [b"event 1"]
