"""Protocol 5: who is here: honest counts, told at most once a second, and who comes and goes in a small room."""

from itertools import pairwise

from tests.conformance.patience import Patience
from tests.conformance.world import World


async def test_presence_counts_people_once_and_anonymous_connections_each(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    await world.enter("ann", room)
    await world.enter(None, room)
    await world.enter(None, room)
    await world.guest(room)
    await ann.event("presence.count", viewers=4, chatters=0)
    await ann.say(room.id, "hi")
    await ann.say(room.id, "hi again")
    count = await ann.event("presence.count", chatters=1)
    assert count["ch"] == room.id
    late = await world.enter("bob")
    counts = (await late.join(room.id))["state"]["counts"]
    assert counts["chatters"] == 1
    assert counts["viewers"] in {4, 5}


async def test_presence_count_comes_at_most_once_a_second(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    for _ in range(6):
        await world.enter(None, room)
    await ann.event("presence.count", viewers=7)
    for _ in range(6):
        await world.enter(None, room)
    await ann.event("presence.count", viewers=13)
    came = [at for at, e in zip(ann.arrivals, ann.events, strict=True) if e["t"] == "presence.count"]
    assert all(later - sooner > 0.9 for sooner, later in pairwise(came)), came


async def test_presence_count_goes_down_when_connections_end(patience: Patience) -> None:
    assert patience.seen("counts_down")["viewers"] == 1


async def test_a_small_room_says_who_comes_and_15_s_after_the_last_connection_who_left(
    patience: Patience,
) -> None:
    seen = patience.seen("leaves_a_small_room")
    assert seen["came"]["d"]["in"][0].keys() >= {"id", "name"}
    assert 13 <= seen["after"] <= 22
