"""Protocol 4: hello, auth in its four forms, what a refused auth leaves open, pings, the end of a session."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.conformance.patience import Patience
from tests.conformance.world import World
from tests.support.frames import JSON
from tests.support.rest import Person, RestRefused
from tests.support.waiting import eventually

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


async def test_a_guest_gets_an_identity_and_its_token_once(world: World) -> None:
    client, name = await world.open(), world.guest_name()
    d = await client.auth(guest={"name": name})
    assert d["user"]["id"].startswith("g_")
    assert d["user"]["kind"] == "guest"
    assert d["user"]["displayName"] == name
    assert d["user"]["roles"] == ["guest"]
    assert d["expiresAt"] > 0
    again = await world.open()
    second = await again.auth(guest={"name": name, "token": d["guestToken"]})
    assert second["user"] == d["user"], "with a valid token the same identity goes on"
    assert "guestToken" not in second


async def test_an_unknown_guest_token_gives_a_new_identity_and_token(world: World) -> None:
    client = await world.open()
    d = await client.auth(guest={"name": world.guest_name(), "token": "cgt_unknown"})
    assert d["user"]["id"].startswith("g_")
    assert d["guestToken"] != "cgt_unknown"


async def test_another_name_with_a_valid_token_renames_the_guest(world: World) -> None:
    first = await world.guest()
    token, new = first.session["guestToken"], world.guest_name()
    d = await (await world.open()).auth(guest={"name": new, "token": token})
    assert d["user"]["id"] == first.session["user"]["id"]
    assert d["user"]["displayName"] == new


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "x" * 26,
        "a\u0000b",
        "a\nb",
        "a\u202eb",
        "a\u200bb",
        "a\u00adb",
        "\U0001f600" * 10_000,
        " ",
        5,
        None,
    ],
)
async def test_a_bad_guest_name_is_bad_request_and_leaves_the_socket_open(world: World, name: Any) -> None:
    client = await world.open()
    err = await client.refused("bad_request", "auth", {"guest": {"name": name}})
    assert err["field"] == "d.guest.name"
    assert (await client.auth(guest={"name": world.guest_name()}))["user"]["kind"] == "guest"


@pytest.mark.parametrize("length", [2, 25])
async def test_a_guest_name_has_2_to_25_code_points(world: World, length: int) -> None:
    alphabet = "\U00010400\U00010401\U00010402\U00010403"
    name = "".join(alphabet[(ord(c) + i) % 4] for i, c in enumerate((world.guest_name() * 9)[:length]))
    d = await (await world.open()).auth(guest={"name": name})
    assert d["user"]["displayName"].startswith(name)


@pytest.mark.parametrize("disguise", ["upper case", "full width", "look-alike"])
async def test_a_guest_name_that_reads_like_a_registered_one_gets_digits(world: World, disguise: str) -> None:
    name = world.person("ann").name
    shown = {
        "upper case": name.upper(),
        "full width": "".join(chr(ord(c) + 0xFEE0) if c != "_" else c for c in name),
        "look-alike": name.replace("a", "а", 1),
    }[disguise]
    d = await (await world.open()).auth(guest={"name": shown})
    assert re.search(r"-\d{2,4}$", d["user"]["name"]), d["user"]


async def test_a_guest_name_that_another_guest_bears_gets_digits(world: World) -> None:
    name = world.guest_name()
    first = await world.guest(name=name)
    second = await world.guest(name=name.upper())
    assert first.session["user"]["displayName"] == name
    assert re.search(r"-\d{2,4}$", second.session["user"]["name"])


async def test_at_most_one_of_token_and_guest(world: World) -> None:
    client = await world.open()
    await client.refused("bad_request", "auth", {"token": "cs_x", "guest": {"name": world.guest_name()}})


@pytest.mark.parametrize("token", ["cs_unknown", "ct_unknown", "x", "cgt_x", "cs_\u00e9"])
async def test_a_bad_token_is_unauthenticated_then_bye_then_4500(world: World, token: str) -> None:
    client = await world.open()
    await client.refused("unauthenticated", "auth", {"token": token})
    bye = await client.closed(4500)
    assert bye["retry"] == "never"


async def test_an_expired_token_is_token_expired_then_4005(world: World) -> None:
    ann, room = world.person("ann"), world.room()
    soon = await eventually(lambda: make_token(world, ann.token, room.id, lives_ms=1500), "a token")
    client = await world.open()
    await client.auth(token=soon)
    assert (await client.closed(4005))["retry"] == "reconnect"
    late = await world.open()
    await late.refused("token_expired", "auth", {"token": soon})
    await late.closed(4005)


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
