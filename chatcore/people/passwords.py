"""Owns password hashing: argon2id, off the loop, in few threads that yield to all others, with a bounded queue.

Refuses to know whose password it is and what a password must look like.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from schemas.errors import Refused

T = TypeVar("T")

#: How much nicer than the loop a hashing thread is (Linux): a flood of logins must not delay messages.
NICE = 10
#: Hashes that may wait or run at once: a few seconds of work.
QUEUE = 96
#: … of them for one address, so that nobody fills the queue alone.
QUEUE_OF_ONE = 8


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters of argon2id; the defaults are OWASP's second choice (19 MiB, 2 passes, 1 lane)."""

    passes: int = 2
    memory_kib: int = 19 * 1024


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether the password fits, and whether its hash was made with other parameters than today's."""

    ok: bool
    outdated: bool = False


def threads_for(cores: int) -> int:
    """How many hashes run at once: half the cores, so that the loop and the database keep theirs."""
    return max(1, cores // 2)


class Passwords:
    """Hash and check. Both raise Refused overloaded when too many are waiting."""

    def __init__(self, cost: Cost | None = None) -> None:
        cost = cost or Cost()
        self._hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(
            threads_for(os.cpu_count() or 1), thread_name_prefix="cascade-password", initializer=_give_way
        )
        self._pending: Counter[str] = Counter()
        # A hash of nothing, at full cost: who has no password takes as long to refuse as who has one.
        salt, digest = (base64.b64encode(bytes(size)).decode().rstrip("=") for size in (16, 32))
        self._nobody = f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p=1${salt}${digest}"

    async def hash(self, password: str, *, owner: str) -> str:
        """The hash to store, in PHC form. `owner` is the key of the address that asks."""
        return await self._off_loop(owner, lambda: self._hasher.hash(password))

    async def check(self, stored: str | None, password: str, *, owner: str) -> Checked:
        """Whether `password` fits `stored`; None fits nothing and takes as long."""
        return await self._off_loop(owner, lambda: self._check(stored, password))

    def close(self) -> None:
        """Drop what waits; what runs, ends."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, stored: str | None, password: str) -> Checked:
        try:
            self._hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return Checked(False)
        return Checked(stored is not None, stored is not None and self._hasher.check_needs_rehash(stored))

    async def _off_loop(self, owner: str, work: Callable[[], T]) -> T:
        if self._pending.total() >= QUEUE or self._pending[owner] >= QUEUE_OF_ONE:
            raise Refused("overloaded")
        self._pending[owner] += 1
        job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        job.add_done_callback(lambda _: self._done(owner))  # also when the one who asked went away
        return await asyncio.shield(job)

    def _done(self, owner: str) -> None:
        self._pending[owner] -= 1
        if not self._pending[owner]:
            del self._pending[owner]


def _give_way() -> None:
    """Lower the priority of the thread that calls. Linux only: elsewhere a thread's id may be a process's."""
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICE)
