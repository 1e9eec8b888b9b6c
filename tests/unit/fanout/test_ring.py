"""The ring: order, merging, replacing, bounds, and places in it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chatcore.fanout.frames import frame_text
from chatcore.fanout.ring import ENGAGE, MOD, PRESENCE, ROOM, Mark, Ring, RingRules
from tests.unit.fanout.doubles import texts

ALL = ROOM | MOD | PRESENCE | ENGAGE


def ring_of(*, room: int = 0, rules: RingRules | None = None) -> Ring:
    ring = Ring(rules or RingRules())
    ring.start(0, 0)
    for n in range(1, room + 1):
        assert ring.append(b"r%d" % n, ROOM, n, float(n))
    return ring


def read(ring: Ring, mark: Mark, audience: int = ALL) -> list[bytes]:
    found: list[bytes] = []
    while mark is not ring.end:
        chunk = ring.chunk(mark, audience)
        found += texts(chunk.data)
        mark = chunk.upto
    return found


def test_a_reader_gets_what_comes_after_its_place_in_commit_order() -> None:
    ring = ring_of(room=2)
    place = ring.end
    ring.append(b"m1", MOD, 1, 0.0)
    ring.append(b"r3", ROOM, 3, 0.0)
    assert read(ring, place) == [b"m1", b"r3"]
    assert read(ring, place, ROOM) == [b"r3"]


def test_readers_in_step_share_one_chunk() -> None:
    ring = ring_of(room=3)
    place = ring.base
    assert ring.chunk(place, ROOM) is ring.chunk(place, ROOM)
    assert ring.chunk(place, ROOM).count == 3


def test_a_number_that_was_here_is_refused_and_a_hole_forgets_the_past() -> None:
    ring = ring_of(room=3)
    assert not ring.append(b"again", ROOM, 3, 0.0)
    assert not ring.append(b"older", ROOM, 1, 0.0)
    assert ring.append(b"r9", ROOM, 9, 0.0)
    assert ring.recent(3, None) is None
    assert ring.recent(8, None) == [frame_text(b"r9")]


def test_a_newer_ephemeral_of_the_same_key_replaces_the_older() -> None:
    ring = ring_of()
    place = ring.end
    assert not ring.ephemeral(b"count 1", PRESENCE, "count", 0.0)
    ring.append(b"r1", ROOM, 1, 0.0)
    assert not ring.ephemeral(b"tally", ENGAGE, "tally", 0.0)
    assert ring.ephemeral(b"count 2", PRESENCE, "count", 0.0)
    assert read(ring, place) == [b"r1", b"tally", b"count 2"]
    assert read(ring, place, ROOM | PRESENCE) == [b"r1", b"count 2"]


def test_a_swapped_event_is_gone_from_every_later_chunk_also_from_built_ones() -> None:
    ring = ring_of(room=3)
    place = ring.base
    assert b"r2" in ring.chunk(place, ROOM).data
    assert ring.swap(ROOM, 2, b"gone")
    assert read(ring, place) == [b"r1", b"gone", b"r3"]
    assert ring.recent(1, None) == [frame_text(b"gone"), frame_text(b"r3")]
    assert not ring.swap(ROOM, 7, b"gone")
    assert ring.size == sum(len(frame_text(text)) for text in (b"r1", b"gone", b"r3"))


def test_places_by_position() -> None:
    ring = ring_of(room=2)
    ring.append(b"m1", MOD, 1, 0.0)
    ring.append(b"r3", ROOM, 3, 0.0)
    assert ring.mark_after(3, 1) is ring.end
    assert read(ring, ring.mark_after(2, 0) or ring.end) == [b"m1", b"r3"]
    # The streams were read to different depths: the further one counts, nothing is left out.
    assert read(ring, ring.mark_after(0, 1) or ring.end) == [b"r1", b"r2", b"m1", b"r3"]
    assert ring.recent(0, 1) == [frame_text(text) for text in (b"r1", b"r2", b"r3")]
    assert ring.mark_after(4, None) is None


def test_a_ring_that_never_heard_of_a_stream_knows_no_place_in_it() -> None:
    ring = Ring(RingRules())
    assert ring.mark_after(0, None) is None
    assert ring.head(ROOM) is None


def test_what_is_too_much_for_one_go_is_left_to_the_log() -> None:
    ring = ring_of(room=100, rules=RingRules(recent=100))
    assert ring.recent(0, None) is None
    assert len(ring.recent(90, None) or []) == 10


def test_chunks_are_bounded_and_go_on_where_they_ended() -> None:
    ring = ring_of(room=100, rules=RingRules(chunk=50))
    chunk = ring.chunk(ring.base, ROOM)
    assert chunk.count < 100
    assert chunk.upto.room == chunk.count
    assert read(ring, ring.base) == [b"r%d" % n for n in range(1, 101)]


def test_a_full_ring_drops_ephemerals_first_and_then_the_oldest() -> None:
    ring = ring_of(rules=RingRules(entries=16))
    ring.ephemeral(b"tally", ENGAGE, "tally", 0.0)
    for n in range(1, 17):
        ring.append(b"r%d" % n, ROOM, n, 0.0)
    place = ring.base
    kept = read(ring, place)
    assert b"tally" not in kept
    assert kept == [b"r%d" % n for n in range(17 - len(kept), 17)]
    forgotten = 16 - len(kept)
    assert place.room == forgotten
    assert ring.recent(forgotten, None) is not None
    assert ring.recent(forgotten - 1, None) is None


def test_the_age_of_what_waits() -> None:
    ring = ring_of(room=3)
    place = ring.mark_after(1, None)
    assert place is not None
    assert ring.waiting_since(place) == 2.0
    assert ring.waiting_since(ring.end) is None


steps = st.lists(
    st.one_of(
        st.tuples(st.just("room"), st.integers(0, 40)),
        st.tuples(st.just("mod"), st.integers(0, 40)),
        st.tuples(st.sampled_from(["count", "tally"]), st.integers(0, 40)),
        st.tuples(st.just("swap"), st.integers(1, 30)),
        st.tuples(st.just("read"), st.integers(0, 2)),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(steps)
def test_any_history_gives_each_reader_every_durable_event_once_in_order(
    history: list[tuple[str, int]],
) -> None:
    """Three readers who read at random times; the model is the list of what was said."""
    ring = Ring(RingRules(chunk=64))
    ring.start(0, 0)
    bits = [ROOM, ROOM | MOD, ALL]
    marks = [ring.end] * 3
    got: list[list[bytes]] = [[], [], []]
    said: list[tuple[int, bytes]] = []
    heads = {ROOM: 0, MOD: 0}
    swapped: set[bytes] = set()
    for what, number in history:
        if what in ("room", "mod"):
            want = ROOM if what == "room" else MOD
            heads[want] += 1
            payload = b"%s%d" % (what.encode(), heads[want]) + b"." * number
            assert ring.append(payload, want, heads[want], 0.0)
            said.append((want, payload))
        elif what == "swap":
            for i, (want, payload) in enumerate(said):
                if want == ROOM and payload.startswith(b"room%d." % number):
                    assert ring.swap(ROOM, number, b"room%d gone" % number)
                    swapped.add(payload)
                    said[i] = (want, b"room%d gone" % number)
        elif what == "read":
            before = len(got[number])
            got[number] += read(ring, marks[number], bits[number])
            marks[number] = ring.end
            assert not swapped.intersection(got[number][before:])
        else:
            ring.ephemeral(what.encode(), PRESENCE if what == "count" else ENGAGE, what, 0.0)
    for i in range(3):
        got[i] += read(ring, marks[i], bits[i])
        names = [text.split(b".")[0].split(b" ")[0] for text in got[i] if text not in (b"count", b"tally")]
        wanted = [text.split(b".")[0].split(b" ")[0] for want, text in said if want & bits[i]]
        assert names == wanted
    for room in range(heads[ROOM] + 1):
        assert ring.recent(room, None) == [frame_text(text) for want, text in said if want == ROOM][room:]
