"""Protocol 1: the upgrade, frames and their limits, and that no credential travels in a URL."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

from tests.conformance.world import World
from tests.support.client import Client
from tests.support.frames import JSON
from tests.support.waiting import eventually


async def test_the_subprotocol_is_echoed_when_offered(world: World) -> None:
    client = await world.open(subprotocols=["cascade.v1.json"])
    assert client.socket.subprotocol == "cascade.v1.json"


async def test_among_other_subprotocols_ours_is_chosen(world: World) -> None:
    client = await world.open(subprotocols=["example.v9", "cascade.v1.json"])
    assert client.socket.subprotocol == "cascade.v1.json"


async def test_without_a_subprotocol_version_1_is_spoken(world: World) -> None:
    client = await world.open(subprotocols=None)
    assert client.socket.subprotocol is None
    assert client.of("hello")[0]["d"]["v"] == 1


async def test_permessage_deflate_is_not_negotiated(world: World) -> None:
    client = await world.open(compression="deflate")
    response = client.socket.response
    assert response is not None
    assert "sec-websocket-extensions" not in response.headers


async def test_a_frame_of_exactly_the_limit_is_taken(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    reply = await client.reply_to(padded(client.next_id(), room.id, 8192))
    assert reply["ok"], reply


async def test_a_frame_over_the_limit_gets_too_large_with_max_and_have(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    number = client.next_id()
    err = (await client.raw_error(json.dumps(padded(number, room.id, 8193)), number))["err"]
    assert err["code"] == "too_large"
    assert err["d"] == {"max": 8192, "have": 8193}


async def test_auth_may_be_up_to_64_kib(world: World) -> None:
    client = await world.open()
    frame = {"id": 1, "t": "auth", "d": {"later": "x" * 60_000}}
    assert (await client.reply_to(frame))["ok"]


@pytest.mark.parametrize("size", [64 * 1024 + 1, 1_000_000])
async def test_over_64_kib_the_websocket_layer_closes_with_1009(world: World, size: int) -> None:
    client = await world.enter("ann")
    await client.send("x" * size)
    await client.closed(1009)


@pytest.mark.parametrize(
    "text",
    ["", " ", "nonsense", "[]", "17", "null", '"auth"', "{", '{"id":1,}', "{'id':1}", "[" * 4000, "\x00"],
)
async def test_a_frame_that_is_no_object_gets_bad_frame_with_re_null(world: World, text: str) -> None:
    client = await world.enter("ann")
    reply = await client.raw_error(text)
    assert reply["err"]["code"] == "bad_frame"
    assert reply["re"] is None


@pytest.mark.parametrize("levels", [100, 1500, 10_000])
async def test_deep_nesting_is_an_error_and_no_crash(world: World, levels: int) -> None:
    client = await world.enter("ann")
    reply = await client.raw_error('{"id":7,"t":"room.state","ch":"c_1","d":' + '{"a":' * levels, 7)
    assert reply["err"]["code"] in {"bad_frame", "too_large"}


async def test_a_whole_object_nested_deeper_than_allowed_is_an_error(world: World) -> None:
    client = await world.enter("ann")
    deep = "[" * 3000 + "]" * 3000
    reply = await client.raw_error(f'{{"id":7,"t":"room.state","ch":"c_1","d":{{"a":{deep}}}}}', 7)
    assert reply["err"]["code"] in {"bad_frame", "bad_request"}


async def test_more_than_5_bad_frames_in_60_s_close_with_4501(world: World) -> None:
    client = await world.enter("ann")
    for _ in range(5):
        await client.send("nonsense")
    await client.settled()
    assert len([frame for frame in client.frames if frame.get("re", 0) is None]) == 5
    await client.send("nonsense")
    assert (await client.closed(4501))["close"] == 4501


async def test_refused_but_readable_frames_do_not_count_towards_4501(world: World) -> None:
    client = await world.enter("ann")
    for _ in range(20):
        await client.refused("unknown_command", "no.such")


async def test_a_binary_frame_closes_with_4501(world: World) -> None:
    client = await world.enter("ann")
    await client.send(b'{"id":1,"t":"pong"}')
    await client.closed(4501)


async def test_a_message_in_fragments_is_one_frame(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    text = f'{{"id":71,"t":"room.state","ch":"{room.id}","d":{{}}}}'
    client.expect(71)
    await client.socket.send([text[:10], text[10:20], text[20:]])

    async def answered() -> list[JSON]:
        return [frame for frame in client.frames if frame.get("re") == 71]

    assert [frame["ok"] for frame in await eventually(answered, "the reply")] == [True]


async def test_fragments_that_add_up_to_over_64_kib_close_with_1009(world: World) -> None:
    client = await world.enter("ann")
    await client.socket.send(["x" * 1000] * 70)
    await client.closed(1009)


async def test_a_ping_of_the_websocket_layer_is_answered(world: World) -> None:
    client = await world.enter("ann")
    async with asyncio.timeout(10):
        await (await client.socket.ping())


@pytest.mark.parametrize("data", [b"\xff\xfe", b'{"id":1,"t":"pong","x":"\xc0\x80"}', b"\xed\xa0\x80"])
async def test_text_that_is_not_utf8_is_an_error_or_closes_with_1007(world: World, data: bytes) -> None:
    client = await world.enter("ann")
    await client.socket.send(data, text=True)

    async def answered() -> bool:
        return client.close_code is not None or client.frames[-1].get("ok") is False

    await eventually(answered, "an answer to text that is no text")
    assert client.close_code in {1007, None}
    assert client.close_code or client.frames[-1]["err"]["code"] == "bad_frame"


async def test_each_of_200_commands_at_once_is_answered_or_too_many_in_flight(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    pending = [await client.start("msg.send", {"text": f"line {i}"}, room.id) for i in range(200)]
    replies = [await future for future in pending]
    refused = {reply["err"]["code"] for reply in replies if not reply["ok"]}
    assert refused <= {"too_many_in_flight"}
    assert sum(reply["ok"] for reply in replies) >= 64


async def test_100_channels_can_be_joined_and_not_101(world: World) -> None:
    client = await world.enter("ann")
    rooms = [world.room() for _ in range(101)]
    for room in rooms[:100]:
        await client.join(room.id)
    reply = await client.reply("room.join", {}, rooms[100].id)
    assert not reply["ok"], "100 joined channels are the limit"
    await client.ask("room.leave", {}, rooms[0].id)
    await client.join(rooms[100].id)


async def test_a_token_in_the_url_is_no_credential(world: World) -> None:
    token = world.person("ann").token
    client = await Client.connect(f"{world.url}/ws?token={token}&access_token={token}")
    world.clients.append(client)
    assert (await client.auth())["user"] is None


async def test_the_session_cookie_authenticates_a_browser_of_this_host(world: World) -> None:
    ann = world.person("ann")
    client = await world.open(origin=world.url, headers={"Cookie": ann.cookie})
    assert (await client.auth())["user"]["id"] == ann.id


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_or_missing_origin_makes_the_cookie_ignored_not_the_socket_refused(
    world: World, origin: str | None
) -> None:
    client = await world.open(origin=origin, headers={"Cookie": world.person("ann").cookie})
    assert (await client.auth())["user"] is None


async def test_a_token_works_from_a_foreign_origin(world: World) -> None:
    ann = world.person("ann")
    client = await world.open(origin="https://bot.example")
    assert (await client.auth(token=ann.token))["user"]["id"] == ann.id


async def test_many_events_are_each_a_frame_of_their_own(world: World) -> None:
    room = world.room()
    ann, bob = await world.enter("ann", room), await world.enter("bob", room)
    mids = [(await future)["d"]["mid"] for future in [
        await ann.start("msg.send", {"text": f"n {i}"}, room.id) for i in range(50)
    ]]  # fmt: skip
    await bob.message(mids[-1])
    assert [event["d"]["mid"] for event in bob.of("msg.new")] == mids


async def test_a_plain_get_of_the_socket_is_no_crash(world: World) -> None:
    response = world.admin.raw("GET", "/ws")
    assert 400 <= response.status_code < 500


async def test_another_path_does_not_upgrade(world: World) -> None:
    with pytest.raises(Exception, match=r"40\d|rejected"):
        await connect(world.url.replace("http", "ws", 1) + "/wss", proxy=None)


def padded(number: int, ch: str, size: int) -> JSON:
    """A room.state frame that is `size` bytes long when encoded, by a member that receivers ignore."""
    frame: JSON = {"id": number, "t": "room.state", "ch": ch, "d": {}, "pad": ""}
    frame["pad"] = "x" * (size - len(json.dumps(frame)))
    return frame
