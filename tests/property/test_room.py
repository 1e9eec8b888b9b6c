"""The room as a state machine: following the log equals reading it; an overlay leaves nothing; a layer is a copy."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chatcore.room.drafts import Actor, At, Decision, Draft
from chatcore.room.events import (
    ChannelChanged,
    Entry,
    Gone,
    Message,
    ModeChanged,
    RoleChanged,
    Said,
    Sanctioned,
    Stored,
    StreamKey,
    Unsanctioned,
    decode_stored,
    encode_stored,
)
from chatcore.room.layers import Layer
from chatcore.room.settle import DECIDERS
from chatcore.room.state import IDEM_MS, WINDOW, Author, Channel, Facts, RoomState
from schemas.commands import (
    ModBan,
    ModDelete,
    ModeSet,
    ModTimeout,
    ModUnban,
    MsgDelete,
    MsgSend,
    RoleGrant,
    RoleRevoke,
)
from schemas.errors import Refused

CH = "c_1"
ROOM, MOD = StreamKey("room", CH), StreamKey("mod", CH)
USERS = ("u_owner", "u_ann", "u_bob", "g_cat")
users = st.sampled_from(USERS)
START = 1_790_000_000_000


def new() -> RoomState:
    return RoomState(Channel(CH, "one", "u_owner", "One", "", (), False, "public", {}, 0), 0, 0, 0)


def picture(room: RoomState) -> dict[str, Any]:
    """All that a room is, as plain values."""
    return {
        "channel": room.channel,
        "heads": (room.head, room.mod_head, room.last_ts),
        "gone": list(room.gone_log),
        **{
            name: dict(getattr(room, name))
            for name in ("roles", "modes", "sanctions", "authors", "messages", "idems")
        },
    }


# -- events at random ---------------------------------------------------------------------------------------------

untils = st.none() | st.integers(START, START + 10_000)
events: st.SearchStrategy[Stored] = st.one_of(
    st.builds(
        Said, mid=st.just(""), user=users, bucket=st.integers(0, 9), idem=st.none() | st.sampled_from("abc")
    ),
    st.builds(
        Gone,
        by=st.sampled_from(["author", "staff"]),
        mids=st.lists(st.integers(1, 9).map(lambda n: f"m_{n}")).map(tuple),
    ),
    st.builds(Gone, by=st.just("staff"), user=users, lo=st.integers(1, 9), hi=st.integers(1, 30)),
    st.builds(
        ModeChanged,
        name=st.sampled_from(["slow", "readonly", "links", "followers"]),
        value=st.sampled_from([0, 30, True, False, -1, "allow", "block"]),
        until=untils,
        by=st.just("staff"),
    ),
    st.builds(RoleChanged, user=users, role=st.sampled_from([None, "vip", "moderator"]), until=untils),
    st.builds(
        Sanctioned, user=users, kind=st.sampled_from(["ban", "timeout"]), until=untils, action=st.just("a_1")
    ),
    st.builds(Unsanctioned, user=users, cause=st.just("lifted")),
    st.builds(
        ChannelChanged,
        changes=st.sampled_from([{"title": "Two"}, {"tags": ["a"]}, {"policy": {"banHides": True}}]),
    ),
)


def logged(found: list[tuple[Stored, int]]) -> list[Entry]:
    """These events as the log would hold them."""
    entries: list[Entry] = []
    for n, (event, ms) in enumerate(found, 1):
        ts = max(START + ms, entries[-1].ts if entries else 0)
        if isinstance(event, Said):
            message = Message(f"m_{n}", n, event.user, ts, f"text {n}")
            said = msgspec.structs.replace(event, mid=message.mid)
            entries.append(Entry(ROOM, n, ts, said, message))
        else:
            entries.append(Entry(ROOM, n, ts, event))
    return entries


histories = st.lists(st.tuples(events, st.integers(0, 50_000)), max_size=30).map(logged)


def followed(entries: list[Entry]) -> RoomState:
    room = new()
    for entry in entries:
        assert room.apply(entry)
    return room


def copied(entry: Entry) -> Entry:
    """The entry as another node reads it from the log."""
    message = None if entry.message is None else msgspec.structs.replace(entry.message, gone=None)
    return Entry(entry.stream, entry.n, entry.ts, decode_stored(encode_stored(entry.event)), message)


@given(histories, st.data())
def test_applying_what_is_new_to_an_old_state_is_the_fresh_state(
    entries: list[Entry], data: st.DataObject
) -> None:
    """Doubles and entries known already change nothing; it does not matter where the old state stood."""
    at = data.draw(st.integers(0, len(entries)))
    old = followed(entries[:at])
    for entry in entries[data.draw(st.integers(0, at)) :]:
        assert old.apply(copied(entry)) == (entry.n > at)
    assert picture(old) == picture(followed(entries))


@given(histories, st.data())
def test_an_overlay_sees_all_and_leaves_nothing(entries: list[Entry], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(entries)))
    base = followed(entries[:at])
    before = picture(base)
    overlay = base.fork()
    assert picture(overlay) == before
    for entry in entries[at:]:
        overlay.apply(copied(entry))
    assert picture(base) == before
    assert picture(overlay) == picture(followed(entries))
    again = overlay.fork()  # also of an overlay
    assert picture(again) == picture(overlay)


@given(histories, st.data())
def test_facts_of_any_age_say_what_the_room_would_know(entries: list[Entry], data: st.DataObject) -> None:
    """A window that forgot everything and takes facts read at some older head agrees with one that forgot nothing."""
    whole = followed(entries)
    as_of = data.draw(st.integers(0, len(entries)))
    then = followed(entries[:as_of])
    narrow = followed([copied(entry) for entry in entries])
    narrow.messages.clear()
    narrow.authors.clear()
    facts = Facts(as_of, dict(then.authors), dict(then.messages))
    assert narrow.absorb(facts)
    for mid, message in narrow.messages.items():
        assert (message.gone is None) == (whole.messages[mid].gone is None)


@given(histories, st.integers(0, 2_000_000))
def test_trimming_forgets_only_what_can_come_back(entries: list[Entry], later: int) -> None:
    room = followed(entries)
    before = picture(room)
    now = room.last_ts + later
    room.trim(now)
    after = picture(room)
    for name in ("channel", "heads", "gone", "roles", "modes", "sanctions", "messages"):
        assert after[name] == before[name]
    assert after["idems"] == {k: kept for k, kept in before["idems"].items() if kept.ts + IDEM_MS > now}
    assert after["authors"] == before["authors"]  # few enough to stay


def test_trimming_keeps_the_window_what_was_asked_for_and_what_was_just_brought() -> None:
    room = new()
    for n in range(1, WINDOW + 101):
        room.apply(
            Entry(ROOM, n, START, Said(f"m_{n}", "u_ann", 0), Message(f"m_{n}", n, "u_ann", START, "x"))
        )
    assert room.trim(START, keep_from=90, keep={"m_7"}) == 90
    assert set(room.messages) == {"m_7"} | {f"m_{n}" for n in range(90, WINDOW + 101)}
    assert room.absorb(
        Facts(room.head, {"u_new": Author(0, 0, 0)}, {"m_3": Message("m_3", 3, "u_bob", START, "x")})
    )
    assert room.trim(START) == 101
    assert {"m_3", "m_101"} <= set(room.messages)
    assert "m_100" not in room.messages
    assert "u_new" in room.authors
    room.trim(START + 59_999)
    assert "m_3" in room.messages
    room.trim(START + 60_000)
    assert "m_3" not in room.messages


# -- decisions ----------------------------------------------------------------------------------------------------

commands = st.one_of(
    st.builds(
        MsgSend,
        text=st.just("x"),
        reply_to=st.none() | st.sampled_from(["m_1", "m_2"]),
        idem=st.none() | st.just("i"),
    ),
    st.builds(MsgDelete, mid=st.sampled_from(["m_1", "m_2", "m_9"])),
    st.builds(ModDelete, mids=st.just(["m_1", "m_2", "m_3"])),
    st.builds(ModBan, user=users, seconds=st.none() | st.just(1)),
    st.builds(ModTimeout, user=users, seconds=st.just(1), purge_seconds=st.none() | st.just(5)),
    st.builds(ModUnban, user=users),
    st.builds(
        ModeSet,
        name=st.sampled_from(["slow", "readonly", "members"]),
        value=st.sampled_from([0, 5, True, False]),
    ),
    st.builds(RoleGrant, user=users, role=st.sampled_from(["vip", "moderator", "lead"])),
    st.builds(RoleRevoke, user=users),
)
asked = st.lists(st.tuples(users, commands, st.sampled_from([0, 400, 6000])), max_size=40)


@settings(max_examples=300)
@given(asked)
def test_decisions_change_nothing_and_what_they_say_can_be_followed(
    found: list[tuple[str, Any, int]],
) -> None:
    """Law 3: a decision reads; only `apply` changes. What is refused is refused from the table."""
    room, now = new(), START
    for user in USERS:
        room.authors[user] = Author(0, 0, 0)
    numbers = iter(range(1, 1000))
    for user, command, ms in found:
        now += ms
        draft = Draft(
            CH, Actor(user, "guest" if user[0] == "g" else "user"), command, f"m_{next(numbers)}", "x"
        )
        draft.target = getattr(command, "user", None)
        draft.target_kind = None if draft.target is None else ("guest" if draft.target[0] == "g" else "user")
        draft.since = 1 if getattr(command, "purge_seconds", None) else None
        before = picture(room)
        decision = decided(room, draft, At(max(now, room.last_ts), "k"))
        assert picture(room) == before
        if isinstance(decision, Refused):
            assert decision.code not in ("internal", "overloaded")
            assert (decision.retry == "after") == (decision.after_ms is not None)
            continue
        for stream, event, message in decision.events:
            n = {"room": room.head, "mod": room.mod_head, "me": -1}[stream.kind] + 1
            assert decode_stored(encode_stored(event)) == event
            assert room.apply(Entry(stream, n, max(now, room.last_ts), event, message))
        check(room)


def decided(room: RoomState, draft: Draft, at: At) -> Decision | Refused:
    try:
        return DECIDERS[type(draft.command)](room, draft, at)
    except Refused as refusal:
        return refusal


def check(room: RoomState) -> None:
    """No decision makes a second owner or a guest with a role, and nobody owns a grant above his granter's."""
    assert all(grant.role != "owner" and not user.startswith("g_") for user, grant in room.roles.items())
    assert "u_owner" not in room.sanctions
    assert "u_owner" not in room.roles


# -- layers -------------------------------------------------------------------------------------------------------

keys = st.integers(0, 5)
values = st.none() | st.integers(0, 3)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), keys, values),
        st.tuples(st.just("del"), keys, values),
        st.tuples(st.just("pop"), keys, values),
        st.tuples(st.just("setdefault"), keys, values),
    ),
    max_size=20,
)


@given(st.dictionaries(keys, values), steps, steps)
def test_a_layer_is_a_copy(base: dict[int, int | None], first: Any, second: Any) -> None:
    untouched = dict(base)
    layer, copy = Layer(base), dict(base)
    work(layer, copy, first)
    upper, upper_copy = Layer(layer), dict(copy)
    work(upper, upper_copy, second)
    assert base == untouched
    assert dict(layer) == copy


def work(layer: Layer[int, int | None], copy: dict[int, int | None], found: Any) -> None:
    for what, key, value in found:
        if what == "set":
            layer[key] = copy[key] = value
        elif what == "pop":
            assert layer.pop(key, "none") == copy.pop(key, "none")
        elif what == "setdefault":
            assert layer.setdefault(key, value) == copy.setdefault(key, value)
        elif key in copy:
            del layer[key], copy[key]
        else:
            assert key not in layer
        assert dict(layer) == copy
        assert len(layer) == len(copy)
        assert sorted(layer) == sorted(copy)
        for probe in range(6):
            assert (probe in layer) == (probe in copy)
            assert layer.get(probe, "none") == copy.get(probe, "none")
