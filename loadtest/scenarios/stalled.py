"""One reader in a hundred stops reading: do the others notice, and when and how is the stuck one let go?

Four phases in one run: without stalled readers, with, with, without, so that the machine's drift touches both.
Half of the stalled ones never read again until their connection is reset; the others begin to read again, one
after another, and tell whether they caught up, found a `bye`, or were cut without a word.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from loadtest.arrivals import poisson
from loadtest.client import Client
from loadtest.crowd import SECOND, Crowd
from loadtest.link import DEAD, READY, Plan
from loadtest.measure import Spread
from loadtest.result import Figure, Result
from loadtest.scenarios.bench import Bench, House, guests, house, speakers
from loadtest.scenarios.phase import SEED, speak

READERS = 1000
_RATE = 100
_BUFFER = 4096


_SECONDS = 9.0  # a phase must outlast the letting go
_AGAIN_S = ((1.0, 2.0, 3.0, 4.0, 5.0), (4.5, 5.5, 6.0, 6.5, 7.0))  # when those of a phase read again


@dataclass(slots=True)
class Stuck:
    """A reader that stopped at `since_ns`; and how it ended: seconds later, or None if it is still there."""

    client: Client
    since_ns: int
    ended_s: float | None = None
    told: bool = False

    def look(self) -> None:
        """Takes down how it ended, before the client is opened again."""
        if self.client.state == DEAD:
            self.ended_s = (self.client.closed_ns - self.since_ns) / SECOND
            self.told = (self.client.goodbye or {}).get("close") == 4003


@dataclass(slots=True)
class Side:
    """All phases of one kind: latencies (ns), bytes a second that a reading member received, doubts."""

    latencies: list[int] = field(default_factory=list[int])
    bytes_per_s: float = 0.0
    doubts: set[str] = field(default_factory=set[str])


def stalled(bench: Bench) -> list[Result]:
    """1,000 readers at 100 messages a second, 10 more that stall in two of four phases."""
    with house(bench) as home:
        return [_measured(bench, home)]


def _measured(bench: Bench, home: House) -> Result:
    seconds = max(bench.seconds, _SECONDS)
    without, during = Side(), Side()
    with Crowd(home.process.address) as crowd:
        voices = speakers(crowd, 8)
        crowd.open(voices)
        members = guests(crowd, home.rooms, bench.many(READERS))
        crowd.open(members)
        _talk(crowd, home, voices, members, seconds, without)
        never: list[Stuck] = []
        again: list[Stuck] = []
        gone = resumed = 0
        for again_s in _AGAIN_S:
            fresh_never, fresh_again = _stall(crowd, home, again_s)
            _talk(crowd, home, voices, members, seconds, during)
            for stuck in (*fresh_never, *fresh_again):
                stuck.look()
            cut = [stuck.client for stuck in (*fresh_never, *fresh_again) if stuck.ended_s is not None]
            gone, resumed = gone + len(cut), resumed + _resumed(crowd, cut)
            for stuck in (*fresh_never, *fresh_again):
                stuck.client.close()
            never, again = never + fresh_never, again + fresh_again
        _talk(crowd, home, voices, members, seconds, without)
        losses: dict[str, Figure] = {"lost": crowd.lost, "twice": crowd.twice}
    before, after = Spread.of_ns(without.latencies).p99, Spread.of_ns(during.latencies).p99
    figures: dict[str, Figure] = {
        "p99WithoutMs": before,
        "p99WithMs": after,
        "p99Ratio": after / before,
        **_shedding(never, again, during.bytes_per_s),
        "resumed": resumed / gone if gone else None,
        **losses,
    }
    return Result("stalled", figures, notes=sorted(without.doubts | during.doubts))


def _talk(
    crowd: Crowd, home: House, voices: list[Client], members: list[Client], seconds: float, side: Side
) -> None:
    """One phase, added to its side."""
    bytes_before = members[0].bytes_in
    crowd.faults.clear()
    phase, pump = speak(
        crowd, home.process.pid, voices, home.rooms, poisson(_RATE, seconds, SEED), len(members)
    )
    side.latencies += phase.tally.latencies(phase.start_ns)
    side.bytes_per_s = (members[0].bytes_in - bytes_before) / phase.took_s
    side.doubts.update(
        note for note in phase.doubts(pump) if "stalled" not in note and "bye 4003" not in note
    )


def _stall(crowd: Crowd, home: House, again_s: tuple[float, ...]) -> tuple[list[Stuck], list[Stuck]]:
    """New readers with small buffers stop reading: some for ever, and as many until `again_s` seconds later."""
    plans = [
        Plan(guest=f"stalled {n}", rooms=home.rooms, receive_buffer=_BUFFER, counted=False)
        for n in range(2 * len(again_s))
    ]
    clients = [crowd.add(plan) for plan in plans]
    crowd.open(clients)
    now = time.monotonic_ns()
    for client in clients:
        crowd.stall(client)
    stuck = [Stuck(client, now) for client in clients]
    never, again = stuck[: len(again_s)], stuck[len(again_s) :]
    for each, seconds in zip(again, again_s, strict=True):
        crowd.at(now + int(seconds * SECOND), lambda _now, client=each.client: crowd.unstall(client))
    return never, again


def _shedding(never: list[Stuck], again: list[Stuck], bytes_per_s: float) -> dict[str, Figure]:
    waits = [stuck.ended_s for stuck in never if stuck.ended_s is not None]
    slowest = max(waits) if len(waits) == len(never) else None
    cut = [stuck for stuck in again if stuck.ended_s is not None]
    return {
        "neverRead": len(never),
        "shed": len(waits),
        "shedSecondsMax": slowest,
        "unreadKibMax": slowest * bytes_per_s / 1024 if slowest is not None else None,
        "readAgain": len(again),
        "caughtUp": len(again) - len(cut),
        "toldBye4003": sum(stuck.told for stuck in cut),
        "cutWithoutWord": sum(not stuck.told for stuck in cut),
    }


def _resumed(crowd: Crowd, clients: list[Client]) -> int:
    """How many of `clients` come back with their position and get all that they missed."""
    for client in clients:
        client.open()
    crowd.run(5.0, lambda: all(client.state == READY for client in clients))
    return sum(client.resumed for client in clients if client.state == READY)
