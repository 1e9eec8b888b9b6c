"""What a connection costs that is joined and silent: memory; and what it cost the server to come."""

from __future__ import annotations

from loadtest.crowd import Crowd
from loadtest.measure import Usage, usage
from loadtest.result import Result
from loadtest.scenarios.bench import Bench, House, guests, house

READERS = 2000
_FIRST = 200
_ROOMS = 20


def idle(bench: Bench) -> list[Result]:
    """2,000 guests in 20 rooms after 200 that warmed the server up; then a while in which nobody speaks."""
    with house(bench, rooms=_ROOMS) as home:
        return [_measured(bench, home)]


def _measured(bench: Bench, home: House) -> Result:
    readers = bench.many(READERS)
    with Crowd(home.process.address) as crowd:
        crowd.open(guests(crowd, home.rooms, bench.many(_FIRST)))
        crowd.run(1.0)
        before = usage(home.process.pid)
        seconds = crowd.open(guests(crowd, home.rooms, readers), parallel=32)
        crowd.run(0.5)
        there = usage(home.process.pid)
        crowd.run(bench.seconds)
        later = usage(home.process.pid)
    return Result(
        "idle", _figures(readers, seconds, before, there, later, bench.seconds), notes=_notes(crowd)
    )


def _figures(
    readers: int, seconds: float, before: Usage, there: Usage, later: Usage, quiet_s: float
) -> dict[str, float | int | str | None]:
    return {
        "connections": readers,
        "kibPerConnection": (later.rss_kib - before.rss_kib) / readers,
        "cpuUsPerConnection": (there.cpu_s - before.cpu_s) / readers * 1e6,
        "connectionsPerSecond": readers / seconds,
        "quietCoreShare": (later.cpu_s - there.cpu_s) / quiet_s,
        "serverMib": later.rss_kib / 1024,
    }


def _notes(crowd: Crowd) -> list[str]:
    return [f"faults: {crowd.why()}"] if crowd.faults else []
