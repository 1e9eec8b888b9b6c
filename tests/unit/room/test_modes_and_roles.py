"""What staff decide of the room itself: modes, roles, the channel's card (protocol 7, 8)."""

from typing import Any, Literal

import pytest

from chatcore.room.events import Acted, ChannelChanged, ModeChanged, MyRole, RoleChanged, StreamKey
from chatcore.room.staff import EditChannel
from chatcore.room.state import Grant
from schemas import commands as c
from schemas.roles import caps_of
from tests.unit.room.world import BY_ROLE, CH, NOW, OWNER, STRANGER, Room, refused

Grantable = Literal["lead", "moderator", "helper", "vip", "member"]


@pytest.mark.parametrize(
    ("name", "value", "off"), [("slow", 3600, 0), ("readonly", True, False), ("members", True, False)]
)
def test_a_mode_is_set_for_a_while_and_put_off(name: Any, value: int, off: int) -> None:
    room = Room()
    shown, action = room.do("u_mod", c.ModeSet(name, value, 60))
    assert shown.event == ModeChanged(name, value, NOW + 60_000, "staff")
    assert isinstance(action.event, Acted)
    assert action.event.params == {"name": name, "value": value, "until": NOW + 60_000}
    assert room.state.mode(name, NOW + 59_999) == value
    assert room.state.mode(name, NOW + 60_000) is None
    room.do("u_mod", c.ModeSet(name, off))
    assert room.state.modes == {}


@pytest.mark.parametrize(
    ("name", "value", "field", "reason"),
    [
        ("slow", -1, "d.value", "out_of_range"),
        ("slow", 3601, "d.value", "out_of_range"),
        ("slow", True, "d.value", "wrong_type"),
        ("slow", "5", "d.value", "wrong_type"),
        ("readonly", 1, "d.value", "wrong_type"),
        ("members", "true", "d.value", "wrong_type"),
        ("links", "block", "d.name", "unknown_value"),
        ("followers", 10, "d.name", "unknown_value"),
    ],
)
def test_values_that_a_mode_does_not_take(name: Any, value: Any, field: str, reason: str) -> None:
    refusal = refused(lambda: Room().do("u_mod", c.ModeSet(name, value)))
    assert (refusal.code, refusal.field, refusal.d) == ("bad_request", field, {"reason": reason})


@pytest.mark.parametrize("role", ["lead", "moderator", "helper", "vip", "member"])
def test_the_owner_grants_every_role_and_takes_it_back(role: Grantable) -> None:
    room = Room()
    shown, action, mine = room.do(OWNER, c.RoleGrant(STRANGER, role, 60), STRANGER)
    assert shown.event == RoleChanged(STRANGER, role, NOW + 60_000)
    assert isinstance(action.event, Acted)
    assert (action.event.kind, action.event.params) == ("role.grant", {"role": role, "until": NOW + 60_000})
    assert mine.stream == StreamKey("me", STRANGER)
    assert mine.event == MyRole(CH, role, tuple(sorted(caps_of(role))))
    assert (room.state.role_of(STRANGER, NOW), room.state.role_of(STRANGER, NOW + 60_000)) == (role, "viewer")
    shown, action, mine = room.do(OWNER, c.RoleRevoke(STRANGER), STRANGER)
    assert shown.event == RoleChanged(STRANGER, None)
    assert mine.event == MyRole(CH, "viewer", tuple(sorted(caps_of("viewer"))))
    assert room.state.role_of(STRANGER, NOW) == "viewer"


@pytest.mark.parametrize(
    ("by", "role", "code"),
    [
        ("owner", "lead", None),
        ("lead", "lead", "role_too_low"),
        ("lead", "moderator", None),
        ("lead", "vip", None),
        ("moderator", "moderator", "forbidden"),
        ("moderator", "helper", "forbidden"),
        ("moderator", "member", "forbidden"),
        ("moderator", "vip", None),
        ("helper", "vip", "forbidden"),
        ("viewer", "vip", "forbidden"),
    ],
)
def test_who_grants_what(by: str, role: Grantable, code: str | None) -> None:
    def grant() -> Any:
        return Room().do(BY_ROLE[by], c.RoleGrant(STRANGER, role), STRANGER)

    if code is None:
        assert grant()
    else:
        assert refused(grant).code == code


def test_a_moderator_makes_no_vip_of_a_helper_and_takes_no_other_role() -> None:
    room = Room()
    assert refused(lambda: room.do("u_mod", c.RoleGrant("u_help", "vip"), "u_help")).code == "forbidden"
    assert refused(lambda: room.do("u_mod", c.RoleRevoke("u_help"), "u_help")).code == "forbidden"
    assert refused(lambda: room.do("u_mod", c.RoleRevoke("u_mem"), "u_mem")).code == "forbidden"
    assert room.do("u_mod", c.RoleGrant("u_mem", "vip"), "u_mem")
    assert room.do("u_mod", c.RoleRevoke("u_vip"), "u_vip")


@pytest.mark.parametrize(
    ("by", "target"),
    [("lead", "owner"), ("lead", "lead"), ("moderator", "lead"), ("owner", "owner"), ("lead", "u_lead2")],
)
def test_no_role_of_an_equal_or_higher_one_is_touched(by: str, target: str) -> None:
    room = Room()
    room.state.roles["u_lead2"] = Grant("lead", None)
    about = BY_ROLE.get(target, target)
    assert refused(lambda: room.do(BY_ROLE[by], c.RoleRevoke(about), about)).code in (
        "role_too_low",
        "forbidden",
    )
    assert refused(lambda: room.do(BY_ROLE[by], c.RoleGrant(about, "vip"), about)).code in (
        "role_too_low",
        "forbidden",
    )


def test_who_has_no_role_loses_none() -> None:
    refusal = refused(lambda: Room().do(OWNER, c.RoleRevoke(STRANGER), STRANGER))
    assert refusal.code == "already"


def test_a_guest_holds_no_role() -> None:
    refusal = refused(lambda: Room().do(OWNER, c.RoleGrant("g_gus", "vip"), "g_gus"))
    assert (refusal.code, refusal.field) == ("conflict", "d.user")


def test_owner_is_no_role_to_be_granted() -> None:
    command = c.RoleGrant(STRANGER, "owner")  # pyright: ignore[reportArgumentType] - the decoder refuses it earlier
    refusal = refused(lambda: Room().do(OWNER, command, STRANGER))
    assert (refusal.code, refusal.field) == ("bad_request", "d.role")


def test_the_card_is_the_owners_to_edit() -> None:
    room = Room()
    (entry,) = room.do(OWNER, EditChannel(title="Sea", tags=["a", "b"], policy={"guests": False}))
    assert entry.event == ChannelChanged({"title": "Sea", "tags": ["a", "b"], "policy": {"guests": False}})
    channel = room.state.channel
    assert (channel.title, channel.tags, channel.policy) == ("Sea", ("a", "b"), {"guests": False})
    assert channel.slug == "lobby"
    assert refused(lambda: room.do("u_lead", EditChannel(title="x"))).d == {"cap": "channel.edit"}
