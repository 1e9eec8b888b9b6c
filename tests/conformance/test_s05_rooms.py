"""Protocol 5: join and leave, state, who, history and its bounds."""

from typing import Any

import pytest

from tests.conformance.world import Room, World, numbers, texts
from tests.support.client import Client
from tests.support.frames import JSON, check_frame


async def test_the_reply_of_join_has_the_whole_room(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann")
    d = await ann.join(f"@{room.slug}")
    assert (d["ch"], d["slug"]) == (room.id, room.slug)
    state = d["state"]
    assert state.keys() >= {
        "title",
        "category",
        "tags",
        "owner",
        "modes",
        "stream",
        "counts",
        "pinned",
        "poll",
    }
    assert state["title"] == f"Room {room.slug}"
    assert state["owner"]["id"] == room.owner.id
    assert state["modes"] == {}
    assert state["stream"]["state"] == "offline"
    assert state["counts"].keys() == {"viewers", "chatters"}
    assert (state["pinned"], state["poll"]) == ([], None)
    assert d["you"].keys() >= {"role", "caps", "sanction", "warn", "nextSendAt"}
    assert (d["you"]["role"], d["you"]["sanction"], d["you"]["nextSendAt"]) == ("viewer", None, None)
    assert {"msg.send"} <= set(d["you"]["caps"])
    assert "resume" not in d


async def test_the_first_event_after_the_reply_has_n_plus_1(world: World) -> None:
    room = world.room()
    ann, bob = await world.enter("ann", room), await world.enter("bob")
    await ann.say(room.id, "before")
    pos = (await bob.join(room.id))["pos"]
    sent = await ann.say(room.id, "after")
    assert (await bob.message(sent["mid"]))["pos"] == [pos[0], pos[1] + 1]


async def test_a_join_in_the_midst_of_traffic_has_neither_gap_nor_double(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann")
    pending = [await ann.start("msg.send", {"text": f"n {i}"}, room.id) for i in range(60)]
    joined: list[tuple[Client, JSON]] = []
    for _ in range(5):
        reader = await world.enter(None)
        joined.append((reader, await reader.join(room.id)))
    sent = [(await future)["d"]["mid"] for future in pending]
    last = (await ann.say(room.id, "last"))["mid"]
    for reader, reply in joined:
        await reader.message(last)
        seen = [event["d"]["mid"] for event in [*reply["recent"], *reader.of("msg.new")]]
        assert seen == [*sent, last][-len(seen) :]


async def test_recent_is_the_50_newest_visible_messages_as_whole_events(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    mids = [(await ann.say(room.id, f"n {i}"))["mid"] for i in range(53)]
    await ann.message(mids[-1])
    for mid in mids[50:52]:
        await ann.ask("msg.delete", {"mid": mid}, room.id)
    bob = await world.enter("bob")
    reply = await bob.join(room.id)
    for event in reply["recent"]:
        check_frame(event)
    assert [event["d"]["mid"] for event in reply["recent"]] == [*mids[1:50], mids[52]]
    assert numbers(reply["recent"])[-1] <= reply["pos"][1]
    live = {event["d"]["mid"]: event for event in ann.of("msg.new")}
    assert reply["recent"] == [live[event["d"]["mid"]] for event in reply["recent"]]


async def test_a_second_join_on_one_connection_is_already_with_the_position(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann")
    pos = (await ann.join(room.id))["pos"]
    err = await ann.refused("already", "room.join", {}, room.id)
    assert err["d"]["pos"] == pos
    await ann.refused("already", "room.join", {}, f"@{room.slug}")


async def test_join_with_a_refused_pos_is_a_whole_join(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann")
    sent = await ann.say(room.id, "hi")
    reply = await ann.join(room.id, pos=["other", 1])
    assert reply["resume"] == {"ok": False, "reason": "epoch"}
    assert texts(reply["recent"]) == ["hi"] or (await ann.event("room.snapshot"))["d"]["recent"]
    assert reply["pos"] == sent["pos"]


async def test_mod_pos_only_with_mod_read(world: World) -> None:
    room = world.room()
    owner, ann = await world.enter(room.owner), await world.enter("ann")
    assert (await owner.join(room.id))["modPos"][1] >= 0
    assert "modPos" not in await ann.join(room.id)


async def test_the_owner_is_owner_and_the_guest_guest(world: World) -> None:
    room = world.room()
    owner, guest = await world.enter(room.owner), await world.guest()
    you = (await owner.join(room.id))["you"]
    assert you["role"] == "owner"
    assert {"msg.send", "mod.delete", "mode.set", "role.grant", "mod.read"} <= set(you["caps"])
    assert (await guest.join(room.id))["you"]["role"] == "guest"


async def test_a_channel_without_guests_lets_them_read_only(world: World) -> None:
    room = world.room(policy={"guests": False})
    guest = await world.guest()
    assert "msg.send" not in (await guest.join(room.id))["you"]["caps"]
    await guest.refused("forbidden", "msg.send", {"text": "hi"}, room.id)


async def test_room_state_has_position_state_and_you(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann")
    joined = await ann.join(room.id)
    d = await ann.ask("room.state", {}, room.id)
    assert d.keys() == {"ch", "pos", "state", "you"}
    assert (d["ch"], d["pos"], d["you"]) == (room.id, joined["pos"], joined["you"])


async def test_after_leave_no_event_of_the_room_comes(world: World) -> None:
    room = world.room()
    ann, bob = await world.enter("ann", room), await world.enter("bob", room)
    assert await bob.ask("room.leave", {}, room.id) == {}
    mark = bob.mark()
    sent = await ann.say(room.id, "behind your back")
    await ann.message(sent["mid"])
    await bob.settled()
    assert not [event for event in bob.events[mark:] if event.get("ch") == room.id]
    await bob.refused("not_joined", "room.leave", {}, room.id)


async def test_one_may_leave_and_join_again(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann")
    for _ in range(3):
        await ann.join(room.id)
        sent = await ann.say(room.id, "hi")
        await ann.message(sent["mid"])
        await ann.ask("room.leave", {}, room.id)


async def test_who_lists_staff_first_then_by_name(world: World) -> None:
    room = world.room()
    carl = world.person("carl")
    await world.grant(room, carl, "moderator")
    ann = await world.enter("ann", room)
    for who in ("bob", carl, room.owner):
        await world.enter(who, room)
    listed = await ann.ask("room.who", {}, room.id)
    names = [item["name"] for item in listed["items"]]
    assert names == [room.owner.name, carl.name, world.person("ann").name, world.person("bob").name]
    assert listed["next"] is None
    assert listed["items"][0].keys() >= {"id", "name", "displayName", "kind", "roles", "since"}
    assert listed["items"][0]["roles"] == ["owner"]


async def test_who_lists_guests_and_no_anonymous_readers(world: World) -> None:
    room = world.room()
    guest = await world.guest(room)
    reader = await world.enter(None, room)
    listed = (await reader.ask("room.who", {}, room.id))["items"]
    assert [(item["id"], item["kind"]) for item in listed] == [(guest.session["user"]["id"], "guest")]


async def test_who_pages_by_an_opaque_cursor(world: World) -> None:
    room = world.room()
    for who in ("ann", "bob", "carl"):
        await world.enter(who, room)
    client, names, cursor = await world.enter(None), list[str](), None
    for _ in range(3):
        page = await client.ask("room.who", {"limit": 1, **({"cursor": cursor} if cursor else {})}, room.id)
        names += [item["name"] for item in page["items"]]
        cursor = page["next"]
    assert names == sorted(world.person(name).name for name in ("ann", "bob", "carl"))
    assert cursor is None


@pytest.mark.parametrize(("name", "value"), [("limit", 201), ("limit", 0), ("limit", "x"), ("cursor", 5)])
async def test_who_refuses_what_is_out_of_range(world: World, name: str, value: Any) -> None:
    client, room = await world.enter("ann"), world.room()
    assert (await client.refused("bad_request", "room.who", {name: value}, room.id))["field"] == f"d.{name}"


async def test_a_made_up_cursor_is_refused_and_no_crash(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    reply = await client.reply("room.who", {"cursor": "made up \u0000"}, room.id)
    assert reply["ok"] or reply["err"]["code"] == "bad_request"


async def test_history_without_a_bound_is_the_newest_ascending(world: World) -> None:
    client, room, at = await ten(world)
    page = await client.history(room.id, limit=4)
    assert (numbers(page["events"]), page["more"]) == (at[6:], True)


async def test_history_bounds_are_exclusive(world: World) -> None:
    client, room, at = await ten(world)
    assert numbers((await client.history(room.id, before=at[5], limit=2))["events"]) == at[3:5]
    assert numbers((await client.history(room.id, after=at[5], limit=2))["events"]) == at[6:8]
    assert numbers((await client.history(room.id, after=at[9]))["events"]) == []


async def test_history_around_shows_both_sides(world: World) -> None:
    client, room, at = await ten(world)
    around = numbers((await client.history(room.id, around=at[5], limit=5))["events"])
    assert around == sorted(around)
    assert len(around) <= 5
    assert {at[4], at[6]} <= set(around)


async def test_history_more_says_whether_there_is_more(world: World) -> None:
    client, room, at = await ten(world)
    kinds = ["msg.new"]
    assert (await client.history(room.id, after=at[0], limit=9, kinds=kinds))["more"] is False
    assert (await client.history(room.id, after=at[0], limit=8, kinds=kinds))["more"] is True


async def test_history_can_be_of_some_kinds_only(world: World) -> None:
    client, room, at = await ten(world)
    mid = (await client.history(room.id, after=at[2] - 1, limit=1))["events"][0]["d"]["mid"]
    await client.ask("msg.delete", {"mid": mid}, room.id)
    kinds = {event["t"] for event in (await client.history(room.id, kinds=["msg.gone"]))["events"]}
    assert kinds == {"msg.gone"}
    page = (await client.history(room.id, kinds=["msg.new"]))["events"]
    assert numbers(page) == at
    assert "gone" in page[2]["d"], "deleted messages as tombstones"


async def test_history_gives_50_unless_told_and_never_more_than_200(world: World) -> None:
    room = world.room()
    client = await world.enter("ann")
    for _ in range(5):
        for future in [await client.start("msg.send", {"text": "x"}, room.id) for _ in range(50)]:
            assert (await future)["ok"]
    assert len((await client.history(room.id))["events"]) == 50
    assert len((await client.history(room.id, limit=200))["events"]) == 200
    reply = await client.reply("history", {"limit": 201}, room.id)
    assert not reply["ok"] or len(reply["d"]["events"]) <= 200


@pytest.mark.parametrize(
    "d", [{"s": "x"}, {"before": "x"}, {"after": -1.5}, {"limit": -1}, {"limit": 0}, {"kinds": "msg.new"}]
)
async def test_history_refuses_what_it_cannot_mean(world: World, d: JSON) -> None:
    client, room = await world.enter("ann"), world.room()
    err = await client.refused("bad_request", "history", d, room.id)
    assert err["field"].startswith(f"d.{next(iter(d))}")


@pytest.mark.parametrize("n", [2**53 - 1, 2**63, 10**30])
async def test_history_with_a_huge_bound_is_no_crash(world: World, n: int) -> None:
    client, room = await world.enter("ann"), world.room()
    for bound in ("before", "after", "around"):
        reply = await client.reply("history", {bound: n}, room.id)
        assert reply["ok"] or reply["err"]["code"] == "bad_request"


async def test_the_history_of_mod_needs_mod_read(world: World) -> None:
    room = world.room()
    ann, owner = await world.enter("ann"), await world.enter(room.owner)
    err = await ann.refused("forbidden", "history", {"s": "mod"}, room.id)
    assert err["d"]["cap"] == "mod.read"
    await owner.history(room.id, s="mod")


async def test_the_history_of_me_needs_no_channel_but_an_identity(world: World) -> None:
    ann, reader = await world.enter("ann"), await world.enter(None)
    await ann.history(None, s="me")
    await reader.refused({"unauthenticated", "forbidden"}, "history", {"s": "me"})


async def ten(world: World) -> tuple[Client, Room, list[int]]:
    """A client, a room with ten messages, and their n."""
    room = world.room()
    client = await world.enter("ann")
    sent = [await client.say(room.id, f"n {i}") for i in range(10)]
    return client, room, [reply["pos"][1] for reply in sent]
