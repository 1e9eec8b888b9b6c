"""The usual way with Starlette: a loop that awaits `send_text` for every socket, under uvicorn (sans-IO)."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from loadtest.peers.words import HELLO, Room

_members: set[WebSocket] = set()
_outgoing: asyncio.Queue[str] = asyncio.Queue()
_room = Room(_outgoing.put_nowait)


async def _broadcast() -> None:
    while True:
        text = await _outgoing.get()
        for member in list(_members):
            try:
                await member.send_text(text)
            except (WebSocketDisconnect, RuntimeError):
                _members.discard(member)


async def _serve(socket: WebSocket) -> None:
    await socket.accept("cascade.v1.json")
    await socket.send_text(HELLO)
    try:
        while True:
            reply = _room.answer(await socket.receive_text(), lambda: _members.add(socket))
            if reply is not None:
                await socket.send_text(reply)
    except WebSocketDisconnect:
        _members.discard(socket)


@contextlib.asynccontextmanager
async def _lifespan(_app: Starlette) -> AsyncGenerator[None]:
    task = asyncio.create_task(_broadcast())
    yield
    task.cancel()


app = Starlette(routes=[WebSocketRoute("/ws", _serve)], lifespan=_lifespan)

if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        log_level="error",
    )
