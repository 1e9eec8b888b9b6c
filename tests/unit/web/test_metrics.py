"""Figures: requests by route, and readings taken when they are asked for."""

from web.metrics import Metrics


def test_requests_are_counted_by_route_and_strange_methods_together() -> None:
    metrics = Metrics(process=False)
    metrics.request("GET", "/api/users/{ref}", 200, 0.002)
    metrics.request("GET", "/api/users/{ref}", 200, 0.002)
    metrics.request("BREW", "none", 405, 0.001)
    text = metrics.text().decode()
    assert 'cascade_http_requests_total{method="GET",route="/api/users/{ref}",status="200"} 2.0' in text
    assert 'method="other",route="none",status="405"' in text
    assert "cascade_http_seconds_count 3.0" in text


def test_readings_are_taken_at_each_scrape() -> None:
    metrics = Metrics(process=False)
    number = [1]
    metrics.gauge("cascade_connections", "Connections.", lambda: number[0])
    metrics.counter("cascade_shed", "Shed.", lambda: {"slow": 2, "flood": 1}, "why")
    assert "cascade_connections 1.0" in metrics.text().decode()
    number[0] = 5
    text = metrics.text().decode()
    assert "cascade_connections 5.0" in text
    assert 'cascade_shed_total{why="flood"} 1.0' in text
    assert "# HELP cascade_shed_total Shed." in text


def test_two_applications_in_one_process_have_figures_of_their_own() -> None:
    one, other = Metrics(), Metrics()
    one.request("GET", "/", 200, 0.1)
    assert 'route="/"' not in other.text().decode()
    assert "process_cpu_seconds_total" in one.text().decode()
