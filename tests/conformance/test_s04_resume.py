"""Protocol 4: resuming by positions, in auth and in room.join; why it is refused and what comes then."""

from typing import Any

import pytest

from tests.conformance.world import Room, World, numbers, texts
from tests.support.client import Client
from tests.support.frames import JSON
from tests.support.waiting import eventually


async def test_a_room_entry_of_resume_joins_and_replays_what_was_missed(world: World) -> None:
    room, pos = await some_past(world, 5)
    client = await world.open()
    reply = await client.auth(token=world.person("bob").token, resume=[entry(room, pos)])
    assert reply["resumed"] == [{"ch": room.id, "s": "room", "ok": True}]
    done = await client.event("resume.done")
    assert done["ch"] == room.id
    assert done["d"]["pos"] == [pos[0], pos[1] + 5]
    assert done["d"]["state"]["title"]
    assert done["d"]["you"]["role"] == "viewer"
    assert texts(client.events) == [f"line {i}" for i in range(5)]
    await client.ask("room.leave", {}, room.id)


async def test_live_events_queue_behind_the_replay(world: World) -> None:
    room, pos = await some_past(world, 300)
    ann, client = await world.enter("ann"), await world.open()
    auth = await client.start("auth", {"token": world.person("bob").token, "resume": [entry(room, pos)]})
    pending = [await ann.start("msg.send", {"text": f"live {i}"}, room.id) for i in range(40)]
    sent = [(await future)["d"]["mid"] for future in pending]
    assert (await auth)["ok"]
    await client.message(sent[-1])
    await client.event("resume.done")
    got = numbers([event for event in client.events if event.get("s") == "room" and "pos" in event])
    assert got == list(range(pos[1] + 1, pos[1] + 341))


async def test_resuming_at_the_head_replays_nothing(world: World) -> None:
    room, _ = await some_past(world, 3)
    ann = await world.enter("ann")
    head = (await ann.ask("room.state", {}, room.id))["pos"]
    client = await world.open()
    await client.auth(resume=[entry(room, head)])
    assert (await client.event("resume.done"))["d"]["pos"] == head
    assert not client.of("msg.new")


async def test_room_join_with_pos_resumes_and_recent_is_empty(world: World) -> None:
    room, pos = await some_past(world, 7)
    client = await world.enter("bob")
    reply = await client.join(room.id, pos=pos)
    assert reply["resume"] == {"ok": True}
    assert reply["recent"] == []
    await client.event("resume.done")
    assert len(client.of("msg.new")) == 7


async def test_several_rooms_are_resumed_at_once(world: World) -> None:
    pasts = [await some_past(world, count) for count in (1, 2, 3)]
    client = await world.open()
    reply = await client.auth(resume=[entry(room, pos) for room, pos in pasts])
    assert [answer["ok"] for answer in reply["resumed"]] == [True, True, True]
    for room, _ in pasts:
        await client.until(lambda e, ch=room.id: e["t"] == "resume.done" and e["ch"] == ch)
    assert len(client.of("msg.new")) == 6


async def test_more_than_2000_events_behind_is_too_far_and_gets_a_snapshot(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann")
    pos = (await ann.ask("room.state", {}, room.id))["pos"]
    await flood(ann, room, 2000)
    good = await world.open()
    assert (await good.auth(resume=[entry(room, pos)]))["resumed"][0]["ok"], "2,000 are not too far"
    await good.event("resume.done", deadline=20)
    await ann.say(room.id, "one more")
    client = await world.open()
    reply = await client.auth(resume=[entry(room, pos)])
    assert reply["resumed"] == [{"ch": room.id, "s": "room", "ok": False, "reason": "too_far"}]
    await check_snapshot(client, room)


@pytest.mark.parametrize("which", ["another epoch", "beyond the head"])
async def test_a_position_of_another_log_is_epoch_and_gets_a_snapshot(world: World, which: str) -> None:
    room, pos = await some_past(world, 2)
    wrong = ["other", 1] if which == "another epoch" else [pos[0], pos[1] + 1000]
    client = await world.open()
    reply = await client.auth(resume=[entry(room, wrong)])
    assert reply["resumed"] == [{"ch": room.id, "s": "room", "ok": False, "reason": "epoch"}]
    await check_snapshot(client, room)


async def test_after_denied_comes_no_snapshot(world: World) -> None:
    room = world.room(policy={"anonymousRead": False})
    ann = await world.enter("ann")
    pos = (await ann.ask("room.state", {}, room.id))["pos"]
    await ann.say(room.id, "not for all")
    client = await world.open()
    reply = await client.auth(resume=[entry(room, pos)])
    assert reply["resumed"] == [{"ch": room.id, "s": "room", "ok": False, "reason": "denied"}]
    await client.settled()
    assert not client.of("room.snapshot")
    assert not client.of("msg.new")


async def test_mod_is_denied_to_a_viewer(world: World) -> None:
    room, pos = await some_past(world, 1)
    client = await world.open()
    reply = await client.auth(token=world.person("bob").token, resume=[{**entry(room, pos), "s": "mod"}])
    assert reply["resumed"] == [{"ch": room.id, "s": "mod", "ok": False, "reason": "denied"}]


async def test_a_resume_of_an_unknown_channel_is_answered_and_harms_no_other(world: World) -> None:
    room, pos = await some_past(world, 1)
    client = await world.open()
    wrong = {"ch": "c_nobody", "s": "room", "pos": pos}
    reply = await client.auth(resume=[wrong, entry(room, pos)])
    assert [answer["ok"] for answer in reply["resumed"]] == [False, True]
    await client.event("resume.done")


async def test_me_is_resumed_from_its_position(world: World) -> None:
    room, eve = world.room(), world.target.fresh_person("eve")
    first = await world.enter(eve)
    pos = first.session["me"]["pos"]
    await first.close()
    ann = await world.enter("ann")
    await ann.say(room.id, f"@{eve.name} are you there?")
    watcher = await world.enter(eve)

    async def noticed() -> JSON:
        return (await watcher.history(None, s="me"))["events"]

    assert await eventually(noticed, "a notice")
    client = await world.open()
    reply = await client.auth(token=eve.token, resume=[{"s": "me", "pos": pos}])
    assert [(answer["s"], answer["ok"]) for answer in reply["resumed"]] == [("me", True)]
    done = await client.until(lambda e: e["t"] == "resume.done" and e.get("s") == "me")
    assert done["d"]["pos"] == [pos[0], pos[1] + 1]
    assert client.of("notify")[0]["d"]["kind"] == "mention"


async def test_a_refused_resume_of_me_opens_the_stream_at_its_head(world: World) -> None:
    eve = world.target.fresh_person("eve")
    client = await world.open()
    reply = await client.auth(token=eve.token, resume=[{"s": "me", "pos": ["other", 3]}])
    assert reply["resumed"][0]["reason"] == "epoch"
    opened = await client.event("stream.open")
    assert (opened["s"], opened["d"]["pos"]) == ("me", reply["me"]["pos"])


@pytest.mark.parametrize(
    "resume",
    ["x", [5], [{}], [{"ch": "c_1"}], [{"ch": "c_1", "s": "room", "pos": "x"}], [{"s": "x", "pos": 1}]],
)
async def test_a_malformed_resume_is_bad_request_and_leaves_the_socket_open(
    world: World, resume: Any
) -> None:
    client = await world.open()
    await client.refused("bad_request", "auth", {"resume": resume})
    await client.auth()


async def test_resuming_works_after_a_connection_was_lost_without_a_close(world: World) -> None:
    room = world.room()
    ann, bob = await world.enter("ann", room), await world.enter("bob", room)
    first = await ann.say(room.id, "before")
    pos = (await bob.message(first["mid"]))["pos"]
    await bob.abort()
    await ann.say(room.id, "while away")
    client = await world.open()
    await client.auth(token=world.person("bob").token, resume=[entry(room, pos)])
    await client.event("resume.done")
    assert texts(client.events) == ["while away"]


def entry(room: Room, pos: Any) -> JSON:
    """One entry of `resume` for the room stream."""
    return {"ch": room.id, "s": "room", "pos": pos}


async def some_past(world: World, count: int) -> tuple[Room, list[Any]]:
    """A channel, and a position after which `count` messages were sent."""
    room = world.room()
    ann = await world.enter("ann")
    pos = (await ann.ask("room.state", {}, room.id))["pos"]
    await flood(ann, room, count)
    return room, pos


async def flood(client: Client, room: Room, count: int) -> None:
    """Send `count` messages, up to 50 in flight."""
    for begin in range(0, count, 50):
        numbers_ = range(begin, min(begin + 50, count))
        pending = [await client.start("msg.send", {"text": f"line {i}"}, room.id) for i in numbers_]
        for future in pending:
            assert (await future)["ok"]


async def check_snapshot(client: Client, room: Room) -> None:
    """The `d` of room.snapshot is that of the reply of room.join, and the room goes on after it."""
    snapshot = await client.event("room.snapshot")
    assert snapshot["ch"] == room.id
    assert snapshot["d"].keys() >= {"ch", "slug", "pos", "state", "you", "recent"}
    assert snapshot["d"]["recent"]
