"""The windows of a state: facts that are brought, what was deleted since they were read, and what is forgotten."""

import pytest

from chatcore.room.events import By, Gone, Message, StreamKey
from chatcore.room.state import (
    AUTHORS_KEPT,
    BROUGHT_MS,
    GONE_KEPT,
    IDEM_MS,
    WINDOW,
    Author,
    Facts,
    Remembered,
    RoomState,
)
from tests.unit.room.world import CH, NOW, Room, channel

ROOM = StreamKey("room", CH)


def message(n: int, user: str | None = "u_ann", gone: By | None = None) -> Message:
    return Message(f"m_{n}", n, user, NOW, "text", gone=gone)


def facts(as_of: int, *messages: Message, **authors: Author) -> Facts:
    return Facts(as_of, authors, {one.mid: one for one in messages})


def at_head(head: int) -> RoomState:
    return RoomState(channel(), head, 0, NOW)


def test_facts_fill_in_what_the_state_lacks() -> None:
    state = at_head(9)
    assert state.absorb(facts(9, message(3), u_ann=Author(3, NOW, 7)))
    assert state.messages["m_3"] == message(3)
    assert state.authors["u_ann"] == Author(3, NOW, 7)


def test_what_the_state_knows_is_newer_than_facts() -> None:
    room = Room()
    mid = room.say("u_ann")
    known = room.state.authors["u_ann"]
    room.put(ROOM, Gone("staff", (mid,)))
    stale = Message(mid, 1, "u_ann", NOW, "text")
    assert room.state.absorb(Facts(0, {"u_ann": Author(0, 0, 0)}, {mid: stale}))
    assert room.state.authors["u_ann"] == known
    assert room.state.messages[mid].gone == "staff"


@pytest.mark.parametrize(
    ("gone", "hit"),
    [
        (Gone("staff", ("m_3",)), True),
        (Gone("staff", ("m_4",)), False),
        (Gone("staff", user="u_ann", lo=3, hi=3), True),
        (Gone("staff", user="u_ann", lo=4, hi=9), False),
        (Gone("staff", user="u_ann", lo=1, hi=2), False),
        (Gone("staff", user="u_bob", lo=1, hi=9), False),
    ],
)
def test_what_was_deleted_since_the_facts_were_read_is_gone(gone: Gone, hit: bool) -> None:
    room = Room()
    room.state.head = 9
    room.put(ROOM, gone)
    assert room.state.since(message(3), 9).gone == ("staff" if hit else None)
    assert room.state.absorb(facts(9, message(3)))
    assert room.state.messages["m_3"].gone == ("staff" if hit else None)


def test_what_was_deleted_before_they_were_read_is_in_them() -> None:
    room = Room()
    room.state.head = 9
    room.put(ROOM, Gone("staff", ("m_3",)))
    assert room.state.since(message(3), 10).gone is None


def test_an_erased_author_is_not_taken_for_a_range_without_user() -> None:
    room = Room()
    room.state.head = 9
    room.put(ROOM, Gone("staff", ("m_5",)))
    assert room.state.since(message(3, None), 9).gone is None


def test_who_took_a_message_first_is_who_took_it() -> None:
    room = Room()
    room.state.head = 9
    room.put(ROOM, Gone("author", ("m_3",)))
    room.put(ROOM, Gone("staff", user="u_ann", lo=1, hi=9))
    assert room.state.since(message(3), 9).gone == "author"
    assert room.state.since(message(3, gone="author"), 10).gone == "author"
    assert room.state.since(message(4), 9).gone == "staff"


def test_facts_older_than_the_remembered_deletions_are_read_again() -> None:
    room = Room()
    room.state.head = 9
    for _ in range(GONE_KEPT):
        room.put(ROOM, Gone("staff", ("m_none",)))
    assert room.state.absorb(facts(9, message(3)))
    room.put(ROOM, Gone("staff", ("m_none",)))
    assert not room.state.absorb(facts(9, message(4)))
    assert "m_4" not in room.state.messages
    assert room.state.absorb(facts(10, message(4)))


def test_messages_of_the_window_stay_and_older_ones_go() -> None:
    state = at_head(WINDOW + 3)
    for n in range(1, WINDOW + 4):
        state.messages[f"m_{n}"] = message(n)
    assert state.trim(NOW) == 4
    assert min(m.n for m in state.messages.values()) == 4
    assert len(state.messages) == WINDOW


def test_what_has_bytes_on_the_node_stays() -> None:
    state = at_head(WINDOW + 9)
    for n in range(1, 10):
        state.messages[f"m_{n}"] = message(n)
    assert state.trim(NOW, keep_from=7, keep={"m_2"}) == 7
    assert sorted(state.messages) == ["m_2", "m_7", "m_8", "m_9"]
    assert state.trim(NOW, keep_from=WINDOW + 9) == 10, "a short ring shortens no window"
    assert not state.messages


def test_idems_are_forgotten_after_their_time() -> None:
    state = at_head(3)
    for n in range(3):
        state.idems["u_ann", f"w{n}"] = Remembered(f"m_{n}", n, NOW + n)
    state.trim(NOW + IDEM_MS - 1)
    assert len(state.idems) == 3
    state.trim(NOW + 1 + IDEM_MS)
    assert list(state.idems) == [("u_ann", "w2")]


def test_an_idem_used_again_stands_where_its_new_time_is() -> None:
    room = Room()
    room.say("u_ann", idem="again")
    room.now += 1000
    for n in range(3):
        room.say("u_bob", idem=f"w{n}")
    room.now += IDEM_MS
    room.say("u_ann", idem="again")
    room.state.trim(room.now)
    assert list(room.state.idems) == [("u_ann", "again")]


def test_authors_are_forgotten_only_when_many_and_idle() -> None:
    state = at_head(1)
    for n in range(AUTHORS_KEPT):
        state.authors[f"u_{n}"] = Author(0, 0, 0)
    state.trim(NOW + IDEM_MS)
    assert len(state.authors) == AUTHORS_KEPT
    state.authors["u_new"] = Author(1, NOW + 1, 0)
    state.trim(NOW + IDEM_MS)
    assert list(state.authors) == ["u_new"]


def test_what_was_just_brought_waits_for_its_draft() -> None:
    state = at_head(WINDOW + 9)
    for n in range(AUTHORS_KEPT + 1):
        state.authors[f"u_{n}"] = Author(0, 0, 0)
    state.absorb(facts(state.head, message(2), u_ann=Author(0, 0, 0)))
    state.trim(NOW)
    assert "m_2" in state.messages
    assert list(state.authors) == ["u_ann"]
    state.trim(NOW + BROUGHT_MS - 1)
    assert "m_2" in state.messages
    state.trim(NOW + BROUGHT_MS)
    assert "m_2" not in state.messages
    assert state.brought == {}


def test_brought_again_waits_again() -> None:
    state = at_head(WINDOW + 9)
    state.absorb(facts(state.head, message(2)))
    state.trim(NOW)
    state.absorb(facts(state.head, message(2)))
    state.trim(NOW + BROUGHT_MS)
    assert "m_2" in state.messages
