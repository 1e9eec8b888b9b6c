"""Protocol 4: hello, auth, anonymous readers, a second auth, what one wants, pings and pongs."""

import pytest

from tests.conformance.patience import Patience
from tests.conformance.world import World
from tests.support.frames import JSON

READER = ("room.state", "room.who", "history")


async def test_hello_comes_first_and_says_the_version_the_deadlines_and_the_limits(world: World) -> None:
    client = await world.open()
    assert client.frames[0]["t"] == "hello"
    d = client.frames[0]["d"]
    assert d["v"] == 1
    assert d["server"].startswith("cascade/")
    assert (d["pingMs"], d["pongMs"], d["authMs"]) == (25000, 8000, 10000)
    assert d["limits"] == {"frame": 8192, "inFlight": 64, "channels": 100, "text": 500, "history": 200}


async def test_before_auth_a_command_is_unauthenticated_and_the_socket_stays(world: World) -> None:
    client, room = await world.open(), world.room()
    await client.refused("unauthenticated", "room.join", {}, room.id)
    await client.auth()
    await client.join(room.id)


async def test_a_session_token_authenticates_a_user(world: World) -> None:
    ann, client = world.person("ann"), await world.open()
    d = await client.auth(token=ann.token, client={"name": "web", "ver": "1.0"})
    assert d["session"].startswith("x_")
    user = d["user"]
    assert (user["id"], user["name"], user["displayName"]) == (ann.id, ann.name, ann.display_name)
    assert user["kind"] == "user"
    assert isinstance(d["expiresAt"], int)
    assert d["me"]["pos"][1] >= 0
    assert d["resumed"] == []
    assert "guestToken" not in d


async def test_nothing_authenticates_an_anonymous_reader(world: World) -> None:
    d = await (await world.open()).auth()
    assert (d["user"], d["expiresAt"], d["me"], d["resumed"]) == (None, None, None, [])


async def test_an_anonymous_reader_may_join_leave_and_read(world: World) -> None:
    room = world.room()
    ann, client = await world.enter("ann", room), await world.enter(None)
    await client.join(room.id)
    for t in READER:
        await client.ask(t, {}, room.id)
    sent = await ann.say(room.id, "for all eyes")
    assert (await client.message(sent["mid"]))["d"]["text"] == "for all eyes"
    await client.ask("room.leave", {}, room.id)


@pytest.mark.parametrize(
    ("t", "d"),
    [
        ("msg.send", {"text": "hi"}), ("msg.delete", {"mid": "m_1"}), ("msg.check", {"text": "hi"}),
        ("mode.set", {"name": "slow", "value": 1}), ("role.grant", {"user": "u_1", "role": "vip"}),
        ("mod.delete", {"mids": ["m_1"]}),
    ],
)  # fmt: skip
async def test_an_anonymous_reader_may_do_nothing_else(world: World, t: str, d: JSON) -> None:
    client, room = await world.enter(None), world.room()
    await client.refused({"unauthenticated", "forbidden"}, t, d, room.id)


async def test_anonymous_reading_is_the_channels_to_forbid(world: World) -> None:
    room = world.room(policy={"anonymousRead": False})
    client, ann = await world.enter(None), await world.enter("ann")
    for t in ("room.join", *READER):
        await client.refused({"unauthenticated", "forbidden"}, t, {}, room.id)
    await ann.join(room.id)


async def test_at_most_one_of_token_and_guest(world: World) -> None:
    client = await world.open()
    await client.refused("bad_request", "auth", {"token": "cs_x", "guest": {"name": world.guest_name()}})


@pytest.mark.parametrize("token", ["cs_unknown", "ct_unknown", "x", "cgt_x", "cs_\u00e9"])
async def test_a_bad_token_is_unauthenticated_then_bye_then_4500(world: World, token: str) -> None:
    client = await world.open()
    await client.refused("unauthenticated", "auth", {"token": token})
    bye = await client.closed(4500)
    assert bye["retry"] == "never"


async def test_a_dead_cookie_gives_an_anonymous_reader(world: World) -> None:
    client = await world.open(origin=world.url, headers={"Cookie": "cascade=cs_dead"})
    assert (await client.auth())["user"] is None


async def test_a_second_auth_is_already(world: World) -> None:
    client = await world.enter("ann")
    await client.refused("already", "auth", {"token": world.person("bob").token})
    await client.refused("already", "auth", {"guest": {"name": world.guest_name()}})


async def test_a_second_auth_that_proves_the_same_user_prolongs(world: World) -> None:
    ann = world.person("ann")
    client = await world.enter(ann)
    d = await client.auth(token=ann.token)
    assert d["user"]["id"] == ann.id


async def test_an_anonymous_connection_may_become_a_guest_and_keeps_its_rooms(world: World) -> None:
    room = world.room()
    client = await world.enter(None, room)
    d = await client.auth(guest={"name": world.guest_name()})
    assert d["user"]["kind"] == "guest"
    snapshot = await client.event("room.snapshot")
    assert snapshot["ch"] == room.id
    assert "msg.send" in snapshot["d"]["you"]["caps"]
    sent = await client.say(room.id, "now I write")
    await client.message(sent["mid"])


async def test_an_anonymous_connection_may_become_a_user_and_keeps_its_rooms(world: World) -> None:
    room = world.room()
    client = await world.enter(None, room)
    await client.auth(token=room.owner.token)
    snapshot = await client.event("room.snapshot")
    assert snapshot["d"]["you"]["role"] == "owner"
    assert snapshot["d"]["modPos"][1] >= 0
    await client.refused("already", "room.join", {}, room.id)


async def test_a_refused_second_auth_leaves_the_reader_as_he_was(world: World) -> None:
    room = world.room()
    client, ann = await world.enter(None, room), await world.enter("ann")
    await client.refused("bad_request", "auth", {"guest": {"name": "x"}})
    sent = await ann.say(room.id, "still for you")
    await client.message(sent["mid"])


async def test_want_chooses_among_streams_and_ephemerals(world: World) -> None:
    room, eve = world.room(), world.target.fresh_person("eve")
    client = await world.open()
    await client.auth(token=eve.token, want=[])
    await client.join(room.id)
    ann = await world.enter("ann", room)
    await ann.event("presence.count")
    sent = await ann.say(room.id, f"@{eve.name} psst")
    await client.message(sent["mid"])
    await ann.settled()
    assert {event["t"] for event in client.events} == {"hello", "msg.new"}


async def test_unknown_members_of_want_are_ignored(world: World) -> None:
    client = await world.open()
    await client.auth(want=["presence", "holograms"])


async def test_pong_has_no_reply(world: World) -> None:
    client = await world.enter("ann")
    for _ in range(3):
        await client.send('{"t":"pong"}')
    reply = await client.settled()
    assert [frame for frame in client.frames if "re" in frame][1:] == [reply]


async def test_a_socket_that_does_not_authenticate_in_10_s_is_closed_with_4502(patience: Patience) -> None:
    seen = patience.seen("never_authenticates")
    assert seen["close"] == 4502
    assert 8 <= seen["after"] <= 15


async def test_a_socket_that_answers_no_ping_is_closed_with_4002(patience: Patience) -> None:
    seen = patience.seen("answers_no_ping")
    assert seen["close"] == 4002
    assert len(seen["pings"]) == 1
    assert isinstance(seen["pings"][0]["d"]["now"], int)


async def test_any_inbound_traffic_counts_as_life(patience: Patience) -> None:
    assert patience.seen("is_alive_by_traffic") == {"open": True, "close": None}


async def test_a_quiet_room_sends_head(patience: Patience) -> None:
    seen = patience.seen("quiet_room")
    assert seen["head"]["ch"] == seen["ch"]
    assert seen["head"]["d"]["pos"] == seen["pos"]
