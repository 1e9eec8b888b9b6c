"""Who may: the matrix of roles and served commands out of the catalogue, ranks, scopes and the guests' policy."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from chatcore.room.drafts import Actor, Decision, Draft
from chatcore.room.rights import capabilities
from chatcore.room.settle import DECIDERS
from chatcore.room.state import Grant, Sanction
from schemas import commands as c
from schemas.catalog import BY_NAME, CATALOG
from schemas.roles import CAPABILITIES, ROLES, caps_of, rank
from schemas.values import Payload
from tests.unit.room.world import BY_ROLE, OWNER, STRANGER, Room, actor, refused

SERVED = tuple(spec for spec in CATALOG if spec.request in DECIDERS)
RULED_BY_CAPABILITY = tuple(spec for spec in SERVED if spec.capability is not None)


def ready(t: str) -> tuple[Room, Payload, str | None]:
    """A room in which `t` would succeed if asked by somebody who may, the command, and whom it is about."""
    room = Room()
    mid = room.say(STRANGER)
    match t:
        case "msg.send":
            return room, c.MsgSend("hi"), None
        case "msg.delete":
            return room, c.MsgDelete(mid), None
        case "mod.delete":
            return room, c.ModDelete(mids=[mid]), None
        case "mod.timeout":
            return room, c.ModTimeout(STRANGER, 60), STRANGER
        case "mod.ban":
            return room, c.ModBan(STRANGER), STRANGER
        case "mod.untimeout":
            room.state.sanctions[STRANGER] = Sanction("timeout", None, "a_0", None)
            return room, c.ModUntimeout(STRANGER), STRANGER
        case "mod.unban":
            room.state.sanctions[STRANGER] = Sanction("ban", None, "a_0", None)
            return room, c.ModUnban(STRANGER), STRANGER
        case "mode.set":
            return room, c.ModeSet("slow", 5), None
        case "role.grant":
            return room, c.RoleGrant(STRANGER, "vip"), STRANGER
        case "role.revoke":
            room.state.roles[STRANGER] = Grant("vip", None)
            return room, c.RoleRevoke(STRANGER), STRANGER
        case _:
            raise AssertionError(f"the matrix does not know how to ask for {t}")


def ask(t: str, user: str, scopes: frozenset[str] | None = None) -> Decision:
    room, command, target = ready(t)
    return room.decide(room.draft(actor(user, scopes), command, target))


def test_every_decider_is_a_command_of_the_catalogue_or_none_of_the_socket() -> None:
    inside = {kind.__name__ for kind in DECIDERS} - {spec.request.__name__ for spec in SERVED}
    assert inside == {"EditChannel", "Erase"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("t", [spec.t for spec in RULED_BY_CAPABILITY])
def test_a_role_may_what_its_capabilities_say(t: str, role: str) -> None:
    cap = BY_NAME[t].capability
    assert cap is not None
    if cap in caps_of(role):
        assert ask(t, BY_ROLE[role]).events
    else:
        refusal = refused(lambda: ask(t, BY_ROLE[role]))
        assert (refusal.code, refusal.status, refusal.d) == ("forbidden", 403, {"cap": cap})


@pytest.mark.parametrize("role", ROLES)
def test_anothers_message_is_deleted_by_moderators_and_above(role: str) -> None:
    if rank(role) >= rank("moderator"):
        assert ask("msg.delete", BY_ROLE[role]).events
    else:
        assert refused(lambda: ask("msg.delete", BY_ROLE[role])).d == {"cap": "mod.delete"}


@pytest.mark.parametrize("t", [spec.t for spec in RULED_BY_CAPABILITY])
def test_a_credential_gives_no_more_than_its_scopes(t: str) -> None:
    cap = BY_NAME[t].capability
    assert cap is not None
    assert ask(t, OWNER, frozenset({cap})).events
    refusal = refused(lambda: ask(t, OWNER, frozenset(CAPABILITIES) - {cap}))
    assert (refusal.code, refusal.d) == ("forbidden", {"cap": cap})


@pytest.mark.parametrize("t", [spec.t for spec in RULED_BY_CAPABILITY])
def test_scopes_give_nothing_that_the_role_lacks(t: str) -> None:
    if t != "msg.send":
        assert refused(lambda: ask(t, "u_ann", frozenset(CAPABILITIES))).code == "forbidden"


TARGETED: dict[str, Callable[[str], Payload]] = {
    "mod.timeout": partial(c.ModTimeout, seconds=60),
    "mod.ban": c.ModBan,
    "mod.untimeout": c.ModUntimeout,
    "mod.unban": c.ModUnban,
}


@pytest.mark.parametrize("target", ROLES)
@pytest.mark.parametrize("role", ["moderator", "lead", "owner"])
@pytest.mark.parametrize("t", TARGETED)
def test_nobody_acts_on_an_equal_or_higher_role(t: str, role: str, target: str) -> None:
    room = Room()
    about = BY_ROLE[target]
    if t.startswith("mod.un"):
        room.state.sanctions[about] = Sanction(t.removeprefix("mod.un"), None, "a_0", None)
    draft: Draft = room.draft(BY_ROLE[role], TARGETED[t](about), about)
    if rank(role) > rank(target):
        assert room.decide(draft).events
    else:
        refusal = refused(lambda: room.decide(draft))
        assert (refusal.code, refusal.d) == ("role_too_low", {"targetRole": target})


@pytest.mark.parametrize("target", ROLES)
@pytest.mark.parametrize("role", ["moderator", "lead", "owner"])
def test_messages_of_equals_and_higher_ones_stay(role: str, target: str) -> None:
    room = Room()
    mid = room.say(BY_ROLE[target])
    draft = room.draft(BY_ROLE[role], c.ModDelete(mids=[mid]))
    if rank(role) > rank(target) or role == target:  # the same role is the same person here
        assert room.decide(draft).events
    else:
        assert refused(lambda: room.decide(draft)).d == {"targetRole": target}


@pytest.mark.parametrize("role", ROLES)
def test_capabilities_are_the_roles_own(role: str) -> None:
    room = Room(policy={"guestsVote": True})
    assert capabilities(room.state, actor(BY_ROLE[role]), room.now) == caps_of(role)


@pytest.mark.parametrize(
    ("policy", "lost"),
    [
        ({}, {"poll.vote"}),
        ({"textMax": 40}, {"poll.vote"}),
        ({"guestsVote": True}, set[str]()),
        ({"guests": False}, {"msg.send", "msg.report", "react", "poll.vote"}),
        ({"guests": False, "guestsVote": True}, {"msg.send", "msg.report", "react", "poll.vote"}),
    ],
)
def test_the_policy_takes_from_guests_alone(policy: dict[str, Any], lost: set[str]) -> None:
    room = Room(policy=policy)
    assert caps_of("guest") - capabilities(room.state, actor("g_gus"), room.now) == lost
    assert capabilities(room.state, actor("u_ann"), room.now) == caps_of("viewer")


def test_scopes_cut_capabilities() -> None:
    room = Room()
    scoped = actor("u_mod", frozenset({"mod.ban", "role.grant"}))
    assert capabilities(room.state, scoped, room.now) == {"mod.ban"}


def test_a_grant_that_ended_gives_nothing() -> None:
    room = Room()
    room.state.roles["u_mod"] = Grant("moderator", room.now + 1)
    assert "mod.ban" in capabilities(room.state, actor("u_mod"), room.now)
    assert capabilities(room.state, actor("u_mod"), room.now + 1) == caps_of("viewer")


def test_a_bot_may_nothing_that_its_maker_may_not_now() -> None:
    room = Room()
    room.state.roles["u_bot"] = Grant("moderator", None)
    bot = Actor("u_bot", "bot", maker="u_mod")
    assert room.do(bot, c.ModTimeout(STRANGER, 1), STRANGER)
    assert refused(lambda: room.do(bot, c.ModTimeout("u_lead", 1), "u_lead")).d == {"targetRole": "lead"}
    room.state.roles["u_mod"] = Grant("helper", None)
    assert refused(lambda: room.do(bot, c.ModTimeout(STRANGER, 1), STRANGER)).d == {"cap": "mod.timeout"}
    high = Actor("u_bot", "bot", maker=OWNER)
    assert refused(lambda: room.do(high, c.ModTimeout("u_lead", 1), "u_lead")).code == "role_too_low"


def test_nobody_speaks_through_a_bot_while_he_is_stopped_himself() -> None:
    room = Room()
    room.state.sanctions["u_ann"] = Sanction("ban", None, "a_1", None)
    bot = Actor(STRANGER, "bot", maker="u_ann")
    assert refused(lambda: room.do(bot, c.MsgSend("hi"))).code == "banned"
    assert room.do(Actor(STRANGER, "bot", maker=OWNER), c.MsgSend("hi"))
