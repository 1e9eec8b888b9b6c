"""The server is killed under a full room and started again: when is everybody back, and is anything missing?"""

from __future__ import annotations

import random
import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

from loadtest import arrivals
from loadtest.client import Client
from loadtest.crowd import SECOND, Crowd
from loadtest.link import DEAD, READY
from loadtest.measure import percentile, usage
from loadtest.result import Result
from loadtest.scenarios.bench import Bench, House, guests, house, speakers
from loadtest.scenarios.phase import SEED
from loadtest.speakers import Pump

READERS = 5000
_RATE = 20
_PATIENCE_S = 30.0


@dataclass(slots=True)
class Returning:
    """Clients that come back by themselves: 0.2 to 1.0 s after each loss or failure, at random."""

    crowd: Crowd
    clients: list[Client]
    killed_ns: int
    source: random.Random = field(default_factory=lambda: random.Random(SEED))
    back_ns: dict[Client, int] = field(default_factory=dict[Client, int])
    _planned: set[Client] = field(default_factory=set[Client])

    def look(self, now: int) -> None:
        """Plans the next try of whoever is gone, notes who is back, and looks again 20 ms later."""
        for client in self.clients:
            if client.state == DEAD and client not in self._planned:
                self._planned.add(client)
                self.crowd.at(now + int(self.source.uniform(0.2, 1.0) * SECOND), self._opener(client))
            elif client.state == READY and client.ready_ns > self.killed_ns and client not in self.back_ns:
                self.back_ns[client] = client.ready_ns
        if not self.all_back:
            self.crowd.at(now + 20_000_000, self.look)

    @property
    def all_back(self) -> bool:
        """Whether every client is ready again."""
        return len(self.back_ns) == len(self.clients)

    def _opener(self, client: Client) -> Callable[[int], None]:
        def opened(_now: int) -> None:
            self._planned.discard(client)
            client.open()

        return opened


def comeback(bench: Bench) -> list[Result]:
    """5,000 readers of a hot room, kill -9, restart at once; each comes back with its position."""
    with house(bench) as home:
        return [_measured(bench, home)]


def _measured(bench: Bench, home: House) -> Result:
    readers = bench.many(READERS)
    process = home.process
    with Crowd(process.address) as crowd:
        voices = speakers(crowd, 4)
        members = guests(crowd, home.rooms, readers)
        crowd.open(voices)
        crowd.open(members, within=120)
        _talk(crowd, voices, home, 3.0)
        crowd.run(0.5)
        crowd.faults.clear()
        lost, twice = crowd.lost, crowd.twice

        killed = time.monotonic_ns()
        process.kill()
        crowd.run(0.01)
        start_s = process.start()
        listening = time.monotonic_ns()
        before = usage(process.pid).cpu_s
        everybody = Returning(crowd, [*voices, *members], killed)
        everybody.look(listening)
        in_time = crowd.run(_PATIENCE_S, lambda: everybody.all_back)
        cpu = usage(process.pid).cpu_s - before
        reads = _reads(process.port)
        head = _talk(crowd, voices, home, 2.0)
        crowd.run(1.0)
        behind = sum(max(0, head - client.heads[home.rooms[0], "room"]) for client in members)
        waits = sorted((at - listening) / SECOND for at in everybody.back_ns.values())
        result = Result(
            "comeback",
            {
                "clients": readers,
                "allBackSeconds": waits[-1] if in_time and waits else None,
                "halfBackSeconds": percentile(waits, 0.5),
                "sinceKillSeconds": (max(everybody.back_ns.values(), default=killed) - killed) / SECOND,
                "serverStartSeconds": start_s,
                "resumed": sum(client.resumed for client in members),
                "lost": crowd.lost - lost + behind,
                "twice": crowd.twice - twice,
                "readsPerClient": reads / readers if reads is not None else None,
                "cpuUsPerClient": cpu / readers * 1e6,
            },
        )
    if not in_time:
        result.notes.append(f"{readers - len(waits)} were not back after {_PATIENCE_S:.0f} s: {crowd.why()}")
    result.notes.append("the clients' own pause before each try is 0.2 to 1.0 s")
    return result


def _talk(crowd: Crowd, voices: list[Client], home: House, seconds: float) -> int:
    """Messages for `seconds`; the highest position that was acknowledged."""
    pump = Pump(crowd, voices, home.rooms, arrivals.poisson(_RATE, seconds, SEED))
    pump.start(time.monotonic_ns())
    crowd.run(seconds + 5.0, lambda: pump.finished)
    return pump.acks.head


def _reads(port: int) -> float | None:
    """Database reads since the start, from the server's own counter; None if it has none."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
        text = reply.read().decode()
    found = re.search(r"^cascade_database_reads(?:_total)?(?:\{[^}]*\})? (\S+)", text, re.M)
    return float(found[1]) if found else None
