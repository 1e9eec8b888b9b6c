"""Protocol 3: positions without gaps, tombstones, one room stream for all readers, what deletion hides."""

import pytest

from tests.conformance.world import World, numbers, texts
from tests.support.client import Client
from tests.support.frames import JSON


async def test_n_grows_by_exactly_1_per_event(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    sent = [(await ann.say(room.id, f"n {i}"))["pos"] for i in range(10)]
    first = sent[0][1]
    assert sent == [[sent[0][0], first + i] for i in range(10)]


async def test_a_new_channel_begins_low_and_every_n_can_be_read(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann")
    head = (await ann.join(room.id))["pos"][1]
    await ann.say(room.id, "first")
    assert covered(await everything(ann, room.id)) == list(range(1, head + 2))


async def test_two_channels_are_numbered_apart(world: World) -> None:
    one, two = world.room(), world.room()
    ann = await world.enter("ann")
    a = [(await ann.say(one.id, "x"))["pos"] for _ in range(3)]
    b = (await ann.say(two.id, "y"))["pos"]
    assert a[2][0] == b[0], "one epoch"
    assert b[1] == a[0][1], "as if the other were not there"


async def test_reading_a_stream_yields_each_n_once_ascending(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    mids = [(await ann.say(room.id, f"n {i}"))["mid"] for i in range(30)]
    for mid in mids[::3]:
        await ann.ask("msg.delete", {"mid": mid}, room.id)
    events = await everything(ann, room.id, limit=7)
    head = (await ann.ask("room.state", {}, room.id))["pos"][1]
    assert covered(events) == list(range(1, head + 1))


async def test_a_deleted_message_comes_in_its_place_as_a_tombstone(world: World) -> None:
    room = world.room()
    ann, bob = await world.enter("ann", room), await world.enter("bob")
    sent = await ann.say(room.id, "gone soon https://a.example")
    await ann.ask("msg.delete", {"mid": sent["mid"]}, room.id)
    tomb = find(await everything(bob, room.id), sent["mid"])
    assert tomb["pos"] == sent["pos"]
    assert tomb["d"]["gone"]["by"] == "author"
    assert tomb["d"]["user"]["id"] == world.person("ann").id, "its author stays"
    assert not {"text", "frags"} & tomb["d"].keys()


async def test_the_later_msg_gone_still_comes_at_its_own_n(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    sent = await ann.say(room.id, "gone soon")
    await ann.ask("msg.delete", {"mid": sent["mid"]}, room.id)
    live = await ann.event("msg.gone")
    assert live["d"]["mids"] == [sent["mid"]]
    read = [event for event in await everything(ann, room.id) if event["t"] == "msg.gone"]
    assert [event["pos"] for event in read] == [live["pos"]]
    assert live["pos"][1] == sent["pos"][1] + 1


async def test_room_is_the_same_for_all_readers_staff_too(world: World) -> None:
    room = world.room()
    ann, anonymous = await world.enter("ann", room), await world.enter(None)
    owner = await world.enter(room.owner)
    for i in range(5):
        sent = await ann.say(room.id, f"n {i}")
        if i % 2:
            await ann.ask("msg.delete", {"mid": sent["mid"]}, room.id)
    read = [await everything(client, room.id) for client in (ann, owner, anonymous)]
    assert read[0] == read[1] == read[2]


async def test_live_events_equal_the_history_of_them(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    first = await ann.say(room.id, "hello @nobody", idem="x1")
    await ann.say(room.id, "again", replyTo=first["mid"])
    last = await ann.say(room.id, "and again")
    await ann.message(last["mid"])
    live = [event for event in ann.events if event.get("s") == "room" and "pos" in event]
    read = {event["pos"][1]: event for event in await everything(ann, room.id)}
    assert live == [read[n] for n in numbers(live)]


async def test_no_deleted_text_is_found_on_any_path(world: World) -> None:
    room = world.room()
    ann, bob = await world.enter("ann", room), await world.enter("bob", room)
    sent = await ann.say(room.id, "SECRET-WORD @bob")
    answer = await bob.say(room.id, "what?", replyTo=sent["mid"])
    await ann.ask("msg.delete", {"mid": sent["mid"]}, room.id)
    late = await world.enter("carl")
    joined = await late.join(room.id)
    pages = [joined, await late.history(room.id), await late.history(room.id, around=sent["pos"][1])]
    rest = world.admin.call("GET", f"/api/channels/{room.id}/chat", token=room.owner.token)
    assert "SECRET" not in repr([*pages, rest])
    preview = find((await late.history(room.id))["events"], answer["mid"])["d"]["reply"]
    assert preview["text"] is None, "null when the parent is not visible"


async def test_after_msg_gone_no_later_flush_contains_the_text(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    pos = (await ann.ask("room.state", {}, room.id))["pos"]
    sent = await ann.say(room.id, "SECRET-WORD")
    await ann.ask("msg.delete", {"mid": sent["mid"]}, room.id)
    bob = await world.enter("bob")
    await bob.join(room.id, pos=pos)
    await bob.event("resume.done")
    assert "SECRET" not in repr(bob.frames)
    assert "gone" in (await bob.message(sent["mid"]))["d"]


async def test_names_are_joined_when_encoded_so_a_rename_shows_on_old_messages(world: World) -> None:
    room, fay = world.room(), world.target.fresh_person("fay")
    client = await world.enter(fay, room)
    sent = await client.say(room.id, "before")
    await client.message(sent["mid"])
    path = f"/api/users/{fay.id}"
    world.admin.call("PATCH", path, {"displayName": "Fay The Great"}, token=fay.token)
    reader = await world.enter("ann")
    shown = find((await reader.history(room.id))["events"], sent["mid"])
    assert shown["d"]["user"]["displayName"] == "Fay The Great"
    assert find((await reader.join(room.id))["recent"], sent["mid"])["d"]["user"] == shown["d"]["user"]


@pytest.mark.parametrize("case", ["beyond the head", "another epoch"])
async def test_a_position_that_is_not_of_this_log_is_refused_with_epoch(world: World, case: str) -> None:
    room = world.room()
    ann = await world.enter("ann")
    epoch, n = (await ann.say(room.id, "hi"))["pos"]
    pos = [epoch, n + 1] if case == "beyond the head" else ["another", n]
    reply = await ann.ask("room.join", {"pos": pos}, room.id)
    assert (reply["resume"]["ok"], reply["resume"]["reason"]) == (False, "epoch")


async def test_me_is_a_stream_of_ones_own_without_ch(world: World) -> None:
    room, eve = world.room(), world.target.fresh_person("eve")
    client = await world.enter(eve)
    assert client.session["me"]["pos"][1] == 0
    ann = await world.enter("ann")
    await ann.say(room.id, f"@{eve.name} hello")
    notice = await client.event("notify", kind="mention")
    assert notice["s"] == "me"
    assert "ch" not in notice
    assert notice["pos"][1] == 1
    assert (await client.history(None, s="me"))["events"] == [notice]


async def test_mod_is_a_stream_of_its_own_and_makes_no_holes_in_room(world: World) -> None:
    room, bob = world.room(), world.person("bob")
    ann, owner = await world.enter("ann", room), await world.enter(room.owner, room)
    await owner.ask("role.grant", {"user": bob.id, "role": "vip"}, room.id)
    await owner.ask("role.revoke", {"user": bob.id}, room.id)
    sent = await ann.say(room.id, "after")
    await ann.message(sent["mid"])
    await owner.message(sent["mid"])
    assert not [event for event in ann.events if event.get("s") == "mod"]
    head = (await owner.ask("room.state", {}, room.id))["pos"][1]
    assert covered(await everything(ann, room.id)) == list(range(1, head + 1))


async def everything(client: Client, ch: str, limit: int = 200) -> list[JSON]:
    """The whole room stream, read forwards in pages."""
    events: list[JSON] = []
    while True:
        page = await client.history(ch, after=events[-1]["pos"][1] if events else 0, limit=limit)
        events += page["events"]
        if not page["more"]:
            return events


def covered(events: list[JSON]) -> list[int]:
    """Every n that events and skips account for, in the order read."""
    runs = [range(event["d"]["from"] if event["t"] == "skip" else n, n + 1) for event, n in _with_n(events)]
    return [n for run in runs for n in run]


def _with_n(events: list[JSON]) -> list[tuple[JSON, int]]:
    return list(zip(events, numbers(events), strict=True))


def find(events: list[JSON], mid: str) -> JSON:
    """The `msg.new` of a message among events."""
    found = [event for event in events if event["t"] == "msg.new" and event["d"]["mid"] == mid]
    assert len(found) == 1, f"{mid} once among {texts(events)}"
    return found[0]
