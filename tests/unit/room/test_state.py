"""The state follows its log: what `apply` changes, what a fork keeps to itself, which roles and modes are in force."""

from typing import Any

import pytest

from chatcore.room.events import (
    Acted,
    ChannelChanged,
    Entry,
    Gone,
    Message,
    ModeChanged,
    MyRole,
    MySanction,
    Noticed,
    RoleChanged,
    Said,
    Sanctioned,
    Stored,
    StreamKey,
    Unsanctioned,
    decode_stored,
    encode_stored,
)
from chatcore.room.state import Author, Grant, Mode, Remembered, RoomState, Sanction
from tests.unit.room.world import CH, NOW, OWNER, Room, channel

ROOM, MOD = StreamKey("room", CH), StreamKey("mod", CH)

STORED: tuple[Stored, ...] = (
    Said("m_1", "u_ann", 5, "idem"),
    Said("m_1", "u_ann", 5),
    Gone("staff", ("m_1", "m_2"), reason="spam"),
    Gone("author", user="u_ann", lo=1, hi=9),
    ModeChanged("slow", 10, None, "staff"),
    ModeChanged("readonly", True, NOW, "staff"),
    ModeChanged("links", "block", None, "automod"),
    RoleChanged("u_ann", "vip", NOW),
    RoleChanged("u_ann", None),
    Sanctioned("u_ann", "ban", None, "a_1"),
    Sanctioned("u_ann", "timeout", NOW, "a_1", "why"),
    Unsanctioned("u_ann", "expired"),
    ChannelChanged({"title": "x", "tags": ["a"], "policy": {"guests": False}, "scheduled_at": None}),
    Acted("a_1", "ban", "u_mod", "moderator", "socket", {"seconds": None}, "u_ann", ("m_1",), "why"),
    Noticed("mention", CH, "m_1", "u_ann"),
    MyRole(CH, "vip", ("msg.send",)),
    MySanction(CH, "ban", "a_1", NOW, "why"),
    MySanction(CH, "ban", "a_1", cause="lifted"),
)


@pytest.mark.parametrize("event", STORED, ids=str)
def test_an_event_is_read_as_it_was_written(event: Stored) -> None:
    assert decode_stored(encode_stored(event)) == event


def entry(n: int, event: Stored, message: Message | None = None, stream: StreamKey = ROOM) -> Entry:
    return Entry(stream, n, NOW + n, event, message)


def said(n: int, user: str = "u_ann", idem: str | None = None) -> Entry:
    message = Message(f"m_{n}", n, user, NOW + n, f"text {n}")
    return entry(n, Said(f"m_{n}", user, NOW + n + 1500, idem), message)


def fresh() -> RoomState:
    return RoomState(channel(), 0, 0, 0)


def test_what_is_known_already_changes_nothing() -> None:
    state = fresh()
    assert state.apply(said(1))
    assert not state.apply(entry(1, RoleChanged("u_ann", "lead")))
    assert state.roles == {}
    assert state.apply(entry(1, Acted("a_1", "ban", "u_mod", "moderator", "chat", {}), stream=MOD))
    assert not state.apply(entry(1, Acted("a_1", "ban", "u_mod", "moderator", "chat", {}), stream=MOD))
    assert (state.head, state.mod_head, state.last_ts) == (1, 1, NOW + 1)


def test_personal_entries_are_new_to_nobody_and_change_no_head() -> None:
    state = fresh()
    assert state.apply(entry(7, Noticed("reply", CH, "m_1", "u_ann"), stream=StreamKey("me", "u_bob")))
    assert (state.head, state.mod_head, state.last_ts) == (0, 0, 0)


def test_the_time_of_the_newest_entry_never_goes_back() -> None:
    state = fresh()
    state.apply(Entry(ROOM, 1, NOW + 50, Unsanctioned("u_ann", "lifted")))
    state.apply(Entry(ROOM, 2, NOW, Unsanctioned("u_ann", "lifted")))
    assert state.last_ts == NOW + 50


def test_a_message_is_followed_with_its_author_and_idem() -> None:
    state = fresh()
    state.apply(said(1, idem="w"))
    assert state.authors == {"u_ann": Author(1, NOW + 1, NOW + 1501)}
    assert state.idems == {("u_ann", "w"): Remembered("m_1", 1, NOW + 1)}
    assert state.messages["m_1"].text == "text 1"


def test_deletions_mark_what_stands_and_only_that() -> None:
    state = fresh()
    for n in range(1, 6):
        state.apply(said(n, "u_bob" if n == 3 else "u_ann"))
    state.apply(entry(6, Gone("author", ("m_2", "m_none"))))
    state.apply(entry(7, Gone("staff", user="u_ann", lo=2, hi=4)))
    gone = {mid: message.gone for mid, message in state.messages.items()}
    assert gone == {"m_1": None, "m_2": "author", "m_3": None, "m_4": "staff", "m_5": None}


def test_an_erased_author_is_no_user_of_a_range() -> None:
    state = fresh()
    state.apply(said(1))
    state.messages["m_1"].user = None
    assert state.hit_by(Gone("staff", user="u_ann", lo=1, hi=1)) == []
    assert [m.mid for m in state.hit_by(Gone("staff", ("m_1",)))] == ["m_1"]


@pytest.mark.parametrize(
    ("name", "value", "on"),
    [
        ("slow", 10, True),
        ("slow", 0, False),
        ("readonly", True, True),
        ("readonly", False, False),
        ("followers", 0, False),
        ("followers", -1, False),
        ("links", "block", True),
    ],
)
def test_a_mode_that_is_off_is_not_kept(name: str, value: Any, on: bool) -> None:
    state = fresh()
    state.modes[name] = Mode(1, None, "staff")
    state.apply(entry(1, ModeChanged(name, value, None, "staff")))
    assert (name in state.modes) == on
    assert state.mode(name, NOW) == (value if on else None)


def test_roles_sanctions_and_the_card() -> None:
    state = fresh()
    events: list[Stored] = [
        RoleChanged("u_ann", "vip", NOW + 10),
        Sanctioned("u_bob", "ban", None, "a_1", "why"),
        ChannelChanged({"title": "Sea", "tags": ["x"], "scheduled_at": NOW}),
    ]
    for n, event in enumerate(events, 1):
        state.apply(entry(n, event))
    assert state.roles == {"u_ann": Grant("vip", NOW + 10)}
    assert state.sanctions == {"u_bob": Sanction("ban", None, "a_1", "why")}
    changed = state.channel
    assert (changed.title, changed.tags, changed.scheduled_at, changed.owner) == ("Sea", ("x",), NOW, OWNER)
    state.apply(entry(4, RoleChanged("u_ann", None)))
    state.apply(entry(5, Unsanctioned("u_bob", "lifted")))
    state.apply(entry(6, RoleChanged("u_none", None)))
    state.apply(entry(7, Unsanctioned("u_none", "expired")))
    state.apply(entry(8, ChannelChanged({"scheduled_at": None})))
    assert (state.roles, state.sanctions, state.channel.scheduled_at) == ({}, {}, None)


def test_roles_in_force() -> None:
    room = Room()
    room.state.roles[OWNER] = Grant("vip", None)
    room.state.roles["u_mod"] = Grant("moderator", NOW + 1)
    state = room.state
    assert [state.role_of(user, NOW) for user in (OWNER, "u_mod", "u_new", "g_new")] == [
        "owner",
        "moderator",
        "viewer",
        "guest",
    ]
    assert state.role_of("u_mod", NOW + 1) == "viewer"
    assert [state.is_staff(user, NOW) for user in (OWNER, "u_mod", "u_help", "u_vip")] == [
        True,
        True,
        True,
        False,
    ]
    assert not state.is_staff("u_mod", NOW + 1)


def test_a_fork_starts_as_its_base_and_changes_nothing_of_it() -> None:
    base = fresh()
    for n in range(1, 4):
        base.apply(said(n, idem=f"w{n}"))
    base.apply(entry(4, Sanctioned("u_bob", "ban", None, "a_1")))
    before = picture(base)
    fork = base.fork()
    assert picture(fork) == before
    changes: list[Entry] = [
        said(5, "u_new", "w"),
        entry(6, Gone("staff", user="u_ann", lo=1, hi=5)),
        entry(7, Unsanctioned("u_bob", "lifted")),
        entry(8, RoleChanged("u_ann", "lead")),
        entry(9, ModeChanged("slow", 5, None, "staff")),
        entry(10, ChannelChanged({"title": "Sea"})),
        entry(1, Acted("a_2", "mode", "u_mod", "moderator", "chat", {}), stream=MOD),
    ]
    for change in changes:
        assert fork.apply(change)
    assert picture(base) == before
    for change in changes:
        assert base.apply(change)
    assert picture(base) == picture(fork)


def picture(state: RoomState) -> dict[str, Any]:
    tables = ("roles", "modes", "sanctions", "authors", "messages", "idems")
    found: dict[str, Any] = {name: dict(getattr(state, name)) for name in tables}
    rest = ("channel", "head", "mod_head", "last_ts")
    return {**found, **{name: getattr(state, name) for name in rest}, "gone": list(state.gone_log)}
