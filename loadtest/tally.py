"""Deliveries as they came, kept raw while the run lasts and counted afterwards.

Pure. Owns what was delivered and when; refuses to know connections and clocks.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Deliveries as they came: for each run of events its stamps and when it was read (ns)."""

    batches: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])
    times: list[int] = field(default_factory=list[int])
    total: int = 0

    def add(self, stamps: tuple[int, ...], at: int) -> None:
        """One connection read events with `stamps` at `at` (ns)."""
        self.batches.append(stamps)
        self.times.append(at)
        self.total += len(stamps)

    def count(self, since: int = 0) -> int:
        """How many stamps of `since` (ns) or later were delivered."""
        return sum(len(b) if b[0] >= since else sum(s >= since for s in b) for b in self.batches)

    def latencies(self, since: int = 0, at_most: int = 2_000_000) -> list[int]:
        """Latencies (ns) of stamps since `since`: all, or those of every k-th run if they are too many."""
        step = max(1, self.count(since) // at_most)
        pairs = zip(self.batches[::step], self.times[::step], strict=True)
        return [at - stamp for batch, at in pairs for stamp in batch if stamp >= since]
