"""How many sends a second are acknowledged as durable, and how soon, with ten readers in the room."""

from __future__ import annotations

from loadtest.arrivals import poisson
from loadtest.crowd import Crowd
from loadtest.measure import Spread
from loadtest.result import Figure, Result
from loadtest.scenarios.bench import Bench, House, guests, house, speakers
from loadtest.scenarios.phase import SEED, Phase, speak
from loadtest.speakers import ClosedLoop

_READERS = 10
_SENDERS = 16
_WINDOW = 32
_RATE = 1000


def durable(bench: Bench) -> list[Result]:
    """The best of a closed loop with 512 sends in flight; then 1,000 sends a second, open loop."""
    with house(bench) as home:
        best = _best(bench, home)
    with house(bench) as home:
        steady = _steady(bench, home)
    return [best, steady]


def _best(bench: Bench, home: House) -> Result:
    with Crowd(home.process.address) as crowd:
        voices = speakers(crowd, _SENDERS)
        crowd.open(voices)
        crowd.open(guests(crowd, home.rooms, _READERS))
        loop = ClosedLoop(voices, home.rooms[0], _WINDOW)
        phase = Phase(crowd, home.process.pid)
        loop.start()
        crowd.run(bench.seconds)
        loop.running = False
        crowd.run(5.0, lambda: not any(client.pending for client in voices))
        phase.end()
    took = Spread.of_ns(loop.acks.latencies)
    result = Result(
        "durable best",
        {
            "acknowledgedPerSecond": loop.best(),
            "meanPerSecond": took.count / phase.took_s,
            "inFlight": _SENDERS * _WINDOW,
            "p50Ms": took.p50,
            "p99Ms": took.p99,
            "serverCoreShare": phase.server_cpu_s / phase.took_s,
            "crowdCoreShare": phase.own_cpu_s / phase.took_s,
        },
        notes=phase.doubts(),
    )
    if loop.acks.refused:
        result.notes.append(f"refused: {dict(loop.acks.refused)}")
    return result


def _steady(bench: Bench, home: House) -> Result:
    offsets = poisson(_RATE, bench.seconds, SEED)
    with Crowd(home.process.address) as crowd:
        voices = speakers(crowd, _SENDERS)
        crowd.open(voices)
        crowd.open(guests(crowd, home.rooms, _READERS))
        phase, pump = speak(crowd, home.process.pid, voices, home.rooms, offsets, _READERS)
    took = Spread.of_ns(pump.acks.latencies)
    figures: dict[str, Figure] = {
        "acknowledged": took.count,
        "p50Ms": took.p50,
        "p90Ms": took.p90,
        "p99Ms": took.p99,
        "maxMs": took.max,
        "serverCoreShare": phase.server_cpu_s / phase.took_s,
    }
    return Result("durable 1000/s", figures, notes=phase.doubts(pump))
