"""8,000 readers at 200 messages a second, in one room and in ten, with a probe in a room of its own."""

from __future__ import annotations

from loadtest.arrivals import even
from loadtest.crowd import Crowd
from loadtest.measure import Spread
from loadtest.result import Result
from loadtest.scenarios.bench import Bench, House, guests, house, speakers
from loadtest.scenarios.phase import fan_out_figures, speak
from loadtest.speakers import Probe

READERS = 8000
RATE = 200
_ROOMS = 10


def crowd8k(bench: Bench) -> list[Result]:
    """The same deliveries a second twice: 200/s to 8,000 in one room; 200/s in each of ten rooms of 800."""
    with house(bench, rooms=2) as home:
        one = _measured(bench, home, home.rooms[:1], home.rooms[1])
    one.name = "crowd8k one room"
    with house(bench, rooms=_ROOMS + 1) as home:
        ten = _measured(bench, home, home.rooms[:_ROOMS], home.rooms[_ROOMS])
    ten.name = "crowd8k ten rooms"
    return [one, ten]


def _measured(bench: Bench, home: House, rooms: tuple[str, ...], quiet: str) -> Result:
    readers = bench.many(READERS)
    with Crowd(home.process.address) as crowd:
        voices = speakers(crowd, 16)
        asker = speakers(crowd, 1)[0]
        crowd.open([*voices, asker])
        crowd.open(guests(crowd, rooms, readers), within=120)
        probe = Probe(crowd, asker, quiet)
        probe.start()
        each = readers // len(rooms)
        offsets = even(RATE * len(rooms), bench.seconds)
        phase, pump = speak(crowd, home.process.pid, voices, rooms, offsets, each)
        probe.running = False
        result = fan_out_figures(phase, pump, each)
    both = Spread.of_ns([*probe.writes.latencies, *probe.reads.latencies])
    result.figures["probeP50Ms"] = both.p50
    result.figures["probeP99Ms"] = both.p99
    result.figures["probeWriteP99Ms"] = Spread.of_ns(probe.writes.latencies).p99
    result.figures["probeReadP99Ms"] = Spread.of_ns(probe.reads.latencies).p99
    result.figures["probes"] = both.count
    return result
