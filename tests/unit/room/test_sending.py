"""What a message becomes at its place: its entry, its thread, its `idem`, its author's bucket (protocol 6, 15)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatcore.room.drafts import STAFF, VIEWERS, Actor, Bucket
from chatcore.room.events import Gone, Message, Said, StreamKey
from chatcore.room.speak import Erase, drawn
from chatcore.room.state import IDEM_MS, Sanction
from schemas.commands import MsgSend
from schemas.errors import Refused
from tests.unit.room.world import BY_ROLE, CH, NOW, Room, refused


def test_a_message_takes_the_next_place_and_says_so() -> None:
    room = Room()
    room.say("u_bob")
    draft = room.draft("u_ann", MsgSend("hi"), frags=({"k": "link", "start": 0, "end": 2, "href": "x"},))
    decision = room.decide(draft)
    assert (decision.reply.outcome, decision.reply.mid, decision.reply.pos) == (
        "published",
        draft.fresh,
        ("k9", 2),
    )
    ((stream, event, message),) = decision.events
    assert stream == StreamKey("room", CH)
    assert event == Said(draft.fresh, "u_ann", 0)
    assert message == Message(draft.fresh, 2, "u_ann", NOW, "hi", draft.frags, None, None, ("first",))
    assert room.state.head == 1, "deciding changes nothing"


def test_only_the_first_message_is_marked_so() -> None:
    room = Room()
    flags = [room.state.messages[room.say("u_ann")].flags for _ in range(3)]
    assert flags == [("first",), (), ()]
    assert room.state.messages[room.say("u_bob")].flags == ("first",)


def test_answers_know_their_root() -> None:
    room = Room()
    top = room.say("u_ann")
    first = room.say("u_bob", reply_to=top)
    second = room.say("u_ann", reply_to=first)
    third = room.say("u_bob", reply_to=second)
    threads = [(m.reply, m.root) for m in map(room.state.messages.__getitem__, (top, first, second, third))]
    assert threads == [(None, None), (top, top), (first, top), (second, top)]


def test_an_answer_to_what_never_was_is_refused() -> None:
    refusal = refused(lambda: Room().say("u_ann", reply_to="m_none"))
    assert (refusal.code, refusal.field, refusal.d) == ("not_found", "d.replyTo", {"what": "message"})


def test_a_deleted_message_can_be_answered_still() -> None:
    room = Room()
    top = room.say("u_ann")
    room.put(StreamKey("room", CH), Gone("staff", (top,)))
    answer = room.say("u_bob", reply_to=top)
    assert room.state.messages[answer].root == top


def test_a_repeated_idem_is_answered_with_the_first_place() -> None:
    room = Room()
    mid = room.say("u_ann", idem="w3-17")
    room.say("u_bob")
    again = room.decide(room.draft("u_ann", MsgSend("hi", idem="w3-17")))
    assert again.events == []
    assert (again.reply.outcome, again.reply.mid, again.reply.pos) == ("duplicate", mid, ("k9", 1))


def test_an_idem_belongs_to_its_author() -> None:
    room = Room()
    assert room.say("u_ann", idem="x") != room.say("u_bob", idem="x")


def test_an_idem_is_remembered_ten_minutes() -> None:
    room = Room()
    first = room.say("u_ann", idem="x")
    room.now = NOW + IDEM_MS - 1
    assert room.decide(room.draft("u_ann", MsgSend("hi", idem="x"))).reply.mid == first
    room.now = NOW + IDEM_MS
    assert room.say("u_ann", idem="x") != first


def test_a_repeat_is_answered_though_its_author_is_banned_or_slowed_or_out_of_tokens() -> None:
    room = Room()
    room.viewers = Bucket(1, 30_000)
    mid = room.say("u_ann", idem="x")
    room.mode("slow", 60)
    room.state.sanctions["u_ann"] = Sanction("ban", None, "a_1", None)
    assert room.decide(room.draft("u_ann", MsgSend("hi", idem="x"))).reply.mid == mid


def test_a_refused_send_is_not_remembered() -> None:
    room = Room()
    room.mode("readonly", True)
    assert refused(lambda: room.say("u_ann", idem="x")).code == "mode_readonly"
    room.state.modes.clear()
    assert room.decide(room.draft("u_ann", MsgSend("hi", idem="x"))).reply.outcome == "published"


def test_viewers_have_20_in_30_s_and_staff_and_bots_100() -> None:
    room = Room()
    room.viewers, room.staff = VIEWERS, STAFF
    for role, user in BY_ROLE.items():
        staff = role in ("owner", "lead", "moderator", "helper")
        for _ in range(100 if staff else 20):
            room.say(user)
        refusal = refused(lambda user=user: room.say(user))
        assert (refusal.code, refusal.retry) == ("rate_limited", "after")
        limit = 100 if staff else 20
        assert refusal.d == {"bucket": "send", "limit": limit, "windowMs": 30_000}
        assert refusal.after_ms == 30_000 // limit
    bot = Actor("u_bob", "bot")
    for _ in range(100):
        room.do(bot, MsgSend("hi"))
    assert refused(lambda: room.do(bot, MsgSend("hi"))).d["limit"] == 100


def test_the_told_time_is_enough_and_one_millisecond_less_is_not() -> None:
    full_at = 0
    for _ in range(20):
        full_at = drawn(full_at, VIEWERS, NOW)
    assert full_at == NOW + 30_000
    wait = refused(lambda: drawn(full_at, VIEWERS, NOW)).after_ms
    assert wait == 1500
    assert refused(lambda: drawn(full_at, VIEWERS, NOW + wait - 1)).after_ms == 1
    assert drawn(full_at, VIEWERS, NOW + wait) == NOW + wait + 30_000


def test_an_untouched_bucket_is_full_again_after_its_window() -> None:
    full_at = 0
    for _ in range(20):
        full_at = drawn(full_at, VIEWERS, NOW)
    for _ in range(20):
        full_at = drawn(full_at, VIEWERS, NOW + 30_000)
    assert full_at == NOW + 60_000


@given(st.lists(st.integers(0, 4000), min_size=1, max_size=120))
def test_no_window_ever_sees_more_than_two_buckets_and_the_burst_is_one(pauses: list[int]) -> None:
    now, full_at = NOW, 0
    taken: list[int] = []
    for pause in pauses:
        now += pause
        try:
            full_at = drawn(full_at, VIEWERS, now)
        except Refused as refusal:
            wait = refusal.after_ms or 0
            full_before = full_at
            assert drawn(full_before, VIEWERS, now + wait) > full_before
            continue
        taken.append(now)
    for at in taken:
        run = [t for t in taken if at <= t < at + 30_000]
        # Not more than what was there and what came back meanwhile.
        assert len(run) <= 20 + (run[-1] - at) // 1500


def test_switched_off_buckets_leave_the_authors_time_alone() -> None:
    room = Room()
    for _ in range(50):
        room.say("u_ann")
    assert room.state.authors["u_ann"].bucket == 0


@pytest.mark.parametrize("written", [0, 3])
def test_erasing_takes_all_that_an_author_said_so_far(written: int) -> None:
    room = Room()
    mine = [room.say("u_ann") for _ in range(written)]
    kept = room.say("u_bob")
    (entry,) = room.do("u_ann", Erase())
    assert entry.event == Gone("author", user="u_ann", lo=1, hi=written + 1, reason="request")
    assert [room.state.messages[mid].gone for mid in mine] == ["author"] * written
    assert room.state.messages[kept].gone is None
    later = room.say("u_ann")
    assert room.state.messages[later].gone is None
