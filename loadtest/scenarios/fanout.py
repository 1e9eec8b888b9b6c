"""One room, many readers: deliveries per CPU second and latency, for our server and for its peers."""

from __future__ import annotations

from loadtest.arrivals import even
from loadtest.crowd import Crowd
from loadtest.peers.start import NAMES, peer
from loadtest.result import Result, ratios
from loadtest.scenarios.bench import Bench, House, guests, house, peer_house, speakers
from loadtest.scenarios.phase import fan_out_figures, speak

READERS = 1000
RATES = (50, 500, 2000)
PEER_RATES = (50, 200)


def fanout(bench: Bench) -> list[Result]:
    """1,000 readers at 50, 500 and 2,000 messages a second; a fresh server and crowd for each rate."""
    results: list[Result] = []
    for rate in RATES:
        with house(bench) as home:
            results.append(measured(bench, home, rate))
    return results


def peers(bench: Bench) -> list[Result]:
    """The same crowd before our server and each peer that runs here, at 50 and 200 messages a second, as ratios."""
    results: list[Result] = []
    for rate in PEER_RATES:
        results += _beside_peers(bench, rate)
    return results


def _beside_peers(bench: Bench, rate: float) -> list[Result]:
    with house(bench) as home:
        ours = measured(bench, home, rate)
    ours.notes.append("the full path (auth, validation, durable log); the peers send and do nothing else")
    others: list[Result] = []
    missing: list[str] = []
    for name in NAMES:
        process = peer(name, core=bench.server_core)
        if isinstance(process, str):
            missing.append(f"{name}: {process}")
            continue
        with peer_house(process) as home:
            result = measured(bench, home, rate)
        result.server = name
        others.append(result)
    compared = ratios(ours, others)
    compared.notes.extend(missing)
    return [ours, *others, compared]


def measured(bench: Bench, home: House, rate: float) -> Result:
    """One rate before one server."""
    readers = bench.many(READERS)
    with Crowd(home.process.address) as crowd:
        voices = speakers(crowd, 8 if rate <= 500 else 16)
        crowd.open(voices)
        crowd.open(guests(crowd, home.rooms, readers))
        phase, pump = speak(crowd, home.process.pid, voices, home.rooms, even(rate, bench.seconds), readers)
        result = fan_out_figures(phase, pump, readers)
    result.name = f"fanout {readers}x{rate}"
    return result
