"""One reader in a hundred stops reading: do the others notice, and when and how is the stuck one let go?

Four phases in one run: without, with, without, with stalled readers, so that the machine's drift touches both.
Half of the stalled ones never read again until their connection is reset; the others begin to read again, one
after another, and tell whether they found a `bye`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from loadtest.client import DEAD, READY, Client, Plan
from loadtest.crowd import SECOND, Crowd
from loadtest.measure import Spread, median
from loadtest.result import Figure, Result
from loadtest.scenarios.bench import Bench, House, guests, house, speakers
from loadtest.scenarios.phase import Phase, speak
from loadtest.speakers import Pump

READERS = 1000
_RATE = 100
_STALLED = 10
_BUFFER = 4096


@dataclass(slots=True)
class Stuck:
    """A reader that stopped, and when (ns)."""

    client: Client
    since_ns: int

    def unread_kib(self, rate_bytes: float) -> float:
        """KiB that were sent to the room between the stall and the end of this connection."""
        return (self.client.closed_ns - self.since_ns) / SECOND * rate_bytes / 1024


def stalled(bench: Bench) -> list[Result]:
    """1,000 readers at 100 messages a second, 10 of them stalled in every second phase."""
    with house(bench) as home:
        return [_measured(bench, home)]


def _measured(bench: Bench, home: House) -> Result:
    readers = bench.many(READERS)
    seconds = max(bench.seconds, 8.0)
    with Crowd(home.process.address) as crowd:
        voices = speakers(crowd, 8)
        crowd.open(voices)
        members = guests(crowd, home.rooms, readers - _STALLED)
        crowd.open(members)
        without: list[float] = []
        during: list[float] = []
        stuck: list[Stuck] = []
        doubts: list[str] = []
        rate_bytes = 0.0
        for _ in range(2):
            phase, pump, _ = _talk(crowd, home, voices, members, seconds)
            without.append(Spread.of_ns(phase.tally.latencies(phase.start_ns)).p99)
            doubts += phase.doubts(pump)
            stuck += _stall(crowd, home)
            phase, pump, rate_bytes = _talk(crowd, home, voices, members, seconds)
            during.append(Spread.of_ns(phase.tally.latencies(phase.start_ns)).p99)
            doubts += [note for note in phase.doubts(pump) if not note.startswith("faults")]
        figures = _shedding(crowd, stuck, rate_bytes)
    pairs = [after / before for before, after in zip(without, during, strict=True)]
    figures = {
        "p99WithoutMs": median(without),
        "p99WithMs": median(during),
        "p99Ratio": sum(pairs) / len(pairs),
        **figures,
    }
    return Result("stalled", figures, notes=sorted(set(doubts)))


def _talk(
    crowd: Crowd, home: House, voices: list[Client], members: list[Client], seconds: float
) -> tuple[Phase, Pump, float]:
    """One phase; also how many bytes a second a reading member received in it."""
    bytes_before = members[0].bytes_in
    phase, pump = speak(crowd, home.process.pid, voices, home.rooms, _RATE, seconds, len(members))
    return phase, pump, (members[0].bytes_in - bytes_before) / phase.took_s


def _stall(crowd: Crowd, home: House) -> list[Stuck]:
    """Ten new readers with small buffers, which stop reading; every second one reads again after 1 to 9 s."""
    clients = [
        crowd.add(Plan(guest=f"stalled {n}", rooms=home.rooms, receive_buffer=_BUFFER))
        for n in range(_STALLED)
    ]
    crowd.open(clients)
    now = time.monotonic_ns()
    for index, client in enumerate(clients):
        crowd.stall(client)
        if index % 2:
            crowd.at(now + index * SECOND, lambda _now, client=client: crowd.unstall(client))
    return [Stuck(client, now) for client in clients]


def _shedding(crowd: Crowd, stuck: list[Stuck], rate_bytes: float) -> dict[str, Figure]:
    crowd.run(3.0)
    never, again = stuck[::2], stuck[1::2]
    shed = [s for s in never if s.client.state == DEAD]
    cut = [s for s in again if s.client.state == DEAD]
    told = [s for s in cut if (s.client.goodbye or {}).get("close") == 4003]
    waits = [(s.client.closed_ns - s.since_ns) / SECOND for s in shed]
    gone = [s.client for s in (*shed, *cut)]
    resumed = _resumed(crowd, gone)
    return {
        "stalled": len(never),
        "shed": len(shed),
        "shedSecondsMax": max(waits) if len(shed) == len(never) else None,
        "unreadKibMax": max((s.unread_kib(rate_bytes) for s in shed), default=None),
        "readAgain": len(again),
        "readAgainAndShed": len(cut),
        "readAgainAndTold4003": len(told),
        "resumed": resumed / len(gone) if gone else None,
        "lost": crowd.lost,
        "twice": crowd.twice,
    }


def _resumed(crowd: Crowd, clients: list[Client]) -> int:
    """How many of `clients` come back with their position and get all that they missed."""
    for client in clients:
        client.open()
    crowd.run(5.0, lambda: all(client.state == READY for client in clients))
    return sum(client.resumed for client in clients if client.state == READY)
