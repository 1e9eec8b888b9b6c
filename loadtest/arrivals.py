"""When messages are sent: schedules of arrival, pure and repeatable from a seed.

Owns the arithmetic of arrivals; refuses to know clocks, sockets and what is sent. Every schedule is an
ascending list of offsets in nanoseconds from the beginning of a run, all smaller than its length.
"""

from __future__ import annotations

import random

SECOND = 1_000_000_000


def even(rate: float, seconds: float) -> list[int]:
    """Offsets (ns) of `rate` arrivals a second at equal distances, the first at 0."""
    _check(rate, seconds)
    count = round(rate * seconds)
    return [int(index * SECOND / rate) for index in range(count)]


def poisson(rate: float, seconds: float, seed: int) -> list[int]:
    """Offsets (ns) of a Poisson process of `rate` a second: what many independent people look like."""
    _check(rate, seconds)
    source = random.Random(seed)
    end = seconds * SECOND
    offsets: list[int] = []
    at = source.expovariate(rate) * SECOND
    while at < end:
        offsets.append(int(at))
        at += source.expovariate(rate) * SECOND
    return offsets


def _check(rate: float, seconds: float) -> None:
    if rate <= 0 or seconds <= 0:
        raise ValueError("rate and seconds must be positive")
