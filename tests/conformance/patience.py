"""Owns the observations that take as long as the protocol says (10, 15, 25 and 33 s), all made side by side.

A thread with its own event loop starts them with the session; a test asks for one by name. It judges nothing:
it only says what was seen and when.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

from tests.conformance.world import Target, World
from tests.support.client import Client
from tests.support.frames import JSON

PINGS = 25.0
PONGS = 8.0
SLACK = 12.0


class Patience(threading.Thread):
    """Runs every observation once; `seen(name)` waits for its outcome and raises what it raised."""

    def __init__(self, target: Target) -> None:
        super().__init__(name="patience", daemon=True)
        # Accounts are made before the thread runs: `Target` is not for two threads.
        self._target = target
        self._reader = target.fresh_person("patient")
        self._room = World(target).room()
        self._small = World(target).room()
        self._counted = World(target).room()
        self._seen: dict[str, Future[JSON]] = {name: Future() for name in self._observations()}

    def seen(self, name: str) -> JSON:
        """What was observed, waiting for its end."""
        return self._seen[name].result(PINGS + PONGS + 3 * SLACK)

    def run(self) -> None:
        """The thread: all observations at once on an own loop."""
        asyncio.run(self._all())

    def _observations(self) -> dict[str, Callable[[World], Awaitable[JSON]]]:
        return {
            "never_authenticates": self._never_authenticates,
            "answers_no_ping": self._answers_no_ping,
            "is_alive_by_traffic": self._is_alive_by_traffic,
            "quiet_room": self._quiet_room,
            "leaves_a_small_room": self._leaves_a_small_room,
            "counts_down": self._counts_down,
        }

    async def _all(self) -> None:
        world = World(self._target)
        await asyncio.gather(*(self._one(world, name) for name in self._observations()))
        await world.aclose()

    async def _one(self, world: World, name: str) -> None:
        try:
            self._seen[name].set_result(await self._observations()[name](world))
        except BaseException as error:
            self._seen[name].set_exception(error)

    async def _never_authenticates(self, world: World) -> JSON:
        """Connect and say nothing of value until the server has enough."""
        client = await world.open()
        return await _until_close(client, client.of("hello")[0]["d"]["authMs"] / 1000 + SLACK)

    async def _answers_no_ping(self, world: World) -> JSON:
        """Authenticate, then never answer."""
        client = await world.open(pong=False)
        await client.auth()
        seen = await _until_close(client, PINGS + PONGS + SLACK)
        return {**seen, "pings": client.of("ping")}

    async def _is_alive_by_traffic(self, world: World) -> JSON:
        """Answer a ping with a command instead of a pong, and stay."""
        client = await world.open(pong=False)
        await client.auth()
        await client.event("ping", deadline=PINGS + SLACK)
        await client.settled()
        return {"open": await client.outlives(PONGS + 2.0), "close": client.close_code}

    async def _quiet_room(self, world: World) -> JSON:
        """Sit in a room where nothing happens."""
        client = await world.enter(self._reader)
        reply = await client.join(self._room.id)
        head = await client.event("head", deadline=PINGS + SLACK)
        return {"head": head, "ch": self._room.id, "pos": reply["pos"], "ping": client.of("ping")}

    async def _leaves_a_small_room(self, world: World) -> JSON:
        """Two people; one comes, goes, and is missed later."""
        client = await world.enter(self._reader, self._small)
        guest = await world.guest(self._small)
        me = guest.session["user"]["id"]
        came = await client.until(lambda e: _names(e, "in", me), "presence.delta in")
        await guest.close()
        left = asyncio.get_running_loop().time()
        gone = await client.until(lambda e: _names(e, "out", me), "presence.delta out", deadline=15 + SLACK)
        return {"came": came, "gone": gone, "after": asyncio.get_running_loop().time() - left}

    async def _counts_down(self, world: World) -> JSON:
        """Two readers, of whom one goes away."""
        client, other = await world.enter(self._reader, self._counted), await world.enter(None, self._counted)
        await client.event("presence.count", viewers=2)
        mark = client.mark()
        await other.close()
        return (await client.event("presence.count", start=mark, viewers=1, deadline=15 + SLACK))["d"]


def _names(event: JSON, side: str, user: str) -> bool:
    if event["t"] != "presence.delta":
        return False
    members: list[Any] = event["d"].get(side, [])
    return user in [member["id"] if isinstance(member, dict) else member for member in members]


async def _until_close(client: Client, deadline: float) -> JSON:
    began = asyncio.get_running_loop().time()
    bye = await client.closed(deadline=deadline)
    return {"close": client.close_code, "bye": bye, "after": asyncio.get_running_loop().time() - began}
