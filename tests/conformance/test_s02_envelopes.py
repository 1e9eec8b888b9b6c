"""Protocol 2: commands, replies, events and errors in their envelopes, ids, order of replies."""

import json
from typing import Any

import pytest

from tests.conformance.world import World
from tests.support.frames import JSON
from tests.support.waiting import eventually

LAST = 2**53 - 1


async def test_a_reply_echoes_the_id(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    for number in (1, 17, LAST):
        reply = await client.reply_to({"id": number, "t": "room.state", "ch": room.id})
        assert (reply["re"], reply["ok"]) == (number, True)


@pytest.mark.parametrize(
    "number", ["0", "-1", str(LAST + 1), "1e400", "1.5", '"1"', "null", "true", "[]", "9" * 400]
)
async def test_an_id_that_is_no_integer_from_1_to_2_53_is_bad_id(world: World, number: str) -> None:
    client, room = await world.enter("ann"), world.room()
    text = f'{{"id":{number},"t":"room.state","ch":"{room.id}"}}'
    err = (await client.raw_error(text, 0, -1, LAST + 1))["err"]
    assert err["code"] in {"bad_id", "bad_frame"} if number in {"1e400", "9" * 400} else {"bad_id"}


async def test_a_missing_id_is_an_error_with_re_null(world: World) -> None:
    client = await world.enter("ann")
    reply = await client.raw_error('{"t":"room.state","ch":"c_1"}')
    assert reply["err"]["code"] in {"bad_id", "bad_frame"}
    assert reply["re"] is None


async def test_an_id_still_in_flight_is_bad_id_and_both_are_answered(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    frame = json.dumps({"id": 900, "t": "msg.send", "ch": room.id, "d": {"text": "twice"}})
    for _ in range(40):
        await client.send(frame, ids=[900])

    async def answered() -> list[JSON]:
        await client.settled()
        replies = [frame for frame in client.frames if frame.get("re") == 900]
        return replies if len(replies) >= 40 else []

    replies = await eventually(answered, "40 replies")
    assert len(replies) == 40
    assert {reply["err"]["code"] for reply in replies if not reply["ok"]} <= {"bad_id"}
    published = {reply["d"]["mid"] for reply in replies if reply["ok"]}
    assert 1 <= len(published) == len([reply for reply in replies if reply["ok"]])


async def test_an_id_may_be_used_again_after_its_reply(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    frame = {"id": 5, "t": "room.state", "ch": room.id}
    assert (await client.reply_to(frame))["ok"]
    assert (await client.reply_to(frame))["ok"]


async def test_a_missing_d_is_an_empty_object(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    assert (await client.reply_to({"id": 1, "t": "room.join", "ch": room.id}))["ok"]


@pytest.mark.parametrize("t", ["no.such", "", "msg.Send", "msg.send ", "hello", "msg.new", "x" * 500, "é"])
async def test_an_unknown_t_is_unknown_command(world: World, t: str) -> None:
    client = await world.enter("ann")
    await client.refused("unknown_command", t)


@pytest.mark.parametrize("t", ["null", "17", "[]", "{}", "true"])
async def test_a_t_that_is_no_string_is_an_error_with_its_id(world: World, t: str) -> None:
    client = await world.enter("ann")
    reply = await client.raw_error(f'{{"id":31,"t":{t}}}', 31)
    assert reply["re"] == 31
    assert reply["err"]["code"] in {"bad_frame", "unknown_command", "bad_request"}


async def test_unknown_members_are_ignored(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    frame = {"id": 1, "t": "msg.send", "ch": room.id, "d": {"text": "hi", "mood": [1]}, "trace": {"a": None}}
    assert (await client.reply_to(frame))["d"]["outcome"] == "published"


@pytest.mark.parametrize("d", ["null", "[]", '"text"', "5", "true"])
async def test_a_d_that_is_no_object_is_refused(world: World, d: str) -> None:
    client, room = await world.enter("ann"), world.room()
    reply = await client.raw_error(f'{{"id":81,"t":"msg.send","ch":"{room.id}","d":{d}}}', 81)
    assert reply["err"]["code"] in {"bad_request", "bad_frame"}


@pytest.mark.parametrize("text", [None, 5, ["hi"], {"a": 1}, True])
async def test_a_wrong_type_is_bad_request_and_names_the_field(world: World, text: object) -> None:
    client, room = await world.enter("ann"), world.room()
    err = await client.refused("bad_request", "msg.send", {"text": text}, room.id)
    assert err["field"] == "d.text"
    assert err["d"]["reason"]


async def test_a_missing_member_is_bad_request_and_names_the_field(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    assert (await client.refused("bad_request", "msg.send", {}, room.id))["field"] == "d.text"


async def test_a_missing_ch_is_bad_request_and_names_it(world: World) -> None:
    client = await world.enter("ann")
    assert (await client.refused("bad_request", "msg.send", {"text": "hi"}))["field"] == "ch"


@pytest.mark.parametrize("ch", ["5", "null", "[]", "{}"])
async def test_a_ch_that_is_no_string_is_refused(world: World, ch: str) -> None:
    client = await world.enter("ann")
    reply = await client.raw_error(f'{{"id":81,"t":"msg.send","ch":{ch},"d":{{"text":"hi"}}}}', 81)
    assert reply["err"]["code"] in {"bad_request", "bad_frame"}


@pytest.mark.parametrize("ch", ["c_nobody", "c_", "", "x" * 300, "u_1", "\u202e", "@nobody"])
async def test_an_unknown_channel_is_refused(world: World, ch: str) -> None:
    client = await world.enter("ann")
    await client.refused({"not_found", "bad_request"}, "room.state", {}, ch)


async def test_room_join_also_takes_a_slug(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    assert (await client.join(f"@{room.slug}"))["ch"] == room.id


async def test_commands_need_no_join(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    await client.say(room.id, "from outside")
    await client.ask("room.state", {}, room.id)
    await client.ask("room.who", {}, room.id)
    assert len((await client.history(room.id))["events"]) >= 1
    assert not client.of("msg.new"), "who has not joined gets no events"


async def test_room_leave_needs_a_join(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    await client.refused("not_joined", "room.leave", {}, room.id)


async def test_every_command_gets_exactly_one_reply(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    commands: list[tuple[str, Any]] = [
        ("room.state", {}), ("msg.send", {"text": "a"}), ("no.such", {}), ("history", {}), ("msg.send", {}),
        ("room.who", {}), ("room.leave", {}), ("msg.delete", {"mid": "m_no"}), ("msg.check", {"text": "b"}),
    ]  # fmt: skip
    pending = [await client.start(t, d, room.id) for _ in range(6) for t, d in commands]
    for future in pending:
        await future
    await client.settled()
    answered = [frame["re"] for frame in client.frames if "re" in frame]
    assert len(answered) == len(set(answered)), "no command is answered twice"


async def test_sends_of_one_connection_to_one_channel_are_settled_in_the_order_sent(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    pending = [await client.start("msg.send", {"text": f"line {i}"}, room.id) for i in range(60)]
    settled = [(await future)["d"]["pos"][1] for future in pending]
    assert settled == sorted(settled)


async def test_positions_advance_by_events_only(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    before = (await client.join(room.id))["pos"]
    for t in ("room.state", "room.who", "history"):
        await client.ask(t, {}, room.id)
    await client.refused("empty", "msg.send", {"text": " "}, room.id)
    assert (await client.say(room.id, "hi"))["pos"] == [before[0], before[1] + 1]


async def test_a_lone_surrogate_is_refused_and_no_crash(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    text = f'{{"id":81,"t":"msg.send","ch":"{room.id}","d":{{"text":"a\\ud800b"}}}}'
    assert (await client.raw_error(text, 81))["err"]["code"] in {"bad_frame", "bad_request"}
    await client.say(room.id, "still here")


async def test_duplicate_members_are_no_crash(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    await client.send(f'{{"t":"no.such","t":"room.state","ch":"{room.id}","d":{{}},"d":{{}}}}')
    await client.settled()
