"""A program for test_stop: serves on a free port, floods whoever connects, says what its drain does.

python -m tests.contract.wire.stopping_app SECONDS_TO_DRAIN SECONDS_OF_BOUND
"""

import asyncio
import sys
from typing import Any

from chatcore.fanout.frames import frame_text
from tests.contract.wire.rig import NotingSink
from web.server import serve
from web.ws_protocol import SocketWire
from web.ws_upgrade import EXTENSION

WIRES: list[SocketWire] = []


def say(what: str) -> None:
    print(what, flush=True)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        say("lifespan over")
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        wire = scope["extensions"][EXTENSION]
        await send({"type": "websocket.accept"})
        wire.attach(NotingSink(wire))
        WIRES.append(wire)
        if scope["path"] == "/stuck":
            while wire.write(frame_text(b"x" * 10_000)):
                pass
        say("connected")


async def drain() -> None:
    say("draining")
    for wire in WIRES:
        wire.write(frame_text(b"goaway"))
    await asyncio.sleep(float(sys.argv[1]))
    say("drained")


if __name__ == "__main__":
    serve(
        application,
        host="127.0.0.1",
        port=0,
        drain=drain,
        drain_seconds=float(sys.argv[2]),
        on_listening=say,
    )
