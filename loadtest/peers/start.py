"""Which peers can be run here, and the processes that do it. Knows their commands and nothing of their inside."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from loadtest.server import Process, free_port

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
    """Why node's `ws` cannot run, after trying to install it from the lock; empty if it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if (_HERE / "node_modules" / "ws").is_dir():
        return ""
    if shutil.which("npm") is None:
        return "npm is not installed"
    try:
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=_HERE, capture_output=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return "npm did not answer within 60 s"
    return "" if done.returncode == 0 else "npm ci failed"
