"""The outer ring over the whole application: foreign pages, sizes, types, headers, CORS, errors, figures."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.routing import Route

from schemas.rest import ENDPOINTS
from tests.integration.rest.conftest import HOST, Api, Running
from web.rest import api_routes

LOGIN = {"name": "bob", "password": "password bob"}


def browser(api: Api, token: str | None, **headers: str) -> Api:
    """A page in a browser that has this session's cookie."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Api(api.app, headers={"Cookie": f"cascade={token}", **named})


async def test_a_page_of_this_host_may_write(bob: Api) -> None:
    page = browser(bob, bob.token, Origin=HOST)
    await page.ok("POST", "/api/tokens", {"kind": "bot", "name": "x bot", "channels": ["*"]}, 201)
    fetching = browser(bob, bob.token, Sec_Fetch_Site="same-origin")
    await fetching.ok("POST", "/api/tokens", {"kind": "bot", "name": "y bot", "channels": ["*"]}, 201)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8081"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": HOST, "Sec_Fetch_Site": "cross-site"},
    ],
)
async def test_another_site_s_page_may_not(bob: Api, headers: dict[str, str]) -> None:
    page = browser(bob, bob.token, **headers)
    for method, path in (
        ("DELETE", "/api/auth/session"),
        ("POST", "/api/auth/login"),
        ("PATCH", "/api/users/x"),
    ):
        error = await page.refused(method, path, LOGIN)
        assert (error["code"], error["field"]) == ("forbidden", "headers.origin")
    await bob.ok("GET", "/api/auth/session")


async def test_a_cookie_without_origin_writes_nothing(bob: Api) -> None:
    error = await browser(bob, bob.token).refused("DELETE", "/api/auth/session")
    assert error["code"] == "unauthenticated"
    assert "Origin" in error["message"]
    await bob.ok("GET", "/api/auth/session")


async def test_a_bearer_token_may_come_from_anywhere(bob: Api) -> None:
    stranger = Api(bob.app, token=bob.token, headers={"Origin": "https://evil.example"})
    response = await stranger.raw("POST", "/api/tokens", json={"kind": "bot", "name": "z", "channels": ["*"]})
    assert response.status_code == 201
    assert "access-control-allow-origin" not in response.headers


async def test_allowed_origins_use_bearer_tokens_and_no_cookies(running: Running) -> None:
    site = "https://friend.example"
    async with running(allowed_origins=site) as api:
        token = (await api.signup("first_ann"))["token"]
        preflight = {"Origin": site, "Access-Control-Request-Method": "POST"}
        response = await api.raw("OPTIONS", "/api/tokens", headers=preflight)
        assert response.status_code == 204
        assert response.headers["access-control-allow-origin"] == site
        assert "authorization" in response.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in response.headers
        bearer = await api.as_(token).raw("GET", "/api/auth/session", headers={"Origin": site})
        assert bearer.headers["access-control-allow-origin"] == site
        assert bearer.headers["vary"] == "origin"
        for method in ("GET", "DELETE"):
            error = await browser(api, token, Origin=site).refused(method, "/api/auth/session")
            assert error["code"] == "unauthenticated"
        foreign = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        refused = await api.raw("OPTIONS", "/api/tokens", headers=foreign)
        assert "access-control-allow-origin" not in refused.headers


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024):
        yield b" " * 1024


async def test_a_body_that_is_too_large_is_413_declared_or_not(api: Api) -> None:
    kind = {"Content-Type": "application/json"}
    declared = await api.refused("POST", "/api/auth/login", content=b" " * 70_000, headers=kind)
    assert (declared["code"], declared["d"]) == ("too_large", {"max": 65_536, "have": 70_000})
    streamed = await api.refused("POST", "/api/auth/login", content=chunks(80_000), headers=kind)
    assert streamed["code"] == "too_large"
    door = await api.refused("POST", "/api/commands/msg.send", content=b" " * 70_000, headers=kind)
    assert door["code"] == "too_large"
    bulk = await api.raw("POST", "/api/commands/rule.putMany", content=b" " * 70_000, headers=kind)
    assert bulk.status_code != 413
    over = await api.refused("POST", "/api/commands/rule.putMany", content=b" " * 1_100_000, headers=kind)
    assert over["code"] == "too_large"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""]
)
async def test_a_body_is_json_and_says_so(api: Api, kind: str) -> None:
    error = await api.refused("POST", "/api/auth/login", content=b"{}", headers={"Content-Type": kind})
    assert (error["code"], error["field"]) == ("bad_request", "headers.content-type")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "bad_frame"),
        (b"[]", "bad_frame"),
        (b"5", "bad_frame"),
        (b"null", "bad_frame"),
        (b"\xff\xfe", "bad_frame"),
        (b'{"a":' * 9000 + b"1" + b"}" * 9000, "bad_frame"),
        (b"[" * 30_000, "bad_frame"),
        (b'{"name":"\xff","password":"x"}', "bad_frame"),
        (b'{"name":"a","password":{"a":1}}', "bad_request"),
        (b"", "bad_request"),
    ],
)
async def test_bad_json_is_answered_never_a_500(api: Api, body: bytes, code: str) -> None:
    kind = {"Content-Type": "application/json; charset=UTF-8"}
    assert (await api.refused("POST", "/api/auth/login", content=body, headers=kind))["code"] == code


async def test_every_answer_has_the_security_headers(api: Api) -> None:
    for path in ("/api/channels", "/api/nothing", "/livez", "/"):
        headers = (await api.raw("GET", path, headers={"Accept": "text/html"})).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "server" not in headers
    page = await api.raw("GET", "/", headers={"Accept": "text/html"})
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert (
        (await api.raw("GET", "/livez")).headers["content-security-policy"].startswith("default-src 'none'")
    )


async def test_https_in_production_is_remembered(running: Running) -> None:
    async with running(mode="production", public_url="https://chat.example") as api:
        assert "max-age" in (await api.raw("GET", "/livez")).headers["strict-transport-security"]


async def test_what_is_not_there_and_wrong_methods_have_the_one_shape(api: Api) -> None:
    assert (await api.refused("GET", "/api/nothing"))["code"] == "not_found"
    response = await api.raw("PUT", "/api/users/@bob", json={})
    assert response.status_code == 405
    assert {"GET", "PATCH", "DELETE"} <= {method.strip() for method in response.headers["allow"].split(",")}
    assert response.json()["error"]["code"] == "bad_request"
    page = await api.raw("GET", "/nothing", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")


async def test_a_bug_is_internal_and_the_next_request_is_served(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(api.app.state.services.people, "get_user", broken)
    error = await api.refused("GET", "/api/users/@bob")
    assert error["code"] == "internal"
    assert "secret" not in str(error)
    await api.ok("GET", "/api/channels")


async def test_health_and_figures(api: Api) -> None:
    report = await api.ok("GET", "/healthz", status=200)
    assert report["status"] == "ok"
    assert report["checks"]["database"]["status"] == "ok"
    assert report["checks"]["database"]["ms"] >= 0
    assert report["version"]
    assert (await api.ok("GET", "/readyz", status=200))["status"] == "ok"
    assert (await api.ok("GET", "/livez", status=200))["status"] == "ok"
    await api.raw("GET", "/api/users/@somebody")
    text = (await api.raw("GET", "/metrics")).text
    assert 'route="/api/users/{user}",status="404"' in text
    assert "somebody" not in text


async def test_while_it_stops_it_is_alive_and_not_ready(api: Api) -> None:
    api.app.state.services.health.drain()
    assert (await api.raw("GET", "/readyz")).status_code == 503
    assert (await api.raw("GET", "/livez")).status_code == 200


@pytest.mark.parametrize(
    ("access", "own", "others"), [("everyone", 200, 200), ("loopback", 200, 404), ("off", 404, 404)]
)
async def test_figures_are_for_whom_the_settings_say(
    running: Running, access: str, own: int, others: int
) -> None:
    async with running(**{"metrics.access": access}) as api:
        assert (await api.raw("GET", "/metrics")).status_code == own
        assert (await Api(api.app, peer="203.0.113.9").raw("GET", "/metrics")).status_code == others


async def test_the_descriptions_are_served_with_an_etag(api: Api) -> None:
    for name, version in (("openapi", "3.1"), ("asyncapi", "3")):
        response = await api.raw("GET", f"/api/{name}.json")
        assert response.json()[name].startswith(version)
        again = {"If-None-Match": response.headers["etag"]}
        assert (await api.raw("GET", f"/api/{name}.json", headers=again)).status_code == 304


def test_the_routes_are_those_of_the_table() -> None:
    served = {
        (method, route.path)
        for route in api_routes()
        if isinstance(route, Route)
        for method in (route.methods or set())
        if method != "HEAD"
    }
    wanted = {(each.method, each.path) for each in ENDPOINTS if each.path.startswith("/api/")}
    assert {entry for entry in served if not entry[1].startswith("/api/commands")} == {
        entry for entry in wanted if not entry[1].startswith("/api/commands")
    }
