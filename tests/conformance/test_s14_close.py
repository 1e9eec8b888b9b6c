"""Protocol 14: how the server ends a connection: draining, a reader who does not read."""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.conformance.conftest import make_target
from tests.conformance.world import World
from tests.support.client import Client
from tests.support.server import serving


async def test_a_planned_stop_says_goaway_then_bye_4001_and_loses_nothing(
    tmp_path: Path, given_url: str | None
) -> None:
    if given_url is not None:
        pytest.skip("needs a server of its own")
    with serving(tmp_path, limits=False) as server:
        world = World(make_target(server))
        room = world.room()
        ann, reader = await world.enter("ann", room), await world.enter(None, room)
        sent = await ann.say(room.id, "before the restart")
        await reader.message(sent["mid"])
        server.terminate()
        for client in (ann, reader):
            goaway = (await client.event("goaway"))["d"]
            assert isinstance(goaway["reason"], str)
            assert goaway["reconnectInMs"] >= 0
            assert goaway["deadlineMs"] > 0
            bye = await client.closed(4001, deadline=35)
            assert (bye["close"], bye["retry"]) == (4001, "reconnect")
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        again = await world.open()
        reply = await again.auth(resume=[{"ch": room.id, "s": "room", "pos": sent["pos"]}])
        assert reply["resumed"][0]["ok"], "positions stay valid"
        await again.event("resume.done")
        await world.aclose()


async def test_a_reader_who_does_not_read_is_shed_and_can_resume(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    lazy, pos = await stalled_reader(world, room.id)
    text = "\U0001f600" * 500
    try:
        for _ in range(40):  # 4 MB and more for a reader that takes nothing.
            pending = [await ann.start("msg.send", {"text": text}, room.id) for _ in range(50)]
            for future in pending:
                assert (await future)["ok"]
        tail = await drained(lazy)
    finally:
        lazy.close()
    sent = await ann.say(room.id, "the others never waited")
    await ann.message(sent["mid"])
    assert b"msg.new" in tail
    client = await world.enter(None)
    reply = await client.join(room.id, pos=pos)
    assert reply["resume"]["ok"] or reply["resume"]["reason"] == "too_far"


async def stalled_reader(world: World, ch: str) -> tuple[socket.socket, list[object]]:
    """A raw socket that has joined a room and reads nothing any more; and its position."""
    client = await Client.connect(world.url)
    await client.auth()
    joined = await client.join(ch)
    raw: socket.socket = client.socket.transport.get_extra_info("socket")
    twin = socket.socket(fileno=socket.dup(raw.fileno()))
    twin.setblocking(False)
    twin.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    client.socket.transport.pause_reading()
    world.clients.append(client)
    return twin, joined["pos"]


async def drained(lazy: socket.socket) -> bytes:
    """Read what is left until the server's end of the connection shows; AssertionError if it never does."""
    loop, tail = asyncio.get_running_loop(), b""
    async with asyncio.timeout(15):
        while True:
            try:
                got = await loop.sock_recv(lazy, 1 << 16)
            except ConnectionError:
                return tail
            if not got:
                return tail
            tail = (tail + got)[-(1 << 20) :]
