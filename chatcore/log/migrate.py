"""Owns the schema's version: runs the numbered SQL files that a database file has not seen yet, forward only.

Knows nothing of what the tables mean. `PRAGMA user_version` holds the number of the last file that was applied.
"""

from __future__ import annotations

import re
import sqlite3
from importlib import resources
from typing import NamedTuple


class Migration(NamedTuple):
    number: int
    name: str
    sql: str


class SchemaTooNew(Exception):
    """The file was written by a newer Cascade than this one."""


def migrations() -> list[Migration]:
    """All migrations that ship with this version, ascending and without a gap."""
    found: list[Migration] = []
    for entry in (resources.files("chatcore.log") / "migrations").iterdir():
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", entry.name)
        if match:
            found.append(Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    found.sort()
    return found


def migrate(connection: sqlite3.Connection, *, upto: int | None = None) -> list[str]:
    """Bring `connection` (autocommit) to the newest schema, or to number `upto`; returns the names applied.

    Each file runs in a transaction of its own together with its version number, so a crash leaves a whole version.
    Raises SchemaTooNew, sqlite3.Error.
    """
    steps = migrations()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if steps and version > steps[-1].number:
        raise SchemaTooNew(
            f"The database has schema {version}; this Cascade knows {steps[-1].number}. Start the newer version again."
        )
    applied: list[str] = []
    for step in steps:
        if step.number <= version or (upto is not None and step.number > upto):
            continue
        script = f"BEGIN IMMEDIATE;\n{step.sql}\nPRAGMA user_version = {step.number};\nCOMMIT;"
        try:
            connection.executescript(script)
        except sqlite3.Error:
            if connection.in_transaction:
                connection.rollback()
            raise
        applied.append(f"{step.number:04d}_{step.name}")
    return applied
