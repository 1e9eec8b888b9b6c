"""Answers "!hello", reconnects and resumes. CASCADE_TOKEN=ct_… python bot.py ws://localhost:8080/ws @lobby"""

import asyncio
import json
import os
import sys
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


async def main(url: str, channel: str) -> None:
    token, me, at = os.environ.get("CASCADE_TOKEN"), "", dict[str, Any]()  # `at`: the position read last
    who: dict[str, Any] = {"token": token} if token else {"guest": {"name": "HelloBot"}}
    async for socket in connect(url):  # connects again when the connection ends, with growing pauses
        try:
            await socket.send(json.dumps({"id": 1, "t": "auth", "d": {**who, "resume": [at] if at else []}}))
            while frame := json.loads(await socket.recv()):
                t, d = frame.get("t"), frame.get("d", {})
                if t == "ping":
                    await socket.send('{"t":"pong"}')
                elif frame.get("re") == 1 and not at:
                    me = d["user"]["id"]
                    await socket.send(json.dumps({"id": 2, "t": "room.join", "ch": channel}))
                elif frame.get("re") == 2 or t == "room.snapshot":
                    at = {"ch": d["ch"], "s": "room", "pos": d["pos"]}
                elif frame.get("s") == "room" and "pos" in frame:
                    at["pos"] = frame["pos"]
                    if t == "msg.new" and d.get("text") == "!hello" and d["user"]["id"] != me:
                        say = {"text": f"Hello, {d['user']['displayName']}!", "idem": f"hello-{d['mid']}"}
                        send = {"id": 2 + frame["pos"][1], "t": "msg.send", "ch": at["ch"], "d": say}
                        await socket.send(json.dumps(send))
        except ConnectionClosed as end:
            if end.rcvd and 4500 <= end.rcvd.code < 5000:  # protocol 14: these are for good
                sys.exit(end.rcvd.reason)


asyncio.run(main(*sys.argv[1:3]))
