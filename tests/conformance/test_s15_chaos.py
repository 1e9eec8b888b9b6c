"""Protocol 3-5 and 15 under disorder: a crowd comes, goes, resumes, upgrades and deletes; each sees one log.

What everybody does comes from a seed; how it interleaves is the machine's. Every connection is strict (a hole,
a double or a step back in a stream fails at once); at the end what each reader collected is compared with the
log. `CHAOS_STEPS` (400) and `CHAOS_SEED` (1) make longer and other runs.
"""

import asyncio
import os
import random
from typing import Any

from tests.conformance.world import Room, World
from tests.support.client import Client
from tests.support.frames import JSON

STEPS = int(os.environ.get("CHAOS_STEPS", "400"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))


class Reader:
    """Somebody who reads a room over many connections and keeps every durable event by its n."""

    def __init__(self, world: World, room: Room, token: str | None, chance: random.Random) -> None:
        self.world = world
        self.room = room
        self.token = token
        self.chance = chance
        self.held: dict[int, JSON] = {}
        self.jumped: set[int] = set()
        self.pos: list[Any] = []
        self.client: Client | None = None

    async def begin(self) -> None:
        """Connect, authenticate, and join or resume in one of the ways there are."""
        client = self.client = await self.world.open()
        entry = [{"ch": self.room.id, "s": "room", "pos": self.pos}] if self.pos else []
        way = self.chance.choice(("auth", "join", "upgrade"))
        who: JSON = {"token": self.token} if self.token else {}
        if way == "auth" and entry:
            await client.auth(**who, resume=entry)
        elif way == "join" or not self.token:
            await client.auth(**who)
            await client.join(self.room.id, **({"pos": self.pos} if self.pos else {}))
        else:
            await client.auth(resume=entry)
            if not entry:
                await client.join(self.room.id)
            await client.auth(token=self.token)

    async def pause(self) -> None:
        """Stay for a round trip."""
        assert self.client is not None
        await self.client.settled()

    async def end(self) -> None:
        """Vanish or say goodbye, and keep what was seen up to the first hole that a snapshot made."""
        client, self.client = self.client, None
        assert client is not None
        await (client.abort() if self.chance.random() < 0.5 else client.hang_up())
        client.check()
        self.keep(client)

    def keep(self, client: Client) -> None:
        """Take over the events. A snapshot stands for what it jumps over, as far as it is still to be seen."""
        at = self.pos[1] if self.pos else None
        for event in client.events:
            if event["t"] == "room.snapshot":
                n = event["d"]["pos"][1]
                self.jumped.update(range((at if at is not None else n) + 1, n + 1))
                self.held |= {
                    old["pos"][1]: old for old in event["d"]["recent"] if old["pos"][1] in self.jumped
                }
                at = n
            elif event.get("s") == "room" and "pos" in event:
                at = event["pos"][1]
                self.held[at] = event
        position = client.positions.at.get((self.room.id, "room"))
        if position is not None:
            self.pos = list(position)


async def test_whatever_the_crowd_does_each_holds_the_log(world: World) -> None:
    room = world.room()
    begin = (await (await world.enter("ann")).ask("room.state", {}, room.id))["pos"][1]
    tokens = [None, None, None, world.person("bob").token, world.person("carl").token, room.owner.token]
    readers = [Reader(world, room, token, random.Random(SEED * 100 + k)) for k, token in enumerate(tokens)]
    writers = [await world.enter(name, room) for name in ("ann", "bob")] + [
        await world.enter(room.owner, room)
    ]
    crowd = Crowd(world, room, writers)
    await crowd.act(readers)
    last = await writers[0].say(room.id, "the end")
    for reader in readers:
        await reader.begin()
        assert reader.client is not None
        await caught_up(reader.client, room, last["pos"][1])
        await reader.end()
    log = await whole_log(writers[0], room)
    for reader in readers:
        check_held(reader, log, begin)


class Crowd:
    """Writers who send, delete and give roles, beside readers who come and go, all at once."""

    def __init__(self, world: World, room: Room, writers: list[Client]) -> None:
        self.world = world
        self.room = room
        self.writers = writers
        self.sent: list[str] = []
        self.busy = len(writers)

    async def act(self, readers: list[Reader]) -> None:
        """Everybody does what he does until all writers are done."""
        async with asyncio.TaskGroup() as together:
            for k, writer in enumerate(self.writers):
                together.create_task(self.write(writer, random.Random(SEED * 10 + k)))
            for reader in readers:
                together.create_task(self.read(reader))

    async def read(self, reader: Reader) -> None:
        """Come and go; gone in the end."""
        while self.busy:
            await reader.begin()
            for _ in range(reader.chance.randrange(8)):
                await reader.pause()
            await reader.end()

    async def write(self, writer: Client, chance: random.Random) -> None:
        """Send bursts; the last writer is the owner, who also deletes, and promotes and demotes."""
        for step in range(STEPS // len(self.writers)):
            kind = chance.random() if writer is self.writers[-1] else 1.0
            if kind < 0.3 and self.sent:
                await writer.reply("msg.delete", {"mid": chance.choice(self.sent)}, self.room.id)
            elif kind < 0.5:
                who = self.world.person(chance.choice(["bob", "carl"])).id
                role = {"role": "moderator"} if chance.random() < 0.5 else {}
                await writer.reply(
                    "role.grant" if role else "role.revoke", {"user": who, **role}, self.room.id
                )
            else:
                texts = [{"text": f"{step} {i}"} for i in range(chance.randrange(9))]
                pending = [await writer.start("msg.send", text, self.room.id) for text in texts]
                self.sent += [reply["d"]["mid"] for reply in await asyncio.gather(*pending)]
        self.busy -= 1


async def caught_up(client: Client, room: Room, n: int) -> None:
    """Wait until the connection stands at `n` or beyond."""
    async with asyncio.timeout(15):
        while client.positions.at.get((room.id, "room"), ("", 0))[1] < n:
            await client.settled()


async def whole_log(client: Client, room: Room) -> dict[int, JSON]:
    """The room's stream as history has it at the end, by n."""
    log: dict[int, JSON] = {}
    more = True
    while more:
        page = await client.history(room.id, after=max(log, default=0), limit=200)
        log |= {event["pos"][1]: event for event in page["events"]}
        more = page["more"]
    return log


def check_held(reader: Reader, log: dict[int, JSON], begin: int) -> None:
    """From the first event held to the end nothing is missing, and each is the log's (or was, before it was gone)."""
    first, last = min(reader.held), max(log)
    assert first > begin
    missing = set(range(first, last + 1)) - reader.held.keys()
    assert missing <= reader.jumped, f"holes at {sorted(missing - reader.jumped)}"
    lost = [n for n in missing if log[n]["t"] == "msg.new" and "gone" not in log[n]["d"]]
    assert not lost, f"snapshots jumped over {lost}, which can be seen and was in none of them"
    for n, event in reader.held.items():
        now = log[n]["d"]
        assert (event["t"], event["ts"], event["d"].get("mid")) == (log[n]["t"], log[n]["ts"], now.get("mid"))
        if "gone" not in event["d"] and "gone" not in now:
            assert event["d"].get("text") == now.get("text")
        assert "gone" not in event["d"] or "gone" in now, "what was gone stays gone"
