"""Every migration from a file of the version before it, with rows in it; and a file that is too new."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from chatcore.log.database import Database, DatabaseUnavailable
from chatcore.log.migrate import Migration, SchemaTooNew, migrate, migrations

STEPS = migrations()

#: What a file of version N may hold, as statements that version N accepts: one entry per migration.
ROWS: dict[int, list[str]] = {
    1: [
        "INSERT INTO meta VALUES ('epoch', 'k1'), ('boot', '3')",
        "INSERT INTO stream (kind, owner, head, last_ts) VALUES ('room', 'c_1', 2, 20), ('mod', 'c_1', 0, 0), "
        "('me', 'u_1', 1, 10)",
        """INSERT INTO event VALUES (1, 1, 10, '{"k":"said","mid":"m_1","user":"u_1","bucket":0}'),
        (1, 2, 20, '{"k":"gone","by":"author","mids":["m_1"]}'),
        (3, 1, 10, '{"k":"noticed","kind":"mention","ch":"c_1","mid":"m_1","by":"u_1"}')""",
        "INSERT INTO channel (id, slug, owner, title, created_at) VALUES ('c_1', 'one', 'u_1', 'One', 1)",
        "INSERT INTO message (channel, n, mid, user, ts, text, frags, flags, gone) "
        "VALUES ('c_1', 1, 'm_1', 'u_1', 10, 'hi', '[]', '[]', 'author')",
        "INSERT INTO role VALUES ('c_1', 'u_2', 'vip', NULL)",
        "INSERT INTO mode VALUES ('c_1', 'slow', '10', NULL, 'staff')",
        "INSERT INTO sanction VALUES ('c_1', 'u_3', 'ban', NULL, NULL, 'a_1')",
        "INSERT INTO stream_key (id, channel, hash, created_at) VALUES ('sk_1', 'c_1', x'00', 1)",
    ],
    2: [
        "INSERT INTO person (id, kind, name, folded, display_name, created_at) "
        "VALUES ('u_1', 'user', 'ann', 'ann', 'Ann', 1), ('g_1', 'guest', 'Bob', 'bob', 'Bob', 2)",
        "INSERT INTO sign_in (id, hash, person, created_at, used_at, expires_at) VALUES ('x_1', 'h', 'u_1', 1, 1, 9)",
    ],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cascade.db"


@pytest.fixture
def connection(file: Path) -> Generator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as opened:
        yield opened


def schema(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    return {(kind, name, re.sub(r"\s+", " ", sql)) for kind, name, sql in rows}


def contents(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def version(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    assert isinstance(number, int)
    return number


def filled(connection: sqlite3.Connection, upto: int) -> None:
    """A file of version `upto` in which every version before it left rows."""
    for step in STEPS[:upto]:
        migrate(connection, upto=step.number)
        for statement in ROWS.get(step.number, []):
            connection.execute(statement)


def test_they_are_numbered_without_a_gap() -> None:
    assert [step.number for step in STEPS] == list(range(1, len(STEPS) + 1))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.number:04d}_{step.name}")
def test_each_runs_on_a_file_of_the_version_before(
    connection: sqlite3.Connection, file: Path, step: Migration
) -> None:
    filled(connection, step.number - 1)
    before = contents(connection)
    assert version(connection) == step.number - 1
    assert migrate(connection, upto=step.number) == [f"{step.number:04d}_{step.name}"]
    assert version(connection) == step.number
    after = contents(connection)
    for table, rows in before.items():
        assert len(after[table]) == len(rows), f"{step.name} lost rows of {table}"
    with closing(sqlite3.connect(file.with_suffix(".new"), isolation_level=None)) as fresh:
        migrate(fresh, upto=step.number)
        assert schema(connection) == schema(fresh)


def test_the_newest_file_needs_nothing(connection: sqlite3.Connection) -> None:
    assert len(migrate(connection)) == len(STEPS)
    assert migrate(connection) == []


def test_a_step_that_fails_leaves_the_version_before(connection: sqlite3.Connection) -> None:
    migrate(connection, upto=1)
    connection.execute("CREATE TABLE person (mine)")
    before = schema(connection)
    with pytest.raises(sqlite3.OperationalError, match="person"):
        migrate(connection)
    assert version(connection) == 1
    assert schema(connection) == before
    assert not connection.in_transaction


async def test_a_file_that_is_too_new_is_refused_with_the_remedy(
    connection: sqlite3.Connection, file: Path
) -> None:
    migrate(connection)
    connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    with pytest.raises(SchemaTooNew, match=rf"schema {len(STEPS) + 1}; this Cascade knows {len(STEPS)}"):
        migrate(connection)
    with pytest.raises(DatabaseUnavailable, match="Start the newer version again"):
        await Database.open(file)


async def test_an_old_file_is_brought_up_to_date_when_it_is_opened(
    connection: sqlite3.Connection, file: Path
) -> None:
    filled(connection, 1)
    connection.close()
    database = await Database.open(file)
    assert (await database.query("SELECT text FROM message"))[0] == ("hi",)
    assert await database.query("SELECT * FROM person") == []
    await database.close()
