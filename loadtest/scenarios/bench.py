"""What scenarios share: the cores, a fresh server with rooms, guests and speakers.

Owns the set-up of a run; refuses to know particular scenarios, figures and goals.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtest.client import Client
from loadtest.crowd import Crowd
from loadtest.link import Plan
from loadtest.peers.words import CHANNEL
from loadtest.server import Process, Rest, cascade


@dataclass(frozen=True, slots=True)
class Bench:
    """How the run is to be: `quick` shrinks the crowds, `seconds` is the length of a measured phase."""

    quick: bool = False
    seconds: float = 10.0
    folder: Path | None = None  # where data folders are made; None: the system's temporary folder
    server_core: int = 0

    def many(self, count: int) -> int:
        """A crowd of `count`, or a tenth of it in a quick run."""
        return max(10, count // 10) if self.quick else count


@dataclass(frozen=True, slots=True)
class House:
    """A running server with rooms to meet in."""

    process: Process
    rooms: tuple[str, ...]
    data: Path | None = None


@contextlib.contextmanager
def house(bench: Bench, rooms: int = 1) -> Generator[House]:
    """The server of this repository with `rooms` empty channels, on a fresh data folder."""
    data = Path(tempfile.mkdtemp(prefix="bench-", dir=bench.folder))
    process = cascade(data, core=bench.server_core)
    try:
        process.start()
        rest = Rest(process.port)
        rest.sign_up("bench")
        yield House(process, tuple(rest.channel(f"bench-{n}") for n in range(rooms)), data)
    finally:
        process.stop()
        shutil.rmtree(data, ignore_errors=True)


@contextlib.contextmanager
def peer_house(process: Process) -> Generator[House]:
    """A peer, which has one room."""
    try:
        process.start()
        yield House(process, (CHANNEL,))
    finally:
        process.stop()


def other_core(bench: Bench) -> None:
    """Puts this process on every core but the server's, if there is another."""
    rest = os.sched_getaffinity(0) - {bench.server_core}
    if rest:
        os.sched_setaffinity(0, rest)


def source(index: int) -> str | None:
    """The address to connect from: one for each 10,000 clients, so that ports do not run out."""
    return f"127.0.0.{1 + index // 10_000}" if index >= 10_000 else None


def guests(
    crowd: Crowd, rooms: Sequence[str], count: int, *, want: tuple[str, ...] = ("presence",)
) -> list[Client]:
    """`count` guests, each planned to join one of `rooms` in turn."""
    return [
        crowd.add(Plan(guest=f"reader {n}", rooms=(rooms[n % len(rooms)],), want=want, source=source(n)))
        for n in range(count)
    ]


def speakers(crowd: Crowd, count: int) -> list[Client]:
    """`count` guests that will speak; they join no room (sending needs no join) and are read before the bulk."""
    return [crowd.add(Plan(guest=f"speaker {n}", urgent=True, counted=False)) for n in range(count)]
