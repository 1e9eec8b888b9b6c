"""What every peer says, as text: hello, the replies, and the one event. Pure; knows no library."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any, cast

CHANNEL = "c_bench"
USER = {"id": "g_1", "name": "peer", "displayName": "peer", "kind": "guest", "roles": ["guest"]}
HELLO = json.dumps(
    {
        "t": "hello",
        "d": {"v": 1, "server": "peer", "pingMs": 25000, "pongMs": 8000, "authMs": 10000, "limits": {}},
    }
)


class Room:
    """The one room: hands out positions and frames events. `publish(text)` sends to all that joined."""

    def __init__(self, publish: Callable[[str], None]) -> None:
        self._numbers = itertools.count(1)
        self._head = 0
        self._publish = publish

    def answer(self, text: str, join: Callable[[], None]) -> str | None:
        """The reply to one command, after what it causes; None for a pong."""
        command = cast("dict[str, Any]", json.loads(text))
        kind = command["t"]
        if kind == "pong":
            return None
        if kind == "room.join":
            join()
            return _ok(command, {"ch": CHANNEL, "pos": ["peer", self._head], "recent": []})
        if kind == "msg.send":
            return _ok(command, self._say(command["d"]["text"]))
        return _ok(command, {"session": "x_1", "user": USER, "resumed": []})

    def _say(self, text: str) -> dict[str, Any]:
        self._head = next(self._numbers)
        position: list[Any]
        position, mid = ["peer", self._head], f"m_{self._head}"
        d: dict[str, Any] = {"mid": mid, "user": USER, "text": text, "frags": []}
        now = int(time.time() * 1000)
        event: dict[str, Any] = {
            "t": "msg.new",
            "ch": CHANNEL,
            "s": "room",
            "pos": position,
            "ts": now,
            "d": d,
        }
        self._publish(json.dumps(event))
        return {"outcome": "published", "mid": mid, "pos": position}


def _ok(command: dict[str, Any], d: dict[str, Any]) -> str:
    return json.dumps({"re": command["id"], "ok": True, "d": d})
