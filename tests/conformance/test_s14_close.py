"""Protocol 14: how the server ends a connection: draining, a reader who does not read."""

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.conformance.conftest import making_target
from tests.conformance.world import World
from tests.support.client import Client
from tests.support.server import serving


def _socket(url: str) -> str:
    return url.replace("http", "ws", 1) + "/ws"


STOPPED = {0, -signal.SIGTERM}
"""Exit codes of a good stop: to end by the signal that asked for it is good manners."""


@pytest.fixture
async def leaving(tmp_path: Path, given_url: str | None) -> AsyncGenerator[World]:
    """A server that one test may stop, with a short drain."""
    if given_url is not None:
        pytest.skip("needs a server of its own")
    flags = ["--drain-seconds", "2"]
    with serving(tmp_path, limits=False, flags=flags) as server, making_target(server) as target:
        async with World(target) as world:
            yield world


async def test_a_planned_stop_says_goaway_then_bye_4001(leaving: World) -> None:
    room, server = leaving.room(), leaving.target.server
    assert server is not None
    clients = [await leaving.enter("ann", room), await leaving.enter(None, room)]
    server.terminate()
    for client in clients:
        goaway = (await client.event("goaway"))["d"]
        assert isinstance(goaway["reason"], str)
        assert goaway["reconnectInMs"] >= 0
        assert goaway["deadlineMs"] > 0
        bye = await client.closed(4001, deadline=15)
        assert (bye["close"], bye["retry"]) == (4001, "reconnect")
    assert await asyncio.to_thread(server.stop) in STOPPED


async def test_who_goes_when_asked_to_is_not_waited_for(leaving: World) -> None:
    server = leaving.target.server
    assert server is not None
    client = await leaving.enter("ann")
    server.terminate()
    await client.event("goaway")
    await client.close()
    assert await asyncio.to_thread(server.stop, deadline=10.0) in STOPPED


async def test_positions_stay_valid_over_a_restart(leaving: World) -> None:
    room, server = leaving.room(), leaving.target.server
    assert server is not None
    ann = await leaving.enter("ann", room)
    sent = await ann.say(room.id, "before the restart")
    await ann.message(sent["mid"])
    await asyncio.to_thread(server.restart)
    again = await leaving.open()
    reply = await again.auth(resume=[{"ch": room.id, "s": "room", "pos": sent["pos"]}])
    assert reply["resumed"][0]["ok"]
    done = await again.event("resume.done")
    assert done["d"]["pos"] == sent["pos"]


async def test_one_connection_too_many_of_an_address_is_closed_with_4504(
    tmp_path: Path, given_url: str | None
) -> None:
    if given_url is not None:
        pytest.skip("needs a server of its own")
    with serving(tmp_path, flags=["--socket-per-address", "3"]) as server:
        clients = [await Client.connect(server.url) for _ in range(4)]
        bye = await clients[3].closed(4504)
        assert bye["retry"] == "never"
        await clients[0].close()
        again = await Client.connect(server.url)
        await again.auth()
        for client in (*clients[1:], again):
            await client.close()


async def test_a_reader_who_does_not_read_is_shed_and_can_resume(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    lazy = await Client.connect(world.url)
    await lazy.auth()
    pos = (await lazy.join(room.id))["pos"]
    raw = deaf(lazy)
    try:
        for _ in range(36):  # 4 MB for a reader that takes nothing.
            pending = [await ann.start("msg.send", {"text": "\U0001f600" * 500}, room.id) for _ in range(50)]
            for future in pending:
                assert (await future)["ok"]
        tail = await drained(raw)
    finally:
        raw.close()
        await lazy.abort()
    assert b"msg.new" in tail
    sent = await ann.say(room.id, "the others never waited")
    await ann.message(sent["mid"])
    client = await world.enter(None)
    reply = await client.join(room.id, pos=pos)
    assert reply["resume"]["ok"]
    await client.message(sent["mid"])


def deaf(client: Client) -> socket.socket:
    """Stop reading as a hung program does; its socket, for looking at what waits there."""
    client.socket.transport.pause_reading()
    raw: socket.socket = client.socket.transport.get_extra_info("socket")
    twin = socket.socket(fileno=socket.dup(raw.fileno()))
    twin.setblocking(False)
    twin.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    return twin


async def drained(raw: socket.socket) -> bytes:
    """Read what is left until the server's end of the connection shows; AssertionError if it never does."""
    loop, tail = asyncio.get_running_loop(), b""
    async with asyncio.timeout(15):
        while True:
            try:
                got = await loop.sock_recv(raw, 1 << 16)
            except ConnectionError:
                return tail
            if not got:
                return tail
            tail = (tail + got)[-(1 << 20) :]


async def test_a_client_of_another_protocol_version_is_closed_with_4507(world: World) -> None:
    async with connect(_socket(world.target.url), subprotocols=[Subprotocol("cascade.v9.json")]) as socket:
        frames = await _to_the_end(socket)
    assert frames[-1]["t"] == "bye"
    assert frames[-1]["d"]["close"] == socket.close_code == 4507
    assert frames[-1]["d"]["retry"] == "never"


async def test_frames_without_end_are_flooding_and_closed_with_4008(
    tmp_path: Path, given_url: str | None
) -> None:
    if given_url is not None:
        pytest.skip("needs a server with its limits on")
    with serving(tmp_path, limits=True) as server, making_target(server) as target:
        async with connect(_socket(target.url)) as socket:
            reading = asyncio.create_task(_to_the_end(socket))
            await socket.send('{"id":1,"t":"auth"}')
            with contextlib.suppress(ConnectionClosed):
                for number in range(2, 2_300):
                    await socket.send(f'{{"id":{number},"t":"room.who","ch":"c_none"}}')
            frames = await reading
    assert frames[-1]["d"]["close"] == socket.close_code == 4008
    assert frames[-1]["d"]["retry"] == "reconnect"


async def _to_the_end(socket: ClientConnection) -> list[Any]:
    """Every frame until the connection is closed, by whatever code."""
    frames: list[Any] = []
    with contextlib.suppress(ConnectionClosed):
        async for frame in socket:
            frames.append(json.loads(frame))
    return frames
