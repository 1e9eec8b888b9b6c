"""Protocol 15: exactly once after de-duplication, total order, exact limits, and buckets that say which and when."""

import asyncio
import random

from tests.conformance.world import Room, Target, World, numbers
from tests.support.client import Client
from tests.support.frames import JSON
from tests.support.tables import BUCKETS


async def test_all_readers_see_one_order_and_it_is_the_logs(world: World) -> None:
    room = world.room()
    readers = [await world.enter(None, room) for _ in range(4)]
    senders = [await world.enter(name, room) for name in ("ann", "bob", "carl")]
    pending = [
        await client.start("msg.send", {"text": f"{k} {i}"}, room.id)
        for i in range(50)
        for k, client in enumerate(senders)
    ]
    acknowledged = {(await future)["d"]["mid"]: (await future)["d"]["pos"][1] for future in pending}
    order = sorted(acknowledged, key=acknowledged.__getitem__)
    for client in (*readers, *senders):
        await client.message(order[-1])
        assert [event["d"]["mid"] for event in client.of("msg.new")] == order


async def test_after_any_sequence_of_disconnects_a_client_holds_exactly_the_log(world: World) -> None:
    chance, room = random.Random(20), world.room()
    ann = await world.enter("ann", room)
    held: list[JSON] = []
    pos = (await ann.ask("room.state", {}, room.id))["pos"]
    begin = pos[1]
    for round_ in range(12):
        reader = await world.open()
        pending = [
            await ann.start("msg.send", {"text": f"{round_} {i}"}, room.id)
            for i in range(chance.randrange(30))
        ]
        if chance.random() < 0.5:
            await reader.auth(resume=[{"ch": room.id, "s": "room", "pos": pos}])
        else:
            await reader.auth()
            await reader.join(room.id, pos=pos)
        mids = [(await future)["d"]["mid"] for future in pending]
        if mids and chance.random() < 0.7:
            await reader.message(chance.choice(mids))
        if mids and chance.random() < 0.5:
            await ann.ask("msg.delete", {"mid": chance.choice(mids)}, room.id)
        await reader.abort()
        got = durable(reader)
        held += got
        pos = got[-1]["pos"] if got else pos
    last = (await ann.say(room.id, "last"))["pos"]
    reader = await world.open()
    await reader.auth(resume=[{"ch": room.id, "s": "room", "pos": pos}])
    await reader.event("resume.done")
    held += durable(reader)
    assert numbers(held) == list(range(begin + 1, last[1] + 1))
    assert [event["d"].get("mid") for event in held if event["t"] == "msg.new"] == await all_mids(
        reader, room, begin
    )


async def test_the_send_bucket_of_a_viewer_is_20_in_30_s_and_says_when(limited_target: Target) -> None:
    async with World(limited_target) as world:
        room = world.room()
        ann, owner = await world.enter("ann"), await world.enter(room.owner)
        for i in range(20):
            await ann.say(room.id, f"n {i}")
        err = await ann.refused("rate_limited", "msg.send", {"text": "one too many"}, room.id)
        assert err["d"] == {"bucket": "send", "limit": 20, "windowMs": 30_000}
        assert 0 < err["afterMs"] <= 30_000
        other = await world.enter("ann")
        await other.refused("rate_limited", "msg.send", {"text": "another connection"}, room.id)
        await ann.say(world.room().id, "another channel has its own bucket")
        for i in range(25):
            await owner.say(room.id, f"staff {i}")


async def test_refused_attempts_have_a_bucket_of_their_own(limited_target: Target) -> None:
    async with World(limited_target) as world:
        room = world.room()
        bob = await world.enter("bob")
        for _ in range(30):
            await bob.refused("empty", "msg.send", {"text": " "}, room.id)
        await bob.say(room.id, "refused attempts cost no sends")
        seen = [
            await bob.refused({"empty", "rate_limited"}, "msg.send", {"text": " "}, room.id)
            for _ in range(45)
        ]
        assert seen[-1]["code"] == "rate_limited", "60 refused attempts in 30 s are enough"


async def test_the_join_bucket_is_20_in_10_s(limited_target: Target) -> None:
    async with World(limited_target) as world:
        room = world.room()
        client = await world.enter("ann")
        for _ in range(20):
            await client.join(room.id)
            await client.ask("room.leave", {}, room.id)
        err = await client.refused("rate_limited", "room.join", {}, room.id)
        assert err["d"] == {"bucket": "join", "limit": 20, "windowMs": 10_000}


async def test_a_resume_does_not_count_against_the_join_bucket(limited_target: Target) -> None:
    async with World(limited_target) as world:
        rooms = [world.room() for _ in range(25)]
        ann = await world.enter("carl")
        at = [(room, (await ann.ask("room.state", {}, room.id))["pos"]) for room in rooms[:25]]
        client = await world.open()
        resume = [{"ch": room.id, "s": "room", "pos": pos} for room, pos in at]
        reply = await client.auth(token=world.person("carl").token, resume=resume)
        assert all(entry["ok"] for entry in reply["resumed"])
        await client.ask("room.leave", {}, rooms[0].id)
        await client.join(rooms[0].id)


async def test_failed_authentications_are_limited_per_address(limited_target: Target) -> None:
    async with World(limited_target, local_address="127.0.0.77") as world:
        codes: list[str] = []
        for _ in range(21):
            client = await world.open()
            err = await client.refused({"unauthenticated", "rate_limited"}, "auth", {"token": "cs_wrong"})
            codes.append(err["code"])
        assert codes == ["unauthenticated"] * 20 + ["rate_limited"]
    async with World(limited_target, local_address="127.0.0.78") as elsewhere:
        await elsewhere.enter("ann")


async def test_new_guest_identities_are_limited_per_address_and_known_ones_are_not(
    limited_target: Target,
) -> None:
    async with World(limited_target, local_address="127.0.0.79") as world:
        first = await world.guest()
        for _ in range(49):
            await world.guest()
        client = await world.open()
        err = await client.refused("rate_limited", "auth", {"guest": {"name": world.guest_name()}})
        assert err["d"]["bucket"] in BUCKETS
        assert 0 < err["afterMs"] <= 60_000
        again = {"name": first.session["user"]["displayName"], "token": first.session["guestToken"]}
        assert (await client.auth(guest=again))["user"]["id"] == first.session["user"]["id"], (
            "the socket stays open"
        )


async def test_a_busy_room_does_not_delay_a_command_elsewhere(world: World) -> None:
    room, quiet = world.room(), world.room()
    ann, bob = await world.enter("ann", room), await world.enter("bob")
    loop, worst = asyncio.get_running_loop(), 0.0
    for _ in range(10):
        pending = [await ann.start("msg.send", {"text": "busy"}, room.id) for _ in range(50)]
        began = loop.time()
        await bob.ask("room.state", {}, quiet.id)
        worst = max(worst, loop.time() - began)
        for future in pending:
            await future
    assert worst < 2.0


def durable(client: Client) -> list[JSON]:
    """The durable room events that a connection got."""
    return [event for event in client.events if event.get("s") == "room" and "pos" in event]


async def all_mids(client: Client, room: Room, begin: int) -> list[str]:
    """The messages of a room after n `begin`, by history."""
    mids: list[str] = []
    after, more = begin, True
    while more:
        page = await client.history(room.id, after=after, limit=100)
        more = page["more"]
        after = page["events"][-1]["pos"][1] if page["events"] else after
        mids += [event["d"]["mid"] for event in page["events"] if event["t"] == "msg.new"]
    return mids
