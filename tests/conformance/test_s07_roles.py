"""Protocol 7: roles and capabilities, granting and revoking, and what the mod stream does meanwhile."""

import pytest

from tests.conformance.world import World
from tests.support.waiting import eventually

CAPABILITIES = {
    "helper": {"mod.read", "queue.read", "case.hold"},
    "moderator": {
        "mod.delete",
        "mod.timeout",
        "mod.ban",
        "mode.set",
        "pin",
        "announce",
        "role.vip",
        "audit.read",
    },
    "lead": {"role.grant", "policy.edit"},
    "owner": {"channel.delete"},
}
LADDER = ("guest", "viewer", "member", "vip", "helper", "moderator", "lead", "owner")


@pytest.mark.parametrize("role", ["member", "vip", "helper", "moderator", "lead"])
async def test_a_role_has_the_capabilities_of_the_table(world: World, role: str) -> None:
    room, bob = world.room(), world.person("bob")
    await world.grant(room, bob, role)
    you = (await (await world.enter(bob)).join(room.id))["you"]
    assert you["role"] == role
    have, rank = set(you["caps"]), LADDER.index(role)
    for above, caps in CAPABILITIES.items():
        expected = caps if LADDER.index(above) <= rank else set[str]()
        assert have & caps == expected, f"{role} and the capabilities of {above}"
    assert ("exempt.slow" in have) == (rank >= LADDER.index("vip"))


async def test_grant_tells_the_room_and_the_user(world: World) -> None:
    room, eve = world.room(), world.target.fresh_person("eve")
    owner, ann, client = (
        await world.enter(room.owner),
        await world.enter("ann", room),
        await world.enter(eve, room),
    )
    done = await owner.ask("role.grant", {"user": eve.id, "role": "moderator"}, room.id)
    assert done["action"].startswith("a_")
    seen = (await ann.until(lambda e: e["t"] == "role.changed" and e["s"] == "room"))["d"]
    assert seen["role"] == "moderator"
    assert eve.id in {seen["user"], *(seen["user"].values() if isinstance(seen["user"], dict) else ())}
    own = (await client.until(lambda e: e["t"] == "role.changed" and e["s"] == "me"))["d"]
    assert (own["ch"], own["role"]) == (room.id, "moderator")
    assert "mod.read" in own["caps"]


async def test_who_gains_mod_read_gets_stream_open_and_who_loses_it_stream_closed(world: World) -> None:
    room, eve = world.room(), world.target.fresh_person("eve")
    owner, client = await world.enter(room.owner), await world.enter(eve, room)
    await owner.ask("role.grant", {"user": eve.id, "role": "moderator"}, room.id)
    opened = await client.event("stream.open")
    assert (opened["ch"], opened["s"]) == (room.id, "mod")
    await owner.ask("role.revoke", {"user": eve.id}, room.id)
    closed = await client.event("stream.closed")
    assert (closed["ch"], closed["s"]) == (room.id, "mod")
    assert (await client.ask("room.state", {}, room.id))["you"]["role"] == "viewer"


async def test_a_user_may_be_named_by_at_name(world: World) -> None:
    room, bob = world.room(), world.person("bob")
    owner = await world.enter(room.owner)
    await owner.ask("role.grant", {"user": f"@{bob.name}", "role": "vip"}, room.id)
    assert (await (await world.enter(bob)).join(room.id))["you"]["role"] == "vip"


@pytest.mark.parametrize("user", ["u_nobody", "@nobody_at_all", "c_1"])
async def test_an_unknown_user_is_not_found(world: World, user: str) -> None:
    room = world.room()
    owner = await world.enter(room.owner)
    await owner.refused({"not_found", "bad_request"}, "role.grant", {"user": user, "role": "vip"}, room.id)


@pytest.mark.parametrize("role", ["king", "", 5, None, "admin"])
async def test_an_unknown_role_is_bad_request(world: World, role: object) -> None:
    room, bob = world.room(), world.person("bob")
    owner = await world.enter(room.owner)
    err = await owner.refused("bad_request", "role.grant", {"user": bob.id, "role": role}, room.id)
    assert err["field"] == "d.role"


async def test_a_viewer_may_grant_nothing(world: World) -> None:
    room, bob = world.room(), world.person("bob")
    ann = await world.enter("ann")
    for role in ("vip", "moderator"):
        await ann.refused("forbidden", "role.grant", {"user": bob.id, "role": role}, room.id)
    await ann.refused("forbidden", "role.revoke", {"user": bob.id}, room.id)


async def test_a_moderator_may_grant_vip_and_nothing_higher(world: World) -> None:
    room, bob, ann = world.room(), world.person("bob"), world.person("ann")
    await world.grant(room, bob, "moderator")
    mody = await world.enter(bob)
    await mody.ask("role.grant", {"user": ann.id, "role": "vip"}, room.id)
    await mody.refused(
        {"forbidden", "role_too_low"}, "role.grant", {"user": ann.id, "role": "helper"}, room.id
    )


async def test_a_lead_grants_below_his_own_role_only(world: World) -> None:
    room, bob, ann = world.room(), world.person("bob"), world.person("ann")
    await world.grant(room, bob, "lead")
    lead = await world.enter(bob)
    await lead.ask("role.grant", {"user": ann.id, "role": "moderator"}, room.id)
    for role in ("lead", "owner"):
        await lead.refused({"forbidden", "role_too_low", "bad_request"}, "role.grant",
                           {"user": ann.id, "role": role}, room.id)  # fmt: skip


async def test_nobody_acts_on_an_equal_or_higher_role(world: World) -> None:
    room, bob, carl = world.room(), world.person("bob"), world.person("carl")
    await world.grant(room, bob, "lead")
    await world.grant(room, carl, "lead")
    lead = await world.enter(bob)
    for person, role in ((carl, "lead"), (room.owner, "owner")):
        err = await lead.refused("role_too_low", "role.revoke", {"user": person.id}, room.id)
        assert err["d"]["targetRole"] == role
        err = await lead.refused("role_too_low", "role.grant", {"user": person.id, "role": "vip"}, room.id)
        assert err["d"]["targetRole"] == role


async def test_an_instance_admin_has_no_channel_capability(world: World) -> None:
    room = world.room()
    admin = await world.open()
    await admin.auth(token=world.admin.token)
    you = (await admin.join(room.id))["you"]
    assert you["role"] == "viewer"
    await admin.refused("forbidden", "mode.set", {"name": "slow", "value": 5}, room.id)


async def test_a_role_with_seconds_ends_by_itself(world: World) -> None:
    room, bob = world.room(), world.person("bob")
    owner, client = await world.enter(room.owner), await world.enter(bob)
    await owner.ask("role.grant", {"user": bob.id, "role": "vip", "seconds": 1}, room.id)

    async def ended() -> bool:
        return (await client.ask("room.state", {}, room.id))["you"]["role"] == "viewer"

    assert await eventually(ended, "the role ends", deadline=6)


async def test_revoke_takes_the_rights_at_once(world: World) -> None:
    room, bob = world.room(), world.person("bob")
    await world.grant(room, bob, "moderator")
    owner, mody = await world.enter(room.owner), await world.enter(bob)
    await mody.ask("mode.set", {"name": "slow", "value": 5}, room.id)
    await owner.ask("role.revoke", {"user": bob.id}, room.id)
    await mody.refused("forbidden", "mode.set", {"name": "slow", "value": 6}, room.id)
