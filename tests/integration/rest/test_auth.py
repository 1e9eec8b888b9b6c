"""/api/auth over the whole application: first account, sign-up, sign-in, sessions, cookie."""

import logging

import pytest

from tests.integration.rest.conftest import Api, Running
from web.settings import load


async def test_the_first_account_from_this_machine_administers(api: Api) -> None:
    first = await api.signup("first_ann")
    assert sorted(first["user"]["roles"]) == ["admin"]
    assert set(first) == {"token", "expiresAt", "user"}
    second = await api.signup("second")
    assert second["user"]["roles"] == []


async def test_the_first_account_from_elsewhere_needs_the_code(api: Api) -> None:
    body = {"displayName": "Eve", "email": "eve@test.example", "password": "password eve"}
    strangers = [
        Api(api.app, peer="203.0.113.9"),
        Api(api.app, headers={"X-Forwarded-For": "127.0.0.1"}),
        Api(api.app, headers={"Host": "rebound.example:8080"}),
    ]
    for stranger in strangers:
        assert (await stranger.refused("POST", "/api/auth/signup", body))["field"] == "code"
    code = api.app.state.services.people.first_run_code()
    made = await strangers[0].ok("POST", "/api/auth/signup", {**body, "code": code}, 201)
    assert made["user"]["roles"] == ["admin"]


async def test_signing_up_sets_the_cookie_and_the_token_works(api: Api) -> None:
    body = {"displayName": "Ann Lee", "email": "ann@test.example", "password": "password ann"}
    response = await api.raw("POST", "/api/auth/signup", json=body)
    made = response.json()
    assert made["user"]["name"] == "ann_lee"
    assert response.headers["cache-control"] == "no-store"
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(f"cascade={made['token']};")
    for attribute in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in cookie
    session = await api.as_(made["token"]).ok("GET", "/api/auth/session")
    assert session["user"] == made["user"]
    assert session["expiresAt"] == made["expiresAt"]
    assert isinstance(session["createdAt"], int)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"displayName": None}, "displayName"),
        ({"displayName": ""}, "displayName"),
        ({"displayName": 5}, "displayName"),
        ({"displayName": "😀" * 10_000}, "displayName"),
        ({"name": "A B"}, "name"),
        ({"name": "😀" * 90}, "name"),
        ({"name": "ab"}, "name"),
        ({"email": "nobody"}, "email"),
        ({"email": ["a@b.example"]}, "email"),
        ({"password": "short"}, "password"),
        ({"password": None}, "password"),
        ({"code": 5}, "code"),
    ],
)
async def test_what_is_wrong_in_a_signup_is_named(admin: Api, change: dict[str, object], field: str) -> None:
    body = {"displayName": "Eve", "name": "eve", "email": "eve@test.example", "password": "password eve"}
    error = await admin.as_(None).refused("POST", "/api/auth/signup", {**body, **change})
    assert (error["code"], error["field"]) == ("bad_request", field)


async def test_a_taken_name_and_email_conflict(bob: Api) -> None:
    body = {"displayName": "Bob", "name": "bob", "email": "new@test.example", "password": "password new"}
    assert (await bob.as_(None).refused("POST", "/api/auth/signup", body))["code"] == "conflict"
    body |= {"name": "bobby", "email": "BOB@test.example"}
    assert (await bob.as_(None).refused("POST", "/api/auth/signup", body))["field"] == "email"


@pytest.mark.parametrize(
    "key", [{"name": "bob"}, {"email": "bob@test.example"}, {"email": "Bob@TEST.example"}]
)
async def test_signing_in_by_name_or_email(bob: Api, key: dict[str, str]) -> None:
    made = await bob.as_(None).ok("POST", "/api/auth/login", {**key, "password": "password bob"}, 200)
    assert made["user"]["name"] == "bob"


async def test_a_wrong_sign_in_does_not_say_what_was_wrong(
    bob: Api, caplog: pytest.LogCaptureFixture
) -> None:
    anyone = bob.as_(None)
    with caplog.at_level(logging.WARNING):
        wrong = await anyone.refused("POST", "/api/auth/login", {"name": "bob", "password": "wrong"})
        unknown = await anyone.refused("POST", "/api/auth/login", {"name": "nobody", "password": "wrong"})
    assert wrong == unknown
    assert wrong["code"] == "unauthenticated"
    assert caplog.text.lower().count("failed login") == 2  # one line each, for what watches logs
    assert caplog.text.count("failed login from 127.0.0.1") == 2
    assert "bob" not in caplog.text


async def test_sessions_are_listed_and_ended(bob: Api) -> None:
    other = (await bob.as_(None).ok("POST", "/api/auth/login", {"name": "bob", "password": "password bob"}))[
        "token"
    ]
    listed = await bob.ok("GET", "/api/auth/sessions")
    assert [entry["current"] for entry in listed["items"]] == [False, True]
    assert listed["next"] is None
    mine = listed["items"][0]["id"]
    assert (await bob.raw("DELETE", f"/api/auth/sessions/{mine}")).status_code == 204
    assert (await bob.as_(other).refused("GET", "/api/auth/session"))["code"] == "unauthenticated"
    assert (await bob.refused("DELETE", f"/api/auth/sessions/{mine}"))["code"] == "not_found"


async def test_nobody_ends_another_s_session(admin: Api, bob: Api) -> None:
    (session,) = (await bob.ok("GET", "/api/auth/sessions"))["items"]
    assert (await admin.refused("DELETE", f"/api/auth/sessions/{session['id']}"))["code"] == "not_found"
    await bob.ok("GET", "/api/auth/session")


async def test_signing_out_ends_the_session_and_the_cookie(bob: Api) -> None:
    response = await bob.raw("DELETE", "/api/auth/session")
    assert response.status_code == 204
    assert response.headers["set-cookie"].startswith("cascade=; Path=/; Max-Age=0")
    assert (await bob.refused("GET", "/api/auth/session"))["code"] == "unauthenticated"


async def test_without_credentials_there_is_no_session(api: Api) -> None:
    assert (await api.refused("GET", "/api/auth/session"))["code"] == "unauthenticated"
    response = await api.raw("GET", "/api/auth/session")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Basic abc", "Bearer", "Bearer ", "Bearer x y", "Bearer cs_unknown", "cs_x", "Bearer é"]
)
async def test_bad_authorization_is_unauthenticated_everywhere(api: Api, header: str) -> None:
    for path in ("/api/auth/session", "/api/channels"):
        response = await api.raw("GET", path, headers={"Authorization": header.encode("latin-1")})
        assert response.status_code == 401


async def test_the_cookie_is_the_session(bob: Api) -> None:
    browser = Api(bob.app, headers={"Cookie": f"cascade={bob.token}"})
    assert (await browser.ok("GET", "/api/auth/session"))["user"]["name"] == "bob"
    dead = Api(bob.app, headers={"Cookie": "cascade=cs_dead"})
    await dead.ok("GET", "/api/channels")
    assert (await dead.refused("GET", "/api/auth/session"))["code"] == "unauthenticated"


async def test_a_bearer_counts_before_the_cookie(admin: Api, bob: Api) -> None:
    both = Api(bob.app, token=admin.token, headers={"Cookie": f"cascade={bob.token}"})
    assert (await both.ok("GET", "/api/auth/session"))["user"]["name"] == "admin_ann"
    wrong = Api(bob.app, token="cs_wrong", headers={"Cookie": f"cascade={bob.token}"})
    assert (await wrong.refused("GET", "/api/auth/session"))["code"] == "unauthenticated"


async def test_failed_sign_ins_are_throttled_and_say_when(running: Running) -> None:
    async with running() as api:
        await api.signup("first_ann")
        attempts = 0
        while True:
            attempts += 1
            response = await api.raw(
                "POST", "/api/auth/login", json={"name": "first_ann", "password": "wrong"}
            )
            if response.status_code == 429 or attempts > 40:
                break
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) >= 1
        assert response.json()["error"]["d"]["bucket"] == "auth"


async def test_in_production_the_cookie_is_bound_to_https(running: Running) -> None:
    async with running(mode="production") as api:
        code = api.app.state.services.people.first_run_code()
        body = {"displayName": "Ann", "email": "ann@test.example", "password": "password ann", "code": code}
        response = await api.raw("POST", "/api/auth/signup", json=body)
        assert response.headers["set-cookie"].startswith("__Host-cascade=")
        assert "; Secure" in response.headers["set-cookie"]
    assert load({"mode": "production"}, {}, None).secure_cookies == "always"
