"""Owns the figures for Prometheus: HTTP requests, and whatever services give to be read at each scrape.

Refuses to keep time series, and to count what somebody else counts already: services hand in functions,
which are called when Prometheus asks and cost nothing until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.errors import Refused

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Reading = float | Mapping[str, float]
"""A number, or numbers by the value of the figure's one label."""


class Metrics:
    """One registry, of this application and no other (several can live in one process, in tests)."""

    def __init__(self, *, process: bool = True) -> None:
        disable_created_metrics()  # a time of birth beside each counter doubles what is scraped
        self.registry = CollectorRegistry(auto_describe=False)
        if process:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
            GCCollector(registry=self.registry)
        self._requests = Counter(
            "cascade_http_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "cascade_http_seconds",
            "Seconds from a request's head to the end of its answer.",
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
        )
        self._children: dict[tuple[str, str, int], Any] = {}
        self._watched = _Watched()
        self.registry.register(self._watched)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one HTTP request; `route` is the pattern, never the path, so that labels stay few."""
        key = (method if method in _METHODS else "other", route, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._requests.labels(key[0], route, str(status))
        child.inc()
        self._seconds.observe(seconds)

    def gauge(self, name: str, doc: str, read: Callable[[], Reading], label: str | None = None) -> None:
        """A figure that goes up and down, read at each scrape."""
        self._watched.add("gauge", name, doc, read, label)

    def counter(self, name: str, doc: str, read: Callable[[], Reading], label: str | None = None) -> None:
        """A figure that only grows while the process lives, read at each scrape."""
        self._watched.add("counter", name, doc, read, label)

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        return generate_latest(self.registry)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_Kind = Literal["gauge", "counter"]


class _Watched(Collector):
    def __init__(self) -> None:
        self._figures: list[tuple[_Kind, str, str, Callable[[], Reading], str | None]] = []

    def add(self, kind: _Kind, name: str, doc: str, read: Callable[[], Reading], label: str | None) -> None:
        self._figures.append((kind, name, doc, read, label))

    def collect(self) -> Iterable[Metric]:
        for kind, name, doc, read, label in self._figures:
            family = GaugeMetricFamily if kind == "gauge" else CounterMetricFamily
            metric = family(name, doc, labels=[label] if label else [])
            reading = read()
            if isinstance(reading, Mapping):
                for value, number in sorted(reading.items()):
                    metric.add_metric([value], number)
            else:
                metric.add_metric([], reading)
            yield metric


async def metrics_page(request: Request) -> Response:
    """GET /metrics, for whom the settings let; to others there is no such page."""
    services = request.app.state.services
    access = services.settings.metrics.access
    if access == "off" or (access == "loopback" and not request.scope["cascade.peer"].loopback):
        raise Refused("not_found", "There is nothing at this address.", d={"what": "path"})
    return Response(
        services.metrics.text(), headers={"cache-control": "no-store", "content-type": CONTENT_TYPE}
    )


def metrics_routes() -> list[Route]:
    """The one route."""
    return [Route("/metrics", metrics_page)]
