"""Owns `serve --demo`: a channel with a few scripted chatters, so that a newcomer sees a room with life in it.

The chatters are guests over the real socket, like anybody's bots. Refuses to touch anything but its own channel.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from schemas.limits import SUBPROTOCOL
from schemas.resources import ChannelCreate
from web.services import Services

_LOG = logging.getLogger("cascade")

SLUG = "demo"
GUESTS = ("Mara", "Jonas", "Ines", "Tariq", "Lena")
LINES = (
    "hello from the river 🌊",
    "is the stream on tonight?",
    "Grüße aus Köln",
    "that last run was wild",
    "مرحبا بالجميع",
    "who brought the kayak?",
    "first time here, looks great",
    "the docs are at https://example.org/docs",
    "👏👏👏",
    "anyone up for a raid later?",
    "I like the quiet theme",
    "haha yes",
)
PAUSE_S = (1.0, 4.0)


async def play(services: Services, address: str) -> None:
    """Make the demo channel where there is none, and chat in it until cancelled."""
    channel = await _channel(services)
    _LOG.info("The demo is at %s/@%s", address, SLUG)
    url = address.replace("http", "ws", 1) + "/ws"
    await asyncio.gather(*(_chatter(url, channel, name) for name in GUESTS))


async def _channel(services: Services) -> str:
    found = await services.channels.find(SLUG)
    if found is not None:
        return found
    host = await services.people.house_bot("Cascade Demo")
    ask = ChannelCreate(title="Cascade demo", slug=SLUG, category="demo", tags=["demo"])
    return (await services.channels.found(host, ask)).id


async def _chatter(url: str, channel: str, name: str) -> None:
    """One guest: comes back after a restart, keeps his identity while this process lives."""
    guest: dict[str, Any] = {"name": name}
    while True:
        with contextlib.suppress(OSError, WebSocketException, TimeoutError):
            async with connect(url, subprotocols=[SUBPROTOCOL], ping_interval=None) as socket:  # pyright: ignore[reportArgumentType] # a plain string is one
                await _talk(socket, channel, guest)
        await asyncio.sleep(1)


async def _talk(socket: ClientConnection, channel: str, guest: dict[str, Any]) -> None:
    await socket.send(json.dumps({"id": 1, "t": "auth", "d": {"guest": guest}}))
    await socket.send(json.dumps({"id": 2, "t": "room.join", "ch": channel}))
    heard: list[str] = []
    number = 2
    loop = asyncio.get_running_loop()
    speak_at = loop.time() + random.uniform(*PAUSE_S) * len(GUESTS)  # noqa: S311 - a pause, no secret
    while True:
        try:
            frame = json.loads(await asyncio.wait_for(socket.recv(), speak_at - loop.time()))
        except TimeoutError:
            number += 1
            await socket.send(json.dumps({"id": number, "t": "msg.send", "ch": channel, "d": _line(heard)}))
            speak_at = loop.time() + random.uniform(*PAUSE_S) * len(GUESTS)  # noqa: S311
            continue
        if frame.get("t") == "ping":
            await socket.send('{"t":"pong"}')
        elif frame.get("t") == "msg.new":
            heard = [*heard[-4:], frame["d"]["mid"]]
        elif "guestToken" in frame.get("d", {}):
            guest["token"] = frame["d"]["guestToken"]


def _line(heard: list[str]) -> dict[str, Any]:
    line: dict[str, Any] = {"text": random.choice(LINES)}  # noqa: S311
    if heard and random.random() < 0.2:  # noqa: S311
        line["replyTo"] = random.choice(heard)  # noqa: S311
    return line
