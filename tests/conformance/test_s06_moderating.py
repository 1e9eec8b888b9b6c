"""Protocol 6-8, what changes a room's messages: own and staff deletes, and slow mode."""

from typing import Any

import pytest

from tests.conformance.world import World, texts
from tests.support.frames import JSON
from tests.support.waiting import eventually

# Deleting


async def test_an_author_deletes_his_own_message(world: World) -> None:
    room = world.room()
    ann, bob = await world.enter("ann", room), await world.enter("bob", room)
    mid = (await ann.say(room.id, "oops"))["mid"]
    await ann.ask("msg.delete", {"mid": mid}, room.id)
    gone = await bob.event("msg.gone")
    assert (gone["d"]["mids"], gone["d"]["by"]) == ([mid], "author")


async def test_another_viewer_may_not_delete_it(world: World) -> None:
    room = world.room()
    ann, bob = await world.enter("ann"), await world.enter("bob")
    mid = (await ann.say(room.id, "mine"))["mid"]
    assert (await bob.refused("forbidden", "msg.delete", {"mid": mid}, room.id))["d"]["cap"] == "mod.delete"


async def test_staff_may_delete_it(world: World) -> None:
    room = world.room()
    ann, owner = await world.enter("ann", room), await world.enter(room.owner)
    mid = (await ann.say(room.id, "mine"))["mid"]
    await owner.ask("msg.delete", {"mid": mid}, room.id)
    assert (await ann.event("msg.gone"))["d"]["by"] == "staff"


async def test_deleting_twice_is_already_and_what_never_was_not_found(world: World) -> None:
    room, other = world.room(), world.room()
    ann = await world.enter("ann")
    mid = (await ann.say(room.id, "oops"))["mid"]
    await ann.refused("not_found", "msg.delete", {"mid": mid}, other.id)
    await ann.ask("msg.delete", {"mid": mid}, room.id)
    await ann.refused("already", "msg.delete", {"mid": mid}, room.id)
    await ann.refused("not_found", "msg.delete", {"mid": "m_nothing"}, room.id)


async def test_staff_delete_up_to_200_at_once_with_a_class_of_reason(world: World) -> None:
    room = world.room()
    ann, owner = await world.enter("ann", room), await world.enter(room.owner, room)
    mids = [(await ann.say(room.id, f"n {i}"))["mid"] for i in range(5)]
    done = await owner.ask("mod.delete", {"mids": mids[:4], "reason": "spam"}, room.id)
    assert done["action"].startswith("a_")
    gone = await ann.event("msg.gone")
    assert (gone["d"]["mids"], gone["d"]["by"], gone["d"].get("reason")) == (mids[:4], "staff", "spam")
    assert texts((await ann.history(room.id))["events"]) == ["n 4"]
    err = await owner.refused("bad_request", "mod.delete", {"mids": ["m_1"] * 201}, room.id)
    assert err["field"] == "d.mids"


async def test_mod_delete_needs_its_capability_and_a_higher_role(world: World) -> None:
    room, bob = world.room(), world.person("bob")
    ann, owner = await world.enter("ann"), await world.enter(room.owner)
    mid = (await ann.say(room.id, "x"))["mid"]
    assert (await ann.refused("forbidden", "mod.delete", {"mids": [mid]}, room.id))["d"][
        "cap"
    ] == "mod.delete"
    await world.grant(room, bob, "moderator")
    mody = await world.enter(bob)
    above = (await owner.say(room.id, "from above"))["mid"]
    err = await mody.refused("role_too_low", "mod.delete", {"mids": [above]}, room.id)
    assert err["d"]["targetRole"] == "owner"
    await mody.ask("mod.delete", {"mids": [mid]}, room.id)


# Slow mode


async def test_slow_mode_lets_one_through_and_says_when_the_next(world: World) -> None:
    room = world.room()
    ann, owner = await world.enter("ann", room), await world.enter(room.owner, room)
    done = await owner.ask("mode.set", {"name": "slow", "value": 30}, room.id)
    assert done["action"].startswith("a_")
    mode = await ann.event("room.mode")
    assert mode["d"] == {"name": "slow", "value": 30, "until": None, "by": "staff"}
    sent = await ann.say(room.id, "one")
    at = (await ann.message(sent["mid"]))["ts"]
    err = await ann.refused("slow_mode", "msg.send", {"text": "two"}, room.id)
    assert err["d"]["nextSendAt"] == at + 30_000
    assert 20_000 < err["afterMs"] <= 30_000
    state = await ann.ask("room.state", {}, room.id)
    assert state["state"]["modes"]["slow"] == {"value": 30, "until": None}
    assert state["you"]["nextSendAt"] == at + 30_000


async def test_staff_and_vips_are_exempt_from_slow_mode(world: World) -> None:
    room, bob = world.room(), world.person("bob")
    await world.grant(room, bob, "vip")
    owner, vip = await world.enter(room.owner), await world.enter(bob)
    await owner.ask("mode.set", {"name": "slow", "value": 60}, room.id)
    for client in (owner, vip, owner, vip):
        await client.say(room.id, "again")


async def test_slow_mode_is_exact_when_sends_race(world: World) -> None:
    room = world.room()
    owner = await world.enter(room.owner)
    await owner.ask("mode.set", {"name": "slow", "value": 60}, room.id)
    clients = [await world.enter("ann") for _ in range(3)]
    pending = [
        await client.start("msg.send", {"text": f"n {i}"}, room.id) for i in range(10) for client in clients
    ]
    replies = [await future for future in pending]
    assert sum(reply["ok"] for reply in replies) == 1
    assert {reply["err"]["code"] for reply in replies if not reply["ok"]} == {"slow_mode"}


async def test_after_the_wait_one_may_send_again(world: World) -> None:
    room = world.room()
    owner, ann = await world.enter(room.owner), await world.enter("ann")
    await owner.ask("mode.set", {"name": "slow", "value": 1}, room.id)
    first = await ann.say(room.id, "one")

    async def allowed() -> JSON | None:
        reply = await ann.reply("msg.send", {"text": "two"}, room.id)
        return reply["d"] if reply["ok"] else None

    second = await eventually(allowed, "slow mode of 1 s ends", deadline=5) or {}
    events = {event["d"]["mid"]: event for event in (await ann.history(room.id, kinds=["msg.new"]))["events"]}
    assert events[second["mid"]]["ts"] - events[first["mid"]]["ts"] >= 1000


async def test_slow_mode_can_be_switched_off_and_ends_by_itself(world: World) -> None:
    room = world.room()
    owner, ann = await world.enter(room.owner, room), await world.enter("ann", room)
    await owner.ask("mode.set", {"name": "slow", "value": 60}, room.id)
    await ann.say(room.id, "one")
    await owner.ask("mode.set", {"name": "slow", "value": 0}, room.id)
    await ann.say(room.id, "two")
    assert "slow" not in (await ann.ask("room.state", {}, room.id))["state"]["modes"]
    await owner.ask("mode.set", {"name": "slow", "value": 60, "seconds": 1}, room.id)
    mode = await ann.until(lambda e: e["t"] == "room.mode" and e["d"]["until"] is not None)
    assert abs(mode["d"]["until"] - mode["ts"] - 1000) <= 50

    async def allowed() -> bool:
        return (await ann.reply("msg.send", {"text": "three"}, room.id))["ok"]

    assert await eventually(allowed, "the mode ends by itself", deadline=6)


@pytest.mark.parametrize(
    ("name", "value"), [("slow", 3601), ("slow", -1), ("slow", "x"), ("slow", True), ("no", 1)]
)
async def test_a_mode_out_of_range_is_bad_request(world: World, name: str, value: Any) -> None:
    room = world.room()
    owner = await world.enter(room.owner)
    err = await owner.refused("bad_request", "mode.set", {"name": name, "value": value}, room.id)
    assert err["field"] == ("d.value" if name == "slow" else "d.name")


async def test_mode_set_needs_its_capability(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    err = await client.refused("forbidden", "mode.set", {"name": "slow", "value": 5}, room.id)
    assert err["d"]["cap"] == "mode.set"
