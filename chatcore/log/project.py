"""Owns the present-tense tables: what each durable event changes beside the log, in the same transaction (law 4)."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from chatcore.room.events import (
    ChannelChanged,
    Entry,
    Gone,
    ModeChanged,
    RoleChanged,
    Said,
    Sanctioned,
    Unsanctioned,
)

#: The columns of a channel that an edit may write; `tags` and `policy` are JSON.
_EDITS = {
    "slug": "UPDATE channel SET slug = ? WHERE id = ?",
    "owner": "UPDATE channel SET owner = ? WHERE id = ?",
    "title": "UPDATE channel SET title = ? WHERE id = ?",
    "category": "UPDATE channel SET category = ? WHERE id = ?",
    "tags": "UPDATE channel SET tags = ? WHERE id = ?",
    "mature": "UPDATE channel SET mature = ? WHERE id = ?",
    "visibility": "UPDATE channel SET visibility = ? WHERE id = ?",
    "policy": "UPDATE channel SET policy = ? WHERE id = ?",
    "scheduled_at": "UPDATE channel SET scheduled_at = ? WHERE id = ?",
}


def project(connection: sqlite3.Connection, entry: Entry) -> None:
    """Write what `entry` means now. Messages are inserted in bulk by the log itself."""
    channel = entry.stream.owner
    match entry.event:
        case Said():
            return
        case Gone() as gone:
            _remove(connection, channel, gone)
        case ModeChanged() as mode:
            _mode(connection, channel, mode)
        case RoleChanged(user=user, role=None):
            connection.execute("DELETE FROM role WHERE channel = ? AND user = ?", (channel, user))
        case RoleChanged(user=user, role=role, until=until):
            connection.execute(
                "INSERT OR REPLACE INTO role VALUES (?, ?, ?, ?)", (channel, user, role, until)
            )
        case Sanctioned() as s:
            row = (channel, s.user, s.kind, s.until, s.reason, s.action)
            connection.execute("INSERT OR REPLACE INTO sanction VALUES (?, ?, ?, ?, ?, ?)", row)
        case Unsanctioned(user=user):
            connection.execute("DELETE FROM sanction WHERE channel = ? AND user = ?", (channel, user))
        case ChannelChanged(changes=changes):
            _edit(connection, channel, changes)
        case _:
            return


def _remove(connection: sqlite3.Connection, channel: str, gone: Gone) -> None:
    if gone.mids:
        connection.execute(
            """UPDATE message SET gone = ? WHERE channel = ? AND gone IS NULL
            AND mid IN (SELECT value FROM json_each(?))""",
            (gone.by, channel, msgspec.json.encode(gone.mids).decode()),
        )
    if gone.user is not None:
        connection.execute(
            "UPDATE message SET gone = ? WHERE channel = ? AND user = ? AND n BETWEEN ? AND ? AND gone IS NULL",
            (gone.by, channel, gone.user, gone.lo, gone.hi),
        )


def _mode(connection: sqlite3.Connection, channel: str, mode: ModeChanged) -> None:
    if mode.value in (False, 0, -1) and not isinstance(mode.value, str):
        connection.execute("DELETE FROM mode WHERE channel = ? AND name = ?", (channel, mode.name))
        return
    row = (channel, mode.name, msgspec.json.encode(mode.value).decode(), mode.until, mode.by)
    connection.execute("INSERT OR REPLACE INTO mode VALUES (?, ?, ?, ?, ?)", row)


def _edit(connection: sqlite3.Connection, channel: str, changes: dict[str, Any]) -> None:
    for column, value in changes.items():
        stored = msgspec.json.encode(value).decode() if column in ("tags", "policy") else value
        connection.execute(_EDITS[column], (stored, channel))
