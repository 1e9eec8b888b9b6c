"""The `websockets` library with its own `broadcast`, which frames once and writes to every transport."""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from loadtest.peers.words import HELLO, Room

_members: set[ServerConnection] = set()
_room = Room(lambda text: broadcast(_members, text))


async def _serve(socket: ServerConnection) -> None:
    try:
        await socket.send(HELLO)
        async for text in socket:
            reply = _room.answer(str(text), lambda: _members.add(socket))
            if reply is not None:
                await socket.send(reply)
    except ConnectionClosed:
        pass
    finally:
        _members.discard(socket)


async def _main() -> None:
    server = await serve(
        _serve,
        "127.0.0.1",
        int(sys.argv[1]),
        compression=None,
        ping_interval=None,
        subprotocols=[Subprotocol("cascade.v1.json")],
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
