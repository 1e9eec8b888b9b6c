"""Protocol 4 and 14: tokens that expire, are revoked or are narrow; sessions that end."""

from dataclasses import replace

import pytest

from tests.conformance.world import World
from tests.support.frames import JSON
from tests.support.rest import Person, RestRefused
from tests.support.waiting import eventually


async def test_an_expired_token_is_token_expired_then_4005(world: World) -> None:
    ann, room = world.person("ann"), world.room()
    soon = await eventually(lambda: make_token(world, ann.token, room.id, lives_ms=1500), "a token")
    client = await world.open()
    await client.auth(token=soon)
    assert (await client.closed(4005))["retry"] == "reconnect"
    late = await world.open()
    await late.refused("token_expired", "auth", {"token": soon})
    await late.closed(4005)


async def test_ending_a_session_closes_its_sockets_with_4006(world: World) -> None:
    dan = world.target.fresh_person("dan")
    client = await world.enter(dan)
    other = await world.enter(replace(dan, token=_login(world, dan)))
    world.admin.call("DELETE", "/api/auth/session", token=dan.token)
    await client.closed(4006)
    await other.settled()


async def test_a_password_change_closes_the_other_sockets_with_4006(world: World) -> None:
    dan = world.target.fresh_person("dan")
    token = _login(world, dan)
    client = await world.open()
    await client.auth(token=dan.token)
    change = {"password": "a new long password", "currentPassword": dan.password}
    world.admin.call("PATCH", f"/api/users/{dan.id}", change, token=token)
    await client.closed(4006)
    with pytest.raises(RestRefused) as refused:
        world.admin.call("GET", "/api/auth/session", token=dan.token)
    assert refused.value.code == "unauthenticated"


async def test_revoking_a_token_closes_its_sockets_with_4505_within_5_s(world: World) -> None:
    ann, room = world.person("ann"), world.room()
    made = world.admin.call("POST", "/api/tokens", bot(room.id), token=ann.token)
    client = await world.open()
    await client.auth(token=made["token"])
    world.admin.call("DELETE", f"/api/tokens/{made['id']}", token=ann.token)
    assert (await client.closed(4505, deadline=5.0))["retry"] == "never"


async def test_a_bot_is_a_user_of_kind_bot_with_the_rights_of_its_scopes(world: World) -> None:
    room, elsewhere = world.room(owner="ann"), world.room(owner="ann")
    made = world.admin.call("POST", "/api/tokens", bot(room.id), token=room.owner.token)
    client = await world.open()
    d = await client.auth(token=made["token"])
    assert d["user"]["kind"] == "bot"
    sent = await client.say(room.id, "beep")
    await client.refused({"forbidden", "not_found"}, "msg.send", {"text": "beep"}, elsewhere.id)
    await client.refused("forbidden", "mod.delete", {"mids": [sent["mid"]]}, room.id)


async def test_an_overlay_token_reads_one_channel_and_writes_nothing(world: World) -> None:
    room, elsewhere = world.room(owner="ann"), world.room(owner="ann")
    body = {"kind": "overlay", "name": "obs", "channels": [room.id], "scopes": []}
    made = world.admin.call("POST", "/api/tokens", body, token=room.owner.token)
    client = await world.open()
    await client.auth(token=made["token"])
    await client.join(room.id)
    await client.refused("forbidden", "msg.send", {"text": "hi"}, room.id)
    await client.refused({"forbidden", "not_found"}, "room.join", {}, elsewhere.id)


async def make_token(world: World, token: str, ch: str, lives_ms: int) -> str:
    """A bot's token that expires soon, by the server's clock as `ping`'s `now` would show it."""
    session = world.admin.call("GET", "/api/auth/session", token=token)
    assert session["createdAt"] > 0
    client = await world.open()
    await client.auth(token=token)
    sent = await client.say(ch, "what time is it?")
    event = next(e for e in (await client.history(ch))["events"] if e["pos"] == sent["pos"])
    body = {**bot(ch), "expiresAt": event["ts"] + lives_ms}
    return world.admin.call("POST", "/api/tokens", body, token=token)["token"]


def bot(ch: str) -> JSON:
    """The body that makes a bot for one channel that may only talk."""
    return {"kind": "bot", "name": "beeper", "channels": [ch], "scopes": ["msg.send"]}


def _login(world: World, person: Person) -> str:
    return world.admin.login(person.name, person.password)["token"]
