"""Tokens: bots, overlays, personal ones; least rights; shown once; revoked at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatcore.people.config import PeopleConfig
from chatcore.people.principal import Principal
from schemas import resources
from schemas.errors import Refused
from tests.unit.people.world import CHEAP, PASSWORD, World, a_world

HOME = "192.0.2.1"


def wanted(**changes: Any) -> resources.TokenCreate:
    given: dict[str, Any] = {
        "kind": "bot",
        "name": "Helper Bot",
        "channels": ["c_1"],
        "scopes": ["msg.send"],
        **changes,
    }
    return resources.TokenCreate(**given)


async def test_a_bot_is_a_user_of_its_own_with_the_scopes_of_its_token(world: World) -> None:
    _, bob = await world.two()
    made = await world.people.create_token(bob, wanted())
    assert made.token.startswith("ct_")
    assert (made.user.kind, made.user.name, made.user.display_name) == ("bot", "helper_bot", "Helper Bot")
    bot = await world.people.authenticate(made.token)
    assert (bot.id, bot.kind, bot.maker, bot.credential) == (made.user.id, "bot", bob.id, made.id)
    assert (bot.scopes, bot.channels, bot.instance_roles) == ({"msg.send"}, {"c_1"}, frozenset())
    assert (await world.people.get_user("@helper_bot", None)).kind == "bot"


async def test_a_second_token_of_the_same_bot_and_a_name_that_is_taken(world: World) -> None:
    admin, bob = await world.two()
    first = await world.people.create_token(bob, wanted())
    second = await world.people.create_token(bob, wanted())
    assert (first.user.id, first.token) != (second.user.id, second.token)
    assert first.user.id == second.user.id
    other = await world.people.create_token(admin, wanted())
    assert other.user.name.startswith("helper_bot_")
    assert (await world.people.create_token(admin, wanted(name="bob"))).user.name.startswith("bob_")


async def test_a_personal_token_acts_as_its_maker_with_fewer_rights(world: World) -> None:
    admin, _ = await world.two()
    plain = await world.people.create_token(admin, wanted(kind="personal", channels=["*"]))
    who = await world.people.authenticate(plain.token)
    assert (who.id, who.kind, who.channels, who.instance_roles) == (admin.id, "user", None, frozenset())
    strong = await world.people.create_token(admin, wanted(kind="personal", scopes=["admin", "key.*"]))
    who = await world.people.authenticate(strong.token)
    assert who.is_admin
    assert who.scopes == {"admin", "key.create", "key.list", "key.revoke"}
    await world.people.list_users(who, resources.UserQuery())


async def test_an_overlay_only_reads_one_channel(world: World) -> None:
    _, bob = await world.two()
    made = await world.people.create_token(bob, wanted(kind="overlay", scopes=[]))
    overlay = await world.people.authenticate(made.token)
    assert overlay.read_only
    assert (overlay.scopes, overlay.channels, overlay.instance_roles) == (frozenset(), {"c_1"}, frozenset())


async def test_a_token_loses_what_its_maker_loses(world: World) -> None:
    admin, bob = await world.two()
    await world.people.patch_user(admin, bob.id, {"roles": ["admin"]}, address=HOME)
    bob = await world.people.authenticate((await world.people.login("bob", PASSWORD, address=HOME)).token)
    made = await world.people.create_token(bob, wanted(kind="personal", scopes=["admin"]))
    assert (await world.people.authenticate(made.token)).is_admin
    await world.people.patch_user(admin, bob.id, {"roles": []}, address=HOME)
    assert not (await world.people.authenticate(made.token)).is_admin


async def test_a_deleted_maker_takes_his_bots_along(world: World) -> None:
    admin, bob = await world.two()
    made = await world.people.create_token(bob, wanted())
    await world.people.authenticate(made.token)
    await world.people.delete_user(admin, bob.id)
    with pytest.raises(Refused) as refusal:
        await world.people.authenticate(made.token)
    assert refusal.value.code == "unauthenticated"
    assert {gone.user for gone in world.revoked} == {bob.id, made.user.id}


async def test_revoking_closes_its_sockets_for_good(world: World) -> None:
    admin, bob = await world.two()
    made = await world.people.create_token(bob, wanted())
    await world.people.authenticate(made.token)
    with pytest.raises(Refused) as other:
        await world.people.revoke_token(admin, made.id)
    assert other.value.code == "not_found"
    await world.people.revoke_token(bob, made.id)
    assert [(gone.credential, gone.user, gone.close) for gone in world.revoked] == [
        (made.id, made.user.id, 4505)
    ]
    with pytest.raises(Refused):
        await world.people.authenticate(made.token)


async def test_a_token_ends_in_time(world: World) -> None:
    _, bob = await world.two()
    made = await world.people.create_token(bob, wanted(expires_at=world.clock.now + 1000))
    assert (await world.people.authenticate(made.token)).expires_at == world.clock.now + 1000
    world.clock.pass_ms(1000)
    with pytest.raises(Refused) as refusal:
        await world.people.authenticate(made.token)
    assert refusal.value.code == "token_expired"


async def test_tokens_are_listed_without_their_secrets(world: World) -> None:
    _, bob = await world.two()
    for number in range(3):
        world.clock.pass_ms(1)
        await world.people.create_token(bob, wanted(name=f"Bot {number}", channels=["*"]))
    page = await world.people.list_tokens(bob, resources.PageQuery(limit=2))
    assert [(token.name, token.channels, token.scopes) for token in page.items] == [
        ("Bot 2", ["*"], ["msg.send"]),
        ("Bot 1", ["*"], ["msg.send"]),
    ]
    rest = await world.people.list_tokens(bob, resources.PageQuery(limit=2, cursor=page.next))
    assert ([token.name for token in rest.items], rest.next) == (["Bot 0"], None)
    assert rest.items[0].user.kind == "bot"
    assert rest.items[0].last_used_at is None


async def test_a_token_manages_no_account(world: World) -> None:
    _, bob = await world.two()
    made = await world.people.create_token(bob, wanted(kind="personal", scopes=["msg.send"]))
    token = await world.people.authenticate(made.token)
    for attempt in (
        world.people.create_token(token, wanted()),
        world.people.list_tokens(token, resources.PageQuery()),
        world.people.revoke_token(token, made.id),
        world.people.list_sessions(token),
        world.people.logout(token),
        world.people.patch_user(token, bob.id, {"display_name": "X"}, address=HOME),
        world.people.delete_user(token, bob.id),
    ):
        with pytest.raises(Refused) as refusal:
            await attempt
        assert refusal.value.code == "forbidden"


@pytest.mark.parametrize(
    ("field", "changes", "reason"),
    [
        ("scopes", {"scopes": ["fly"]}, "unknown"),
        ("scopes", {"scopes": ["*"]}, "unknown"),
        ("scopes", {"scopes": ["admin"]}, "too_wide"),
        ("scopes", {"kind": "personal", "scopes": ["admin"]}, "too_wide"),
        ("channels", {"channels": ["@lobby"]}, "form"),
        ("channels", {"channels": ["*", "c_1"]}, "form"),
        ("channels", {"channels": []}, "form"),
        ("channels", {"kind": "overlay", "channels": ["*"], "scopes": []}, "overlay"),
        ("channels", {"kind": "overlay"}, "overlay"),
        ("expiresAt", {"expires_at": 1}, "past"),
        ("name", {"name": "\u3164"}, "invisible"),
    ],
)
async def test_faults_name_the_field_and_the_reason(
    world: World, field: str, changes: dict[str, Any], reason: str
) -> None:
    _, bob = await world.two()
    with pytest.raises(Refused) as refusal:
        await world.people.create_token(bob, wanted(**changes))
    assert (refusal.value.code, refusal.value.field) == ("bad_request", field)
    assert refusal.value.d == {"reason": reason}


async def make(world: World, by: Principal, **changes: Any) -> resources.TokenCreated:
    """A token, made when the bucket has room again."""
    world.clock.pass_ms(6000)
    return await world.people.create_token(by, wanted(**changes))


async def test_tokens_of_one_user_are_bounded(world: World) -> None:
    _, bob = await world.two()
    for _ in range(49):
        await make(world, bob)
    last = await make(world, bob)
    with pytest.raises(Refused) as refusal:
        await make(world, bob)
    assert (refusal.value.code, refusal.value.message) == (
        "conflict",
        "You have 50 tokens; revoke one that is not needed any more.",
    )
    await world.people.revoke_token(bob, last.id)
    await make(world, bob)


async def test_bots_of_one_user_are_bounded(world: World) -> None:
    _, bob = await world.two()
    made = [await make(world, bob, name=f"Bot {number}") for number in range(20)]
    with pytest.raises(Refused) as refusal:
        await make(world, bob, name="Bot 20")
    assert refusal.value.code == "conflict"
    assert "20 bots" in refusal.value.message
    assert (await make(world, bob, name="Bot 0")).user.id == made[0].user.id
    await make(world, bob, kind="personal")
    await world.people.revoke_token(bob, made[1].id)
    with pytest.raises(Refused):
        await world.people.get_user("@bot_20", None)
    await make(world, bob, name="Bot 20")
    with pytest.raises(Refused):
        await make(world, bob, name="Bot 1")  # his own bot, but it would be the 21st that can act


async def test_bots_made_at_once_keep_the_bound() -> None:
    async with a_world(PeopleConfig(limits=False, password_cost=CHEAP)) as world:
        _, bob = await world.two()
        each = (world.people.create_token(bob, wanted(name=f"Bot {number}")) for number in range(30))
        done = await asyncio.gather(*each, return_exceptions=True)
        assert [getattr(result, "code", "made") for result in done] == ["made"] * 20 + ["conflict"] * 10


async def test_ten_tokens_a_minute_can_be_made(world: World) -> None:
    admin, bob = await world.two()
    for _ in range(10):
        await world.people.create_token(bob, wanted())
    with pytest.raises(Refused) as refusal:
        await world.people.create_token(bob, wanted())
    assert (refusal.value.code, refusal.value.after_ms) == ("rate_limited", 6000)
    assert refusal.value.d == {"bucket": "auth", "limit": 10, "windowMs": 60_000}
    await world.people.create_token(admin, wanted())
    await make(world, bob)


async def test_a_bot_without_tokens_is_still_its_makers(world: World) -> None:
    _, bob = await world.two()
    made = await world.people.create_token(bob, wanted())
    await world.people.revoke_token(bob, made.id)
    assert (await world.people.get_user("@helper_bot", None)).id == made.user.id
    assert (await world.people.create_token(bob, wanted())).user.id == made.user.id


async def test_the_name_of_a_bot_without_tokens_is_free_for_others(world: World) -> None:
    admin, bob = await world.two()
    made = await world.people.create_token(bob, wanted())
    with pytest.raises(Refused) as refusal:
        await world.sign_up("helper_bot")
    assert (refusal.value.code, refusal.value.field) == ("conflict", "name")
    await world.people.revoke_token(bob, made.id)
    taker = await world.people.create_token(admin, wanted())
    assert (taker.user.name, taker.user.id != made.user.id) == ("helper_bot", True)
    former = await world.people.get_user(made.user.id, None)
    assert (former.name, former.display_name) == (f"helper_bot-{made.user.id[-8:]}", "Helper Bot")
    assert [(name.id, name.name) for name in world.renamed] == [(former.id, former.name)]
    assert (await world.people.names([former.id]))[former.id].name == former.name
    await world.people.revoke_token(admin, taker.id)
    signed_up = await world.sign_up("helper_bot")
    assert signed_up.principal.name == "helper_bot"
    assert (await world.people.create_token(bob, wanted())).user.name.startswith("helper_bot_")


async def test_a_bot_of_the_house_keeps_its_name(world: World) -> None:
    _, bob = await world.two()
    host = await world.people.house_bot("Host")
    assert (await world.people.create_token(bob, wanted(name="Host"))).user.name.startswith("host_")
    with pytest.raises(Refused):
        await world.sign_up("host")
    assert (await world.people.house_bot("Host")).id == host.id
