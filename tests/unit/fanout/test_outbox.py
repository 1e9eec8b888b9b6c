"""One connection's bytes: order, coalescing, bounds, and a polite end."""

from chatcore.fanout.frames import frame_text
from chatcore.fanout.hub import FanoutLimits
from chatcore.fanout.room_fan import audience
from tests.unit.fanout.doubles import BYE, FakeLoop, Reader, make_hub, say

ROOM = audience(["room"])


def test_replies_of_one_turn_are_one_write() -> None:
    loop = FakeLoop()
    reader = Reader(make_hub(loop))
    reader.outbox.send(b"one")
    reader.outbox.send(b"two")
    assert reader.wire.writes == []
    loop.run()
    assert len(reader.wire.writes) == 1
    assert reader.texts == [b"one", b"two"]


def test_replies_go_before_the_events_that_are_written_with_them() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    reader = Reader(hub)
    room.join(reader.outbox, ROOM)
    say(room, 1)
    reader.outbox.send(b"reply")
    loop.run()
    assert len(reader.wire.writes) == 1
    assert reader.texts == [b"reply", b"event 1"]


def test_a_full_wire_gets_replies_in_order_and_no_events() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    reader = Reader(hub, room=1)
    room.join(reader.outbox, ROOM)
    reader.outbox.send(b"one")
    loop.run()
    assert not reader.outbox.free
    say(room, 1)
    reader.outbox.send(b"two")
    reader.outbox.send_frames([frame_text(b"three")])
    loop.run(0.1)
    assert reader.texts == [b"one", b"two", b"three"]
    reader.drain()
    loop.run(0.1)
    assert reader.texts == [b"one", b"two", b"three", b"event 1"]
    assert reader.outbox.free


def test_nothing_stays_here_when_a_text_is_deleted() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    say(room, 1)
    for reader in (Reader(hub), Reader(hub, room=1)):
        reader.outbox.send(b"a page with event 1")
        room.swap("room", 1, b"gone 1")
        assert reader.texts == [b"a page with event 1"]


def test_whoever_pages_is_told_when_there_is_room_again() -> None:
    loop = FakeLoop()
    reader = Reader(make_hub(loop), room=1)
    told: list[str] = []
    reader.outbox.when_free(lambda: told.append("at once"))
    loop.run()
    assert told == ["at once"]
    reader.outbox.send(b"page")
    reader.outbox.when_free(lambda: told.append("later"))
    loop.run(1.0)
    assert told == ["at once"]
    reader.drain()
    loop.run()
    assert told == ["at once", "later"]


def test_a_reply_that_is_still_pending_delays_the_next_page_by_a_turn_only() -> None:
    loop = FakeLoop()
    reader = Reader(make_hub(loop))
    told: list[str] = []
    reader.outbox.send(b"page")
    reader.outbox.when_free(lambda: told.append("free"))
    assert told == []
    loop.run()
    assert told == ["free"]


def test_too_many_waiting_replies_shed_the_connection_with_a_bye() -> None:
    loop = FakeLoop()
    hub = make_hub(loop, FanoutLimits(backlog=1000))
    reader = Reader(hub, room=1)
    for _ in range(20):
        reader.outbox.send(b"x" * 100)
        loop.run(0.1)
    assert reader.shed == ["bytes"]
    assert reader.texts[-1] == BYE
    assert reader.wire.closed == (4003, "too slow")
    assert reader.outbox.closed
    assert hub.stats.shed_bytes == 1
    assert hub.stats.connections == 0


def test_bye_comes_after_all_that_waits_and_nothing_after_it() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    room = hub.room("c_1")
    reader = Reader(hub)
    room.join(reader.outbox, ROOM)
    reader.outbox.send(b"reply")
    reader.outbox.bye(b"bye", 4001, "draining")
    reader.outbox.send(b"late")
    say(room, 1)
    loop.run(1.0)
    assert reader.texts == [b"reply", b"bye"]
    assert reader.wire.closed == (4001, "draining")
    assert room.members == 0


def test_a_lost_connection_leaves_all_its_rooms_and_calls_nobody() -> None:
    loop = FakeLoop()
    hub = make_hub(loop)
    reader = Reader(hub, room=1)
    told: list[str] = []
    rooms = [hub.room(f"c_{i}") for i in range(5)]
    for room in rooms:
        room.join(reader.outbox, ROOM)
        say(room, 1)
    loop.run()
    reader.outbox.when_free(lambda: told.append("free"))
    reader.outbox.lost()
    reader.outbox.lost()
    reader.drain()
    loop.run(10.0)
    assert [room.members for room in rooms] == [0] * 5
    assert told == []
    assert reader.shed == []
    assert hub.stats.connections == 0


def test_close_without_a_word_still_sends_what_waits() -> None:
    loop = FakeLoop()
    reader = Reader(make_hub(loop))
    reader.outbox.send(b"error")
    reader.outbox.close(4501, "malformed")
    assert reader.texts == [b"error"]
    assert reader.wire.closed == (4501, "malformed")
    reader.outbox.abort()
    assert reader.wire.aborted
