"""The table of REST endpoints is what `web` serves, neither more nor less."""

import re

from starlette.routing import BaseRoute, Route

from schemas.rest import DOOR_PATH, ENDPOINTS
from web.health import health_routes
from web.metrics import metrics_routes
from web.rest import api_routes


def served() -> set[tuple[str, str]]:
    routes: list[BaseRoute] = [*api_routes(), *health_routes(), *metrics_routes()]
    return {
        (method, route.path)
        for route in routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }


def test_every_endpoint_is_served_and_every_route_described() -> None:
    assert served() == {(e.method, e.path) for e in ENDPOINTS} | {("POST", DOOR_PATH)}


def test_endpoints_are_whole() -> None:
    for e in ENDPOINTS:
        assert e.summary.endswith(".")
        assert e.tag
        assert (e.body is None) or e.method in {"POST", "PATCH"}
        assert (204 in e.statuses or 202 in e.statuses or e.media is not None) or e.reply is not None
        assert all(re.fullmatch(r"[a-zA-Z@_{}/.]+", part) for part in e.path.split("/") if part)
