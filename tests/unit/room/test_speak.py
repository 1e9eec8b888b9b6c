"""May it be said: rights, sanctions, modes and their edges in time (protocol 6, 8, 13)."""

import pytest

from chatcore.room.drafts import Actor
from chatcore.room.events import Said
from chatcore.room.speak import admit, next_send_at, seconds
from chatcore.room.state import Sanction
from schemas.commands import MsgSend
from schemas.errors import Refused
from tests.unit.room.world import BY_ROLE, NOW, OWNER, Room, actor, refused


def no(room: Room, user: str) -> Refused | None:
    """What keeps `user` from speaking; `admit` and the decision have to agree."""
    draft = room.draft(user, MsgSend("hi"))
    found: list[Refused | None] = []
    for ask in (lambda: admit(room.state, draft, room.at), lambda: room.decide(draft)):
        try:
            ask()
        except Refused as refusal:
            found.append(refusal)
        else:
            found.append(None)
    early, binding = found
    assert (early and (early.code, early.d)) == (binding and (binding.code, binding.d))
    return binding


@pytest.mark.parametrize("role", BY_ROLE)
def test_in_a_plain_room_everybody_may_speak(role: str) -> None:
    assert no(Room(), BY_ROLE[role]) is None


def test_the_policy_may_keep_guests_silent() -> None:
    room = Room(policy={"guests": False})
    refusal = no(room, "g_gus")
    assert refusal is not None
    assert (refusal.code, refusal.retry, refusal.d) == ("forbidden", "never", {"cap": "msg.send"})
    assert no(room, "u_ann") is None


@pytest.mark.parametrize(("name", "code"), [("readonly", "mode_readonly"), ("members", "mode_members")])
@pytest.mark.parametrize("role", BY_ROLE)
def test_modes_that_close_the_room(role: str, name: str, code: str) -> None:
    room = Room()
    room.mode(name, True, NOW + 5000)
    spoken_for = {"owner", "lead", "moderator", "helper", "vip"}
    if name == "members":
        spoken_for.add("member")
    refusal = no(room, BY_ROLE[role])
    if role in spoken_for:
        assert refusal is None
    else:
        assert refusal is not None
        assert (refusal.code, refusal.retry, refusal.d) == (code, "never", {"until": NOW + 5000})


def test_a_mode_ends_at_its_very_millisecond() -> None:
    room = Room()
    room.mode("readonly", True, NOW + 5000)
    room.now = NOW + 4999
    assert no(room, "u_ann") is not None
    room.now = NOW + 5000
    assert no(room, "u_ann") is None


def test_slow_mode_at_its_edges() -> None:
    room = Room()
    room.mode("slow", 10)
    assert next_send_at(room.state, "u_ann", room.now) is None
    room.say("u_ann")
    assert next_send_at(room.state, "u_ann", room.now) == NOW + 10_000
    refusal = no(room, "u_ann")
    assert refusal is not None
    assert (refusal.code, refusal.after_ms, refusal.d) == (
        "slow_mode",
        10_000,
        {"nextSendAt": NOW + 10_000},
    )
    room.now = NOW + 9_999
    refusal = no(room, "u_ann")
    assert refusal is not None
    assert refusal.after_ms == 1
    room.now = NOW + 10_000
    assert next_send_at(room.state, "u_ann", room.now) is None
    assert no(room, "u_ann") is None


def test_slow_mode_counts_from_what_was_said_before_it_and_is_each_ones_own() -> None:
    room = Room()
    room.say("u_ann")
    room.now += 1000
    room.mode("slow", 3)
    assert no(room, "u_bob") is None
    refusal = no(room, "u_ann")
    assert refusal is not None
    assert refusal.after_ms == 2000


@pytest.mark.parametrize("role", BY_ROLE)
def test_slow_mode_exempts_vips_and_above(role: str) -> None:
    room = Room()
    room.mode("slow", 30)
    room.say(BY_ROLE[role])
    assert (no(room, BY_ROLE[role]) is None) == (role in ("owner", "lead", "moderator", "helper", "vip"))


def test_a_ban_holds_until_its_end_and_a_lasting_one_for_ever() -> None:
    room = Room()
    room.state.sanctions["u_ann"] = Sanction("ban", None, "a_1", "spam")
    refusal = no(room, "u_ann")
    assert refusal is not None
    assert (refusal.code, refusal.retry) == ("banned", "never")
    assert refusal.d == {"until": None, "reason": "spam", "action": "a_1", "appeal": False}
    room.state.sanctions["u_ann"] = Sanction("ban", NOW + 1, "a_1", None)
    assert no(room, "u_ann") is not None
    room.now += 1
    assert no(room, "u_ann") is None


def test_a_timeout_says_how_long_and_ends_at_its_very_millisecond() -> None:
    room = Room()
    room.state.sanctions["u_ann"] = Sanction("timeout", NOW + 1500, "a_1", None)
    refusal = no(room, "u_ann")
    assert refusal is not None
    assert (refusal.code, refusal.retry, refusal.after_ms) == ("timed_out", "after", 1500)
    assert "2 s" in refusal.message
    room.now = NOW + 1499
    refusal = no(room, "u_ann")
    assert refusal is not None
    assert refusal.after_ms == 1
    room.now = NOW + 1500
    assert no(room, "u_ann") is None


def test_a_sanction_binds_staff_too_and_is_told_before_modes() -> None:
    room = Room()
    room.mode("readonly", True)
    for user in ("u_mod", "u_ann"):
        room.state.sanctions[user] = Sanction("timeout", NOW + 9, "a_1", None)
        refusal = no(room, user)
        assert refusal is not None
        assert refusal.code == "timed_out"


def test_a_role_that_ended_exempts_no_more() -> None:
    room = Room()
    room.state.roles["u_vip"] = room.state.roles["u_vip"]._replace(until=NOW + 10)
    room.mode("readonly", True)
    assert no(room, "u_vip") is None
    room.now = NOW + 10
    assert no(room, "u_vip") is not None


def test_a_credential_without_the_right_may_not() -> None:
    room = Room()
    reader = actor(OWNER, frozenset({"mod.read"}))
    assert refused(lambda: room.do(reader, MsgSend("hi"))).d == {"cap": "msg.send"}
    writer = actor(OWNER, frozenset({"msg.send"}))
    assert isinstance(room.do(writer, MsgSend("hi"))[0].event, Said)


def test_an_author_that_the_state_forgot_is_asked_to_repeat() -> None:
    room = Room()
    refusal = refused(lambda: room.do("u_new", MsgSend("hi")))
    assert (refusal.code, refusal.retry) == ("overloaded", "after")


@pytest.mark.parametrize(("ms", "whole"), [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (60_000, 60)])
def test_seconds_are_rounded_up(ms: int, whole: int) -> None:
    assert seconds(ms) == whole


def test_a_bot_of_the_owner_is_judged_by_its_own_role() -> None:
    room = Room()
    room.state.authors["u_bot"] = room.state.authors["u_ann"]
    room.mode("readonly", True)
    assert refused(lambda: room.do(Actor("u_bot", "bot"), MsgSend("hi"))).code == "mode_readonly"
