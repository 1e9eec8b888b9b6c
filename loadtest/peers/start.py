"""Which peers can be run here, and the processes that do it. Knows their commands and nothing of their inside."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from loadtest.server import ROOT, Process, free_port

_HERE = Path(__file__).resolve().parent
NAMES = ("starlette", "websockets", "node-ws")


def peer(name: str, *, core: int = 0) -> Process | str:
    """The process of a peer, not started yet; or the reason (text) why it cannot run here."""
    port = free_port()
    if name == "node-ws":
        missing = _node_missing()
        return missing or Process(name, ["node", str(_HERE / "node_ws.mjs"), str(port)], port, core=core)
    module = {"starlette": "starlette_loop", "websockets": "websockets_broadcast"}[name]
    return Process(name, [sys.executable, "-m", f"loadtest.peers.{module}", str(port)], port, core=core)


def _node_missing() -> str:
    """Why node's `ws` cannot run; empty if it can. `dev.py bench` installs it from the lock."""
    if shutil.which("node") is None:
        return "node is not installed"
    return "" if (ROOT / "node_modules" / "ws").is_dir() else "ws is not installed (npm ci)"
