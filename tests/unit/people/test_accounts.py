"""Accounts: the first one, signing up, invitations, changes, deletion; faults that name field and remedy."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec import UNSET

from chatcore.people.config import PeopleConfig
from chatcore.people.principal import Principal
from schemas import resources
from schemas.errors import Refused
from tests.unit.people.world import CHEAP, PASSWORD, World, a_world

HOME = "192.0.2.1"


async def sign_up(world: World, **changes: Any) -> Any:
    given: dict[str, Any] = {
        "display_name": "Ann",
        "email": "ann@example.com",
        "password": PASSWORD,
        "address": HOME,
        **changes,
    }
    return await world.people.signup(**given)


# -- the first account ---------------------------------------------------------------------------------------


async def test_the_first_account_takes_the_code_and_becomes_administrator(world: World) -> None:
    code = world.people.first_run_code()
    assert code is not None
    with pytest.raises(Refused) as missing:
        await sign_up(world)
    assert (missing.value.code, missing.value.field) == ("bad_request", "code")
    with pytest.raises(Refused) as wrong:
        await sign_up(world, code="aaaaa-bbbbb-ccccc", loopback=True)
    assert wrong.value.d == {"reason": "unknown"}
    signed_in = await sign_up(world, code=f" {code.upper().replace('-', ' ')} ")
    assert signed_in.principal.instance_roles == {"admin"}
    assert world.people.first_run_code() is None


async def test_the_code_is_the_same_after_a_restart_and_gone_after_use(world: World) -> None:
    code = world.people.first_run_code()
    async with a_world(store=world.store) as again:
        assert again.people.first_run_code() == code
        await sign_up(again, code=code)
    async with a_world(store=world.store) as used:
        assert used.people.first_run_code() is None
        with pytest.raises(Refused) as late:
            await sign_up(used, code=code, email="b@example.com")
        assert late.value.field == "code"


async def test_from_loopback_in_development_no_code_is_needed_once(world: World) -> None:
    both = await asyncio.gather(
        sign_up(world, loopback=True), sign_up(world, email="bob@example.com", loopback=True)
    )
    assert sorted(len(signed_in.principal.instance_roles) for signed_in in both) == [0, 1]


async def test_guessing_the_code_is_throttled(world: World) -> None:
    for _ in range(20):
        with pytest.raises(Refused, match="code"):
            await sign_up(world, code="guess")
    with pytest.raises(Refused) as refusal:
        await sign_up(world, code=world.people.first_run_code())
    assert refusal.value.code == "rate_limited"
    await sign_up(world, code=world.people.first_run_code(), address="198.51.100.1")


# -- signing up ----------------------------------------------------------------------------------------------


async def test_a_name_is_derived_from_the_display_name(world: World) -> None:
    first = await sign_up(world, display_name="Ánn Müller", loopback=True)
    assert (first.user.name, first.user.display_name) == ("ann_muller", "Ánn Müller")
    second = await sign_up(world, display_name="Ann Muller", email="b@example.com")
    assert second.user.name.startswith("ann_muller_")
    third = await sign_up(world, display_name="日本", email="c@example.com")
    assert third.user.name == "user"
    assert (await world.people.authenticate(third.token)).id == third.principal.id


@pytest.mark.parametrize(
    ("field", "changes", "reason"),
    [
        ("name", {"name": "Ann"}, "form"),
        ("name", {"name": "an"}, "form"),
        ("name", {"name": "a" * 26}, "form"),
        ("name", {"name": "admin"}, "reserved"),
        ("displayName", {"display_name": "  "}, "too_short"),
        ("displayName", {"display_name": "\u3164"}, "invisible"),
        ("displayName", {"display_name": "\u200d\u200c"}, "invisible"),
        ("displayName", {"display_name": "\u2065\ufe0f\u034f"}, "invisible"),
        ("displayName", {"display_name": "\u0301\u0301"}, "invisible"),
        ("displayName", {"display_name": "a" * 41}, "too_long"),
        ("displayName", {"display_name": "😀" * 10_000}, "too_long"),
        ("displayName", {"display_name": "Ann\u202e"}, "characters"),
        ("displayName", {"display_name": "Ann\x00"}, "characters"),
        ("email", {"email": "ann"}, "form"),
        ("email", {"email": "ann@"}, "form"),
        ("email", {"email": "a b@example.com"}, "form"),
        ("email", {"email": "a@b@example.com"}, "form"),
        ("email", {"email": "a@example..com"}, "form"),
        ("email", {"email": "a" * 250 + "@b.com"}, "form"),
        ("password", {"password": "short"}, "too_short"),
        ("password", {"password": "x" * 201}, "too_long"),
        ("password", {"password": "\ud800" * 8}, "characters"),
        ("code", {"code": "never-made"}, "unknown"),
    ],
)
async def test_faults_name_the_field_and_the_reason(
    world: World, field: str, changes: dict[str, str], reason: str
) -> None:
    await world.sign_up()
    with pytest.raises(Refused) as refusal:
        await sign_up(world, **changes)
    assert (refusal.value.code, refusal.value.field) == ("bad_request", field)
    assert refusal.value.d == {"reason": reason}
    assert refusal.value.message.endswith(".") or refusal.value.message.endswith("`.")


async def test_taken_names_and_emails_are_conflicts(world: World) -> None:
    await world.sign_up("river")
    for field, changes in (("name", {"name": "river"}), ("email", {"email": "RIVER@example.com"})):
        with pytest.raises(Refused) as refusal:
            await sign_up(world, **changes)
        assert (refusal.value.code, refusal.value.field) == ("conflict", field)


async def test_new_accounts_are_limited_per_address(world: World) -> None:
    await world.sign_up()
    for number in range(49):
        await sign_up(world, email=f"a{number}@example.com")
    with pytest.raises(Refused) as refusal:
        await sign_up(world, email="one@example.com")
    assert refusal.value.code == "rate_limited"
    assert refusal.value.d["bucket"] == "auth"
    await sign_up(world, email="one@example.com", address="198.51.100.7")


async def test_by_invitation_only() -> None:
    async with a_world(PeopleConfig(signup="invite", password_cost=CHEAP)) as world:
        await world.sign_up()
        with pytest.raises(Refused) as refusal:
            await sign_up(world)
        assert (refusal.value.field, refusal.value.d) == ("code", {"reason": "missing"})


# -- invitations ---------------------------------------------------------------------------------------------


async def invite(world: World, admin: Principal) -> tuple[resources.User, str]:
    wanted = resources.UserCreate(display_name="Eve", email="eve@example.com", roles=["creator"])
    made = await world.people.create_user(admin, wanted)
    url = made.invite_url
    assert isinstance(url, str)
    return made, url.removeprefix("/signup#invite=")


async def test_an_invited_user_sets_his_password_once(world: World) -> None:
    admin, _ = await world.two()
    made, code = await invite(world, admin)
    taken_up = await sign_up(
        world, display_name="Robert", email="robert@example.com", name="robert", code=code
    )
    assert taken_up.principal.id == made.id
    assert taken_up.principal.instance_roles == {"creator"}
    assert (taken_up.user.name, taken_up.user.email) == ("robert", "robert@example.com")
    with pytest.raises(Refused) as again:
        await sign_up(world, code=code)
    assert again.value.field == "code"
    assert (await world.people.login("robert", PASSWORD, address=HOME)).principal.id == made.id


async def test_an_invitation_expires(world: World) -> None:
    admin, _ = await world.two()
    _, code = await invite(world, admin)
    world.clock.pass_ms(7 * 24 * 3_600_000)
    with pytest.raises(Refused) as refusal:
        await sign_up(world, code=code)
    assert refusal.value.field == "code"


async def test_an_invited_user_can_not_log_in_before(world: World) -> None:
    admin, _ = await world.two()
    await invite(world, admin)
    with pytest.raises(Refused) as refusal:
        await world.people.login("eve@example.com", "", address=HOME)
    assert refusal.value.code == "unauthenticated"


async def test_a_user_made_with_a_password_needs_no_invitation(world: World) -> None:
    admin, _ = await world.two()
    wanted = resources.UserCreate(display_name="Eve", email="eve@example.com", password=PASSWORD)
    made = await world.people.create_user(admin, wanted)
    assert made.invite_url is UNSET
    assert (await world.people.login("eve@example.com", PASSWORD, address=HOME)).principal.id == made.id


async def test_only_administrators_make_and_list_users(world: World) -> None:
    admin, bob = await world.two()
    with pytest.raises(Refused) as refusal:
        await world.people.create_user(bob, resources.UserCreate(display_name="X", email="x@example.com"))
    assert refusal.value.code == "forbidden"
    with pytest.raises(Refused):
        await world.people.list_users(bob, resources.UserQuery())
    page = await world.people.list_users(admin, resources.UserQuery(limit=1))
    assert [user.name for user in page.items] == ["bob"]
    rest = await world.people.list_users(admin, resources.UserQuery(limit=1, cursor=page.next))
    assert ([user.name for user in rest.items], rest.next) == (["river"], None)
    found = await world.people.list_users(admin, resources.UserQuery(q="RIVER"))
    assert [user.email for user in found.items] == ["river@example.com"]


# -- seeing and changing users -------------------------------------------------------------------------------


async def test_email_and_roles_are_for_oneself_and_administrators(world: World) -> None:
    admin, bob = await world.two()
    assert (await world.people.get_user("@bob", None)).email is UNSET
    assert (await world.people.get_user(admin.id, bob)).roles is UNSET
    assert (await world.people.get_user("@BOB", bob)).email == "bob@example.com"
    assert (await world.people.get_user(bob.id, admin)).roles == []
    for nobody in ("@nobody", "u_0", "@", "", "@" + "x" * 500, "@\ud800", "\ud800", "\x00"):
        with pytest.raises(Refused) as refusal:
            await world.people.get_user(nobody, admin)
        assert refusal.value.code == "not_found"


async def test_a_user_changes_his_display_name_and_others_hear_of_it(world: World) -> None:
    _, bob = await world.two()
    token = (await world.people.login("bob", PASSWORD, address=HOME)).token
    assert (await world.people.authenticate(token)).display_name == "Bob"
    changed = await world.people.patch_user(bob, bob.id, {"display_name": "Bobby"}, address=HOME)
    assert changed.display_name == "Bobby"
    assert [name.display_name for name in world.renamed] == ["Bobby"]
    assert (await world.people.authenticate(token)).display_name == "Bobby"
    assert (await world.people.names([bob.id]))[bob.id].display_name == "Bobby"


async def test_a_new_password_needs_the_old_one_and_ends_other_sessions(world: World) -> None:
    _, bob = await world.two()
    other = await world.people.login("bob", PASSWORD, address=HOME)
    await world.people.authenticate(other.token)
    for wrong in ({}, {"current_password": "wrong"}):
        with pytest.raises(Refused) as refusal:
            await world.people.patch_user(bob, bob.id, {"password": "new password", **wrong}, address=HOME)
        assert refusal.value.field == "currentPassword"
    change = {"password": "new password", "current_password": PASSWORD}
    await world.people.patch_user(bob, bob.id, change, address=HOME)
    with pytest.raises(Refused):
        await world.people.authenticate(other.token)
    assert [(gone.credential, gone.close) for gone in world.revoked] == [(other.principal.credential, 4006)]
    assert [entry.id for entry in (await world.people.list_sessions(bob)).items] == [bob.credential]
    with pytest.raises(Refused):
        await world.people.login("bob", PASSWORD, address=HOME)
    await world.people.login("bob", "new password", address=HOME)


async def test_an_administrator_sets_a_password_without_knowing_the_old_one(world: World) -> None:
    admin, bob = await world.two()
    await world.people.patch_user(admin, bob.id, {"password": "new password"}, address=HOME)
    assert [gone.credential for gone in world.revoked] == [bob.credential]
    await world.people.login("bob", "new password", address=HOME)


async def test_roles_are_given_by_administrators_and_take_effect_at_once(world: World) -> None:
    admin, bob = await world.two()
    token = (await world.people.login("bob", PASSWORD, address=HOME)).token
    await world.people.authenticate(token)
    with pytest.raises(Refused) as refusal:
        await world.people.patch_user(bob, bob.id, {"roles": ["admin"]}, address=HOME)
    assert refusal.value.code == "forbidden"
    await world.people.patch_user(admin, "@bob", {"roles": ["admin", "creator"]}, address=HOME)
    assert (await world.people.authenticate(token)).instance_roles == {"admin", "creator"}
    assert [(gone.user, gone.credential, gone.close) for gone in world.revoked] == [(bob.id, None, 4006)]
    await world.people.patch_user(admin, admin.id, {"roles": []}, address=HOME)
    with pytest.raises(Refused) as last:
        await world.people.patch_user(
            await world.people.authenticate(token), "@bob", {"roles": []}, address=HOME
        )
    assert last.value.code == "conflict"


async def test_others_are_not_changed(world: World) -> None:
    admin, bob = await world.two()
    for attempt in (
        world.people.patch_user(bob, admin.id, {"display_name": "X"}, address=HOME),
        world.people.delete_user(bob, admin.id),
    ):
        with pytest.raises(Refused) as refusal:
            await attempt
        assert refusal.value.code == "forbidden"
    with pytest.raises(Refused) as taken:
        await world.people.patch_user(bob, bob.id, {"email": "river@example.com"}, address=HOME)
    assert (taken.value.code, taken.value.field) == ("conflict", "email")


# -- deletion ------------------------------------------------------------------------------------------------


async def test_who_owns_channels_is_not_deleted(world: World) -> None:
    _, bob = await world.two()

    async def owns(user: str) -> bool:
        return user == bob.id

    world.people.owns_channels = owns
    with pytest.raises(Refused) as refusal:
        await world.people.delete_user(bob, bob.id)
    assert refusal.value.code == "conflict"


async def test_a_deleted_user_is_gone_everywhere(world: World) -> None:
    admin, bob = await world.two()
    token = (await world.people.login("bob", PASSWORD, address=HOME)).token
    await world.people.authenticate(token)
    forgotten: list[tuple[str, str]] = []

    async def forget(user: str, how: str) -> None:
        forgotten.append((user, how))

    world.people.forget_messages = forget
    await world.people.delete_user(bob, bob.id, "erase")
    assert forgotten == [(bob.id, "erase")]
    assert [(gone.user, gone.close) for gone in world.revoked] == [(bob.id, 4006)]
    assert [name.display_name for name in world.renamed] == ["Deleted user"]
    with pytest.raises(Refused):
        await world.people.authenticate(token)
    with pytest.raises(Refused):
        await world.people.login("bob", PASSWORD, address=HOME)
    with pytest.raises(Refused):
        await world.people.get_user(bob.id, admin)
    with pytest.raises(Refused) as last:
        await world.people.delete_user(admin, admin.id)
    assert last.value.code == "conflict"


async def test_an_account_changes_its_name_ten_times_a_minute_at_most(world: World) -> None:
    await world.sign_up()  # the administrator, who may
    bob = (await world.sign_up("bob")).principal
    for number in range(10):
        await world.people.patch_user(bob, bob.id, {"display_name": f"Bob {number}"}, address=HOME)
    await world.people.patch_user(bob, bob.id, {"display_name": "Bob 9"}, address=HOME)
    with pytest.raises(Refused) as refusal:
        await world.people.patch_user(bob, bob.id, {"display_name": "Bob"}, address=HOME)
    assert (refusal.value.code, refusal.value.after_ms) == ("rate_limited", 6_000)
