"""Owns the identity of an embedded log: notices that its file was replaced by an older one (protocol 3).

At each start a boot counter is raised in the database, then in a sentinel file beside it. A sentinel that is ahead of
the database means that an older copy was put back: positions handed out since are void, and a new epoch says so. A
sentinel that is missing says that the file was moved here alone: the same. One behind is a crash between the two.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path


def _get(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def _put(connection: sqlite3.Connection, key: str, value: str) -> None:
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def _sentinel(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):  # what can't be read says as little as what is not there
        return int(path.read_text(encoding="ascii"))
    return None


def begin(connection: sqlite3.Connection, sentinel: Path, fresh: str) -> tuple[str, int]:
    """Count this start in the database; returns (epoch, boot). Call inside a write; then `seal`.

    `fresh` becomes the epoch if the log is new or was restored.
    """
    boot = int(_get(connection, "boot") or 0)
    epoch = _get(connection, "epoch")
    seen = _sentinel(sentinel)
    restored = boot > 0 and (seen is None or seen > boot)
    if epoch is None or restored:
        epoch = fresh
        _put(connection, "epoch", epoch)
    boot = max(boot, seen or 0) + 1
    _put(connection, "boot", str(boot))
    return epoch, boot


def seal(sentinel: Path, boot: int) -> None:
    """Write the boot counter beside the database, durably. Raises OSError."""
    part = sentinel.with_suffix(".part")
    with part.open("w", encoding="ascii") as handle:
        handle.write(f"{boot}\n")
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(sentinel)
