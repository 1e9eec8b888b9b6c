"""Owns whether this process is alive, ready and well, and says so at /livez, /readyz and /healthz.

Refuses to know what it checks: services hand in named probes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.codec import encode_payload

State = Literal["ok", "degraded", "down"]
Probe = Callable[[], Awaitable[State]]
"""Answers how the thing is; raising, or taking longer than DEADLINE, means down."""

DEADLINE: Final = 2.0
#: Seconds for which a report is given again, so that asking often costs no reads.
FRESH: Final = 1.0
_RANK: Final[dict[str, int]] = {"ok": 0, "degraded": 1, "down": 2}


class Health:
    """The state of this process. `drain()` is called when it begins to stop."""

    def __init__(
        self, version: str, probes: Mapping[str, Probe], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.version = version
        self.draining = False
        self._probes = dict(probes)
        self._clock = clock
        self._report: dict[str, Any] = {}
        self._until = float("-inf")
        self._lock = asyncio.Lock()

    def drain(self) -> None:
        """From now on not ready: load balancers send nobody new."""
        self.draining = True

    async def report(self) -> dict[str, Any]:
        """`{"status","version","checks":{name:{"status","ms"}}}`, at most FRESH seconds old."""
        async with self._lock:  # of many who ask at once one looks, the others take what he saw
            if self._clock() >= self._until:
                self._report = await self._look()
                self._until = self._clock() + FRESH
            return self._report

    async def _look(self) -> dict[str, Any]:
        results = await asyncio.gather(*(self._probe(probe) for probe in self._probes.values()))
        checks = {
            name: {"status": state, "ms": ms} for name, (state, ms) in zip(self._probes, results, strict=True)
        }
        worst: State = "ok"
        for state, _ in results:
            worst = max(worst, state, key=_RANK.__getitem__)
        return {"status": worst, "version": self.version, "checks": checks}

    async def _probe(self, probe: Probe) -> tuple[State, float]:
        started = self._clock()
        try:
            state = await asyncio.wait_for(probe(), DEADLINE)
        except Exception:
            state = "down"
        return state, round((self._clock() - started) * 1000, 2)


async def livez(request: Request) -> Response:
    """200 as long as the process answers at all."""
    del request
    return _json({"status": "ok"})


async def readyz(request: Request) -> Response:
    """200 when it should be sent new people; 503 while it starts to stop or something it needs is down."""
    health: Health = request.app.state.services.health
    if health.draining:
        return _json({"status": "draining"}, 503)
    status = (await health.report())["status"]
    return _json({"status": status}, 503 if status == "down" else 200)


async def healthz(request: Request) -> Response:
    """Every check with its time; 503 if one is down."""
    health: Health = request.app.state.services.health
    report = await health.report()
    return _json(report, 503 if report["status"] == "down" else 200)


def health_routes() -> list[Route]:
    """The three routes."""
    return [Route("/livez", livez), Route("/readyz", readyz), Route("/healthz", healthz)]


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(
        encode_payload(body), status, headers={"cache-control": "no-store"}, media_type="application/json"
    )
