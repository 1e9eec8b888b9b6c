"""What a process used and how long things took: /proc readings and percentiles.

Owns the arithmetic of measuring; refuses to know the protocol, the server and the crowd. Linux only, because
it reads /proc; CPU times come in ticks of 10 ms, so a phase to be judged should burn at least a second.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds (user + system, all threads) and resident memory (KiB) of a process and its children."""

    cpu_s: float
    rss_kib: int


def usage(pid: int) -> Usage:
    """The usage of `pid` and of all that descend from it; zeros for what is gone meanwhile."""
    cpu, rss = 0.0, 0
    for each in family(pid):
        fields = _stat(each)
        if fields:
            cpu += (int(fields[11]) + int(fields[12])) / _TICK
            rss += int(fields[21]) * _PAGE_KIB
    return Usage(cpu, rss)


def family(pid: int) -> list[int]:
    """`pid` and its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for each in found:
        found.extend(children.get(each, []))
    return found


def busy_s() -> float:
    """CPU seconds that the whole machine has been busy since it started, all cores together."""
    fields = (_PROC / "stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, fields)
    return (user + nice + system + irq + softirq + steal) / _TICK


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on (after the name, which may hold spaces); [] if gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    return text[text.rindex(")") + 2 :].split()


def percentile(ascending: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0…1) of `ascending` do not exceed; nan if it is empty."""
    if not ascending:
        return math.nan
    rank = max(1, math.ceil(share * len(ascending)))
    return ascending[min(rank, len(ascending)) - 1]


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of a set of durations, in milliseconds."""

    count: int
    p50: float
    p90: float
    p99: float
    max: float

    @classmethod
    def of_ns(cls, durations: Iterable[int]) -> Spread:
        """From durations in nanoseconds, in any order."""
        values = sorted(durations)
        p50, p90, p99 = (percentile(values, share) / 1e6 for share in (0.5, 0.9, 0.99))
        return cls(len(values), p50, p90, p99, values[-1] / 1e6 if values else math.nan)


def median(values: Iterable[float]) -> float:
    """The middle value (the lower of two)."""
    return percentile(sorted(values), 0.5)
