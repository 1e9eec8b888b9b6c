"""Protocol 11, as far as messages make notices: mentions and replies on `me`."""

from tests.conformance.world import World
from tests.support.frames import JSON
from tests.support.waiting import eventually


async def test_a_mention_is_a_notice_with_ids_and_never_text(world: World) -> None:
    room, eve = world.room(), world.target.fresh_person("eve")
    client, ann = await world.enter(eve), await world.enter("ann")
    sent = await ann.say(room.id, f"@{eve.name} SECRET-WORD")
    notice = await client.event("notify")
    d = notice["d"]
    assert (d["kind"], d["ch"], d["mid"]) == ("mention", room.id, sent["mid"])
    assert d["by"].items() >= {"id": world.person("ann").id, "name": world.person("ann").name}.items()
    assert "SECRET" not in repr(notice)


async def test_a_reply_is_a_notice(world: World) -> None:
    room, eve = world.room(), world.target.fresh_person("eve")
    client, ann = await world.enter(eve), await world.enter("ann")
    parent = await client.say(room.id, "is it live?")
    answer = await ann.say(room.id, "yes", replyTo=parent["mid"])
    d = (await client.event("notify", kind="reply"))["d"]
    assert (d["ch"], d["mid"]) == (room.id, answer["mid"])


async def test_a_notice_waits_for_who_is_away(world: World) -> None:
    room, eve = world.room(), world.target.fresh_person("eve")
    ann = await world.enter("ann")
    await ann.say(room.id, f"@{eve.name} call me")
    client = await world.enter(eve)

    async def waiting() -> list[JSON]:
        return (await client.history(None, s="me"))["events"]

    assert [event["t"] for event in await eventually(waiting, "the notice")] == ["notify"]


async def test_one_notice_a_minute_per_author_channel_and_kind(world: World) -> None:
    room, eve = world.room(), world.target.fresh_person("eve")
    client, ann, bob = await world.enter(eve, room), await world.enter("ann"), await world.enter("bob")
    for _ in range(4):
        await ann.say(room.id, f"@{eve.name} hey")
    last = await bob.say(room.id, f"@{eve.name} hey")
    await client.event("notify", mid=last["mid"])
    await client.settled()
    assert sorted(event["d"]["by"]["id"] for event in client.of("notify")) == sorted(
        [world.person("ann").id, world.person("bob").id]
    )


async def test_at_most_5_mentions_of_one_message_make_notices(world: World) -> None:
    room = world.room()
    people = [world.target.fresh_person(f"m{i}") for i in range(6)]
    clients = [await world.enter(person) for person in people]
    ann = await world.enter("ann")
    await ann.say(room.id, " ".join(f"@{person.name}" for person in people))
    for client in clients[:5]:
        await client.event("notify", kind="mention")
    await clients[5].settled()
    assert not clients[5].of("notify")


async def test_who_mentions_himself_gets_no_notice(world: World) -> None:
    room, eve = world.room(), world.target.fresh_person("eve")
    client, ann = await world.enter(eve, room), await world.enter("ann")
    await client.say(room.id, f"@{eve.name} note to self")
    sent = await ann.say(room.id, f"@{eve.name} you there?")
    notice = await client.event("notify")
    assert notice["d"]["mid"] == sent["mid"]
    assert notice["pos"][1] == 1
