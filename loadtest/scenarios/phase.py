"""One measured phase, and the figures of a fan-out in it.

Owns what is read before and after, and the doubts that a reader must see. Refuses to know who joined where.
"""

from __future__ import annotations

import math
import os
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from loadtest import arrivals
from loadtest.client import Client
from loadtest.crowd import SECOND, Crowd
from loadtest.measure import Spread, busy_s, percentile, usage
from loadtest.result import Figure, Result
from loadtest.speakers import Pump
from loadtest.tally import Tally

SEED = 20
_LATE_NS = 20_000_000
_OTHERS = 0.2


def own_cpu() -> float:
    """CPU seconds that this process, the crowd, has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@dataclass(slots=True)
class Phase:
    """From construction to `end()`: deliveries, and the CPU of the server `pid` and of the crowd."""

    crowd: Crowd
    pid: int
    tally: Tally = field(default_factory=Tally)
    start_ns: int = 0
    took_s: float = 0.0
    server_cpu_s: float = 0.0
    own_cpu_s: float = 0.0
    server_mib: float = 0.0
    others_cpu_s: float = 0.0  # what the rest of the machine used meanwhile
    lost: int = 0
    twice: int = 0

    def __post_init__(self) -> None:
        self.crowd.tally = self.tally
        self.crowd.lags.clear()
        self.lost, self.twice = self.crowd.lost, self.crowd.twice
        self.server_cpu_s, self.own_cpu_s = usage(self.pid).cpu_s, own_cpu()
        self.others_cpu_s = busy_s()
        self.start_ns = time.monotonic_ns()

    def end(self) -> None:
        """Takes the differences."""
        now = usage(self.pid)
        self.took_s = (time.monotonic_ns() - self.start_ns) / SECOND
        self.server_cpu_s = now.cpu_s - self.server_cpu_s
        self.own_cpu_s = own_cpu() - self.own_cpu_s
        self.others_cpu_s = max(0.0, busy_s() - self.others_cpu_s - self.server_cpu_s - self.own_cpu_s)
        self.server_mib = now.rss_kib / 1024
        self.lost, self.twice = self.crowd.lost - self.lost, self.crowd.twice - self.twice
        self.crowd.tally = None

    def doubts(self, pump: Pump | None = None) -> list[str]:
        """What makes the figures of this phase less than they seem."""
        notes: list[str] = []
        late = percentile(sorted(self.crowd.lags), 0.99) if self.crowd.lags else 0
        if late > _LATE_NS:
            notes.append(f"the crowd sent late (p99 {late / 1e6:.0f} ms): latencies include its own slowness")
        if os.sched_getaffinity(self.pid) & os.sched_getaffinity(0):
            notes.append("server and crowd share a core: each waits for the other")
        if self.own_cpu_s > 0.9 * self.took_s:
            notes.append("the crowd's core was full: latencies are the crowd's as much as the server's")
        others = self.others_cpu_s / self.took_s
        if others > _OTHERS:
            notes.append(f"other programs used {others:.1f} cores meanwhile: latencies are theirs as well")
        if pump is not None and pump.held_back:
            notes.append(f"{pump.held_back} times no speaker was free: the server owed too many replies")
        if pump is not None and pump.acks.refused:
            notes.append(f"refused: {dict(pump.acks.refused)}")
        if self.crowd.faults:
            notes.append(f"faults: {self.crowd.why()}")
        return notes


def speak(
    crowd: Crowd,
    pid: int,
    voices: Sequence[Client],
    channels: Sequence[str],
    offsets: Sequence[int],
    readers: int,
) -> tuple[Phase, Pump]:
    """Messages of 120 characters at `offsets` (arrivals.py), in turn in `channels`, after a second to warm up.

    `readers` is how many connections receive each message. Ends when all was delivered, or 5 s later.
    """
    rate = len(offsets) / (offsets[-1] / SECOND)
    warm = Pump(crowd, voices, channels, arrivals.even(rate, 1.0))
    warm.start(time.monotonic_ns())
    crowd.run(5.0, lambda: warm.finished)
    crowd.run(0.5)
    phase = Phase(crowd, pid)
    pump = Pump(crowd, voices, channels, offsets)
    pump.start(phase.start_ns)
    crowd.run(offsets[-1] / SECOND)
    expected = len(pump.offsets) * readers
    crowd.run(5.0, lambda: pump.finished and phase.tally.total >= expected)
    phase.end()
    return phase, pump


def fan_out_figures(phase: Phase, pump: Pump, readers: int) -> Result:
    """Deliveries by server CPU second, latency from sending to reading, acknowledgements, and the two cores."""
    delivered = phase.tally.count(phase.start_ns)
    expected = len(pump.offsets) * readers
    latency = Spread.of_ns(phase.tally.latencies(phase.start_ns))
    acks = Spread.of_ns(pump.acks.latencies)
    figures: dict[str, Figure] = {
        "deliveriesPerCpuSecond": delivered / phase.server_cpu_s if phase.server_cpu_s else math.nan,
        "delivered": delivered,
        "deliveredShare": delivered / expected if expected else math.nan,
        "p50Ms": latency.p50,
        "p99Ms": latency.p99,
        "maxMs": latency.max,
        "ackP50Ms": acks.p50,
        "ackP99Ms": acks.p99,
        "lost": phase.lost,
        "twice": phase.twice,
        "serverCoreShare": phase.server_cpu_s / phase.took_s,
        "crowdCoreShare": phase.own_cpu_s / phase.took_s,
        "serverMib": phase.server_mib,
    }
    result = Result("", figures, notes=phase.doubts(pump))
    if delivered < expected:
        result.notes.append(f"{expected - delivered:,} of {expected:,} deliveries had not come when it ended")
    return result
