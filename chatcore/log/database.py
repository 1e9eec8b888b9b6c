"""Owns the SQLite file: one writer thread with group commit, a few readers, the lock that keeps a second process out.

Knows no table. Writers hand in a function of the connection; what is queued while a commit runs shares the next one,
so the disk's own pace sets the batch size and no timer is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Generic, TypeVar, cast

import aiosqlite

from chatcore.log.migrate import SchemaTooNew, migrate

T = TypeVar("T")

#: Works that share one commit at most: a cap on the time until the first of them is answered, not a window.
BATCH_CAP = 500
#: WAL pages after which the writer checkpoints even when it is never idle (4 KiB each).
CHECKPOINT_COMMITS = 4000
IDLE_SECONDS = 0.25


class DatabaseUnavailable(Exception):
    """The file can't be opened or written; `args[0]` says what and the remedy."""


class _Work(Generic[T]):
    __slots__ = ("failure", "future", "run", "value")

    def __init__(self, run: Callable[[sqlite3.Connection], T], future: asyncio.Future[T]) -> None:
        self.run = run
        self.future = future
        self.value: T | None = None
        self.failure: BaseException | None = None


class Database:
    """Open with `await Database.open(path)`. Every method is called from the loop that opened it."""

    def __init__(
        self, path: Path, writer: sqlite3.Connection, readers: list[aiosqlite.Connection], lock: Any
    ) -> None:
        self.path = path
        self.commits = 0
        self.reads = 0
        self._writer = writer
        self._readers = readers
        self._next_reader = 0
        self._lock = lock
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Work[Any] | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._write_loop, name="cascade-writer", daemon=True)
        self._thread.start()

    @classmethod
    async def open(cls, path: Path, *, readers: int = 2) -> Database:
        """Open or create the file at `path`, bring its schema up to date, start the writer.

        Raises DatabaseUnavailable with a remedy: no such folder, not writable, in use by another process, too new.
        """
        lock = _lock_file(path)
        try:
            writer = await asyncio.to_thread(_connect_writer, path)
        except BaseException:
            lock.close()
            raise
        opened: list[aiosqlite.Connection] = []
        address = _reading(path)
        for _ in range(readers):
            reader = await aiosqlite.connect(address, uri=True, isolation_level=None)
            await reader.execute("PRAGMA query_only = 1")
            opened.append(reader)
        return cls(path, writer, opened, lock)

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Queue `work` for the writer; the future ends after the commit that holds it, or with its exception."""
        future: asyncio.Future[T] = self._loop.create_future()
        if self._closed:
            future.set_exception(DatabaseUnavailable("The database is closed."))
        else:
            self._queue.put(_Work(work, future))
        return future

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work(connection)` on the writer thread in order; returns when it is on disk.

        An exception of `work` undoes only its own changes and is raised here; a failing commit raises
        DatabaseUnavailable to everybody in the batch.
        """
        return await self.submit(work)

    async def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of one read statement, seen as of one moment. Raises DatabaseUnavailable when closed."""
        if self._closed:
            raise DatabaseUnavailable("The database is closed.")
        self.reads += 1
        reader = self._readers[self._next_reader]
        self._next_reader = (self._next_reader + 1) % len(self._readers)
        rows = await reader.execute_fetchall(sql, params)
        return cast("list[tuple[Any, ...]]", rows)  # no row factory is set: rows are plain tuples

    async def close(self) -> None:
        """Commit what is queued, fold the WAL back into the file, release the lock. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        for reader in self._readers:
            await reader.close()
        self._lock.close()

    # -- writer thread ---------------------------------------------------------------------------------------

    def _write_loop(self) -> None:
        since_checkpoint = 0
        while True:
            try:
                first = self._queue.get(timeout=IDLE_SECONDS if since_checkpoint else None)
            except queue.Empty:
                self._checkpoint()
                since_checkpoint = 0
                continue
            batch, ended = self._gather(first)
            if batch:
                self._commit(batch)
                since_checkpoint += 1
                if since_checkpoint >= CHECKPOINT_COMMITS:
                    self._checkpoint()
                    since_checkpoint = 0
            if ended:
                with contextlib.suppress(sqlite3.Error):
                    self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._writer.close()
                return

    def _gather(self, first: _Work[Any] | None) -> tuple[list[_Work[Any]], bool]:
        batch: list[_Work[Any]] = []
        item = first
        while True:
            if item is None:
                return batch, True
            batch.append(item)
            if len(batch) >= BATCH_CAP:
                return batch, False
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, False

    def _commit(self, batch: list[_Work[Any]]) -> None:
        connection = self._writer
        try:
            connection.execute("BEGIN IMMEDIATE")
            for work in batch:
                self._run(connection, work)
            connection.execute("COMMIT")
            self.commits += 1
        except Exception as error:  # whatever it is, the thread lives on and everybody is answered
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            for work in batch:
                if work.failure is None:
                    work.failure = DatabaseUnavailable(f"The database could not be written: {error}.")
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody is left to be told
            self._loop.call_soon_threadsafe(_answer, batch)

    @staticmethod
    def _run(connection: sqlite3.Connection, work: _Work[Any]) -> None:
        connection.execute("SAVEPOINT work")
        try:
            work.value = work.run(connection)
        except BaseException as error:  # the failure belongs to the caller; the batch goes on without it
            if not connection.in_transaction:
                raise
            work.failure = error
            connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")

    def _checkpoint(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _answer(batch: list[_Work[Any]]) -> None:
    for work in batch:
        if work.future.done():
            continue
        if work.failure is None:
            work.future.set_result(work.value)
        else:
            work.future.set_exception(work.failure)


def _connect_writer(path: Path) -> sqlite3.Connection:
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA cache_size = -32000")
        connection.execute("PRAGMA temp_store = MEMORY")
        migrate(connection)
    except (sqlite3.Error, SchemaTooNew) as error:
        if connection is not None:
            connection.close()
        raise DatabaseUnavailable(f"The database {path} can't be used: {error}") from error
    return connection


def _reading(path: Path) -> str:
    """The address that opens the file for reading; escapes what a URI gives a meaning to (# ? %)."""
    return f"{path.absolute().as_uri()}?mode=ro"


def _lock_file(path: Path) -> IO[str]:
    """Hold an advisory lock beside the file for as long as it is open: SQLite means one process (law 4)."""
    try:
        handle = path.with_suffix(".lock").open("a")
    except OSError as error:
        raise DatabaseUnavailable(
            f"The data folder {path.parent} can't be written ({error.strerror}): choose another with --data."
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise DatabaseUnavailable(
            f"Another Cascade is using {path.parent}: stop it, or choose another folder with --data."
        ) from error
    return handle
