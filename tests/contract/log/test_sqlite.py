"""What only the embedded database can do: fail, be full, be in use, be restored, share a commit."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from chatcore.log.database import Database, DatabaseUnavailable
from chatcore.log.port import Ground, Unavailable
from chatcore.log.sqlite import SqliteLog
from chatcore.room.events import ChannelChanged, Entry
from tests.contract.log.places import CH, ROOM, START, Place, insert_channel, numbered, on_sqlite


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    opened = await Database.open(tmp_path / "cascade.db")
    yield opened
    await opened.close()


def insert(value: str) -> Callable[[sqlite3.Connection], str]:
    def work(db: sqlite3.Connection) -> str:
        db.execute("INSERT INTO meta (key, value) VALUES (?, 'x')", (value,))
        return value

    return work


async def keys(database: Database) -> set[str]:
    return {key for (key,) in await database.query("SELECT key FROM meta")}


# -- group commit -------------------------------------------------------------------------------------------------


async def test_what_is_queued_while_a_commit_runs_shares_the_next(database: Database) -> None:
    before = database.commits
    assert await asyncio.gather(*(database.write(insert(f"k{i}")) for i in range(300))) == [
        f"k{i}" for i in range(300)
    ]
    assert database.commits - before < 30
    assert len(await keys(database)) == 300


async def test_one_failing_work_does_not_harm_its_neighbours(database: Database) -> None:
    def fails(db: sqlite3.Connection) -> None:
        insert("half")(db)
        raise LookupError("mine")

    def wrong(db: sqlite3.Connection) -> None:
        insert("wrong")(db)
        db.execute("INSERT INTO nowhere VALUES (1)")

    works = [insert("a"), fails, insert("b"), wrong, insert("a2")]
    first, second, third, fourth, fifth = await asyncio.gather(
        *(database.write(work) for work in works), return_exceptions=True
    )
    assert (first, third, fifth) == ("a", "b", "a2")
    assert isinstance(second, LookupError)
    assert isinstance(fourth, sqlite3.OperationalError)
    assert await keys(database) == {"a", "b", "a2"}


async def test_a_work_that_ends_the_transaction_fails_its_batch_and_the_writer_lives(
    database: Database,
) -> None:
    def rolls_back(db: sqlite3.Connection) -> None:
        db.execute("ROLLBACK")
        raise LookupError("it was undone under us")

    results = await asyncio.gather(
        database.write(insert("a")),
        database.write(rolls_back),
        database.write(insert("b")),
        return_exceptions=True,
    )
    assert all(isinstance(result, DatabaseUnavailable | str) for result in results)
    await database.write(insert("c"))
    assert "c" in await keys(database)


async def test_a_full_disk_is_told_and_passes(database: Database) -> None:
    (pages,) = (await database.query("PRAGMA page_count"))[0]
    await database.write(lambda db: db.execute(f"PRAGMA max_page_count = {pages}") and None)
    big = "x" * 100_000
    with pytest.raises((DatabaseUnavailable, sqlite3.OperationalError), match="full"):
        await database.write(lambda db: db.execute("INSERT INTO meta VALUES ('big', ?)", (big,)) and None)
    await database.write(lambda db: db.execute("PRAGMA max_page_count = 1000000") and None)
    await database.write(insert("later"))
    assert await keys(database) == {"later"}


async def test_a_closed_database_says_so(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "cascade.db")
    queued = [database.submit(insert(f"k{i}")) for i in range(20)]
    await database.close()
    await database.close()
    assert [await future for future in queued] == [f"k{i}" for i in range(20)]
    with pytest.raises(DatabaseUnavailable, match="closed"):
        await database.write(insert("late"))
    with pytest.raises(DatabaseUnavailable, match="closed"):
        await database.query("SELECT 1")


# -- opening ------------------------------------------------------------------------------------------------------


async def test_a_second_process_is_kept_out(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="Another Cascade"):
        await Database.open(database.path)
    await database.close()
    await (await Database.open(database.path)).close()


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"nowhere.*--data"):
        await Database.open(tmp_path / "nowhere" / "cascade.db")


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "cascade.db"
    path.write_bytes(b"not a database, " * 100)
    with pytest.raises(DatabaseUnavailable, match="can't be used"):
        await Database.open(path)
    path.unlink()
    await (await Database.open(path)).close()  # the lock is free again


@pytest.mark.parametrize("name", ["with space", "with#hash", "with?mark", "with%20percent", "mit ümlaut"])
async def test_any_folder_name_reads_what_was_written(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    database = await Database.open(folder / "cascade.db")
    await database.write(insert("here"))
    assert await keys(database) == {"here"}
    await database.close()
    assert os.listdir(tmp_path) == [name]  # noqa: PTH208 - a coroutine


# -- a log that fails ---------------------------------------------------------------------------------------------


async def test_a_failing_append_is_unavailable_and_leaves_nothing(tmp_path: Path) -> None:
    async with on_sqlite(tmp_path) as place:
        await place.create(CH)
        await place.create("c_2")
        taken = (ROOM, ChannelChanged({"slug": "2-slug"}), None)
        with pytest.raises(Unavailable):
            await place.write(place.said(), taken)
        assert await place.heads(CH) == (0, 0)
        assert [entry.n for entry in await place.write(place.said())] == [1]


async def test_a_channel_that_is_deleted_ends_the_append(tmp_path: Path) -> None:
    """Its streams are gone: no head will ever be what the writer thinks, and it must not try for ever."""
    async with on_sqlite(tmp_path) as place:
        await place.create(CH)
        await place.write(place.said())
        await delete(place)
        for known in ((1, 0), (0, 0)):
            event = place.said()

            def decide(ground: Ground, known: Any = known, event: Any = event) -> list[Entry]:
                return numbered({CH: known}, [event], ground.now)

            with pytest.raises(Unavailable, match="deleted"):
                await place.log.append({CH: known}, decide)


async def delete(place: Place) -> None:
    log = place.log
    assert isinstance(log, SqliteLog)

    def work(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM event")
        db.execute("DELETE FROM message")
        db.execute("DELETE FROM stream")

    await log._database.write(work)  # pyright: ignore[reportPrivateUsage] - the test breaks what the log stands on


async def test_a_closed_log_is_unavailable(tmp_path: Path) -> None:
    async with on_sqlite(tmp_path) as place:
        await place.create(CH)
    for work in (
        place.log.room(CH),
        place.log.read(ROOM, limit=1),
        place.log.heads([ROOM]),
        place.log.append({CH: (0, 0)}, lambda ground: numbered({CH: (0, 0)}, [place.said()], ground.now)),
    ):
        with pytest.raises(Unavailable):
            await work


# -- the epoch (protocol 3) ---------------------------------------------------------------------------------------


async def started(folder: Path, fresh: str) -> str:
    """Start on this folder, stop in order, and say which epoch it was."""
    database = await Database.open(folder / "cascade.db")
    try:
        return (await SqliteLog.open(database, now=lambda: START, fresh=fresh)).epoch
    finally:
        await database.close()


async def test_an_epoch_outlives_restarts(tmp_path: Path) -> None:
    assert [await started(tmp_path, f"k{i}") for i in range(3)] == ["k0", "k0", "k0"]


async def test_an_older_copy_that_was_put_back_is_a_new_epoch(tmp_path: Path) -> None:
    await started(tmp_path, "k0")
    copy = (tmp_path / "cascade.db").read_bytes()
    assert await started(tmp_path, "k1") == "k0"
    (tmp_path / "cascade.db").write_bytes(copy)
    assert await started(tmp_path, "k2") == "k2"
    assert await started(tmp_path, "k3") == "k2"


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"\xff\xfe"])
async def test_a_file_that_was_moved_here_alone_is_a_new_epoch(tmp_path: Path, content: bytes | None) -> None:
    await started(tmp_path, "k0")
    sentinel = tmp_path / "cascade.boot"
    sentinel.unlink()
    if content is not None:
        sentinel.write_bytes(content)
    assert await started(tmp_path, "k1") == "k1"
    assert await started(tmp_path, "k2") == "k1"


async def test_a_crash_between_the_database_and_the_sentinel_changes_nothing(tmp_path: Path) -> None:
    await started(tmp_path, "k0")
    sentinel = (tmp_path / "cascade.boot").read_bytes()
    await started(tmp_path, "k1")
    (tmp_path / "cascade.boot").write_bytes(sentinel)
    assert await started(tmp_path, "k2") == "k0"


async def test_a_new_file_beside_an_old_sentinel(tmp_path: Path) -> None:
    await started(tmp_path, "k0")
    (tmp_path / "cascade.db").unlink()
    assert await started(tmp_path, "k1") == "k1"
    assert await started(tmp_path, "k2") == "k1"


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "cascade.db")
    log = await SqliteLog.open(database, now=lambda: START, fresh="k0")
    await insert_channel(database, CH)
    place = Place()
    place.logs = log, log
    written = await place.write(place.said(), place.said("u_bob", idem="x"))
    await database.close()
    database = await Database.open(tmp_path / "cascade.db")
    log = await SqliteLog.open(database, now=lambda: START, fresh="k1")
    assert [row.entry for row in (await log.read(ROOM, limit=10)).rows] == written
    room = await log.room(CH)
    await database.close()
    assert room is not None
    assert (room.head, set(room.idems)) == (2, {("u_bob", "x")})
