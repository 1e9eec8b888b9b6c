"""The machine that the figures were taken on, in the words that a reader needs to compare them.

Owns the description only; refuses to measure the server. No names of hosts and no paths are in it.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any


def describe(folder: Path | None = None) -> dict[str, Any]:
    """Processor, memory, kernel, interpreter, limits and the cost of one fsync in `folder` (ms, median)."""
    return {
        "processor": _field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memoryMiB": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1048576,
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "node": _version("node"),
        "openFiles": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "load1": round(os.getloadavg()[0], 2),
        "fsyncMs": round(fsync_cost(folder), 3),
    }


def fsync_cost(folder: Path | None = None, tries: int = 21) -> float:
    """Milliseconds (median) to append 4 KiB to a file in `folder` and have it on the disk."""
    took: list[float] = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(tries):
            start = time.monotonic()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            took.append((time.monotonic() - start) * 1000)
    return sorted(took)[tries // 2]


def commit(root: Path) -> str:
    """The commit of the working tree, with `+` if tracked files differ from it; empty outside a repository."""
    if shutil.which("git") is None:
        return ""
    head = _output(["git", "-C", str(root), "rev-parse", "--short=12", "HEAD"])
    changed = _output(["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"])
    return head + "+" if head and changed else head


def _field(file: str, name: str) -> str:
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return platform.processor()
    found = [line.split(":", 1)[1].strip() for line in lines if line.startswith(name)]
    return found[0] if found else platform.processor()


def _version(program: str) -> str | None:
    return _output([program, "--version"]) or None if shutil.which(program) else None


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
