"""/api/users over the whole application: who sees and changes what."""

import pytest

from tests.integration.rest.conftest import Api


async def id_of(api: Api) -> str:
    return (await api.ok("GET", "/api/auth/session"))["user"]["id"]


async def test_anybody_sees_a_user_without_his_email(bob: Api) -> None:
    seen = await bob.as_(None).ok("GET", "/api/users/@bob")
    assert seen["name"] == "bob"
    assert "email" not in seen
    assert "roles" not in seen
    assert await bob.as_(None).ok("GET", f"/api/users/{seen['id']}") == seen


async def test_he_himself_and_administrators_see_more(admin: Api, bob: Api) -> None:
    for viewer in (admin, bob):
        assert (await viewer.ok("GET", "/api/users/@bob"))["email"] == "bob@test.example"


@pytest.mark.parametrize("ref", ["@nobody", "u_nothing", "x", "@", "%00", "@😀", "a" * 5000])
async def test_a_user_who_is_not_there_is_not_found(api: Api, ref: str) -> None:
    assert (await api.refused("GET", f"/api/users/{ref}"))["code"] == "not_found"


async def test_an_administrator_makes_and_lists_users(admin: Api, bob: Api) -> None:
    wanted = {"displayName": "Cy", "email": "cy@test.example", "roles": ["creator"]}
    made = await admin.ok("POST", "/api/users", wanted, 201)
    assert made["roles"] == ["creator"]
    code = made["inviteUrl"].removeprefix("/signup#invite=")
    body = {"displayName": "Cyrus", "email": "cy@test.example", "password": "password cy", "code": code}
    taken = await admin.as_(None).ok("POST", "/api/auth/signup", body, 201)
    assert taken["user"]["id"] == made["id"]
    page = await admin.ok("GET", "/api/users?limit=2")
    assert len(page["items"]) == 2
    rest = await admin.ok("GET", f"/api/users?limit=2&cursor={page['next']}")
    assert len(rest["items"]) == 1
    assert rest["next"] is None
    found = await admin.ok("GET", "/api/users?q=bob")
    assert [user["name"] for user in found["items"]] == ["bob"]
    assert (await bob.refused("GET", "/api/users"))["code"] == "forbidden"
    assert (await bob.refused("POST", "/api/users", wanted))["code"] == "forbidden"
    assert (await admin.as_(None).refused("GET", "/api/users"))["code"] == "unauthenticated"


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("limit=201", "limit"), ("q=" + "a" * 200, "q")],
)
async def test_wrong_parameters_of_a_list_are_named(admin: Api, query: str, field: str) -> None:
    assert (await admin.refused("GET", f"/api/users?{query}"))["field"] == field


async def test_a_patch_changes_only_what_it_names(bob: Api) -> None:
    me = await id_of(bob)
    changed = await bob.ok("PATCH", f"/api/users/{me}", {"displayName": "Bobby"}, 200)
    assert (changed["displayName"], changed["email"]) == ("Bobby", "bob@test.example")


async def test_unknown_members_of_a_patch_are_refused_by_name(bob: Api) -> None:
    me = await id_of(bob)
    error = await bob.refused("PATCH", f"/api/users/{me}", {"displayName": "B", "shoeSize": 44})
    assert (error["code"], error["field"]) == ("bad_request", "shoeSize")
    assert (await bob.ok("GET", f"/api/users/{me}"))["displayName"] == "bob"


async def test_nobody_changes_another_or_his_own_roles(admin: Api, bob: Api) -> None:
    me, boss = await id_of(bob), await id_of(admin)
    assert (await bob.refused("PATCH", f"/api/users/{boss}", {"displayName": "x"}))["code"] == "forbidden"
    assert (await bob.refused("PATCH", f"/api/users/{me}", {"roles": ["admin"]}))["code"] == "forbidden"
    assert (await admin.ok("PATCH", f"/api/users/{me}", {"roles": ["creator"]}))["roles"] == ["creator"]


async def test_a_new_password_needs_the_present_one_and_ends_other_sessions(bob: Api) -> None:
    me = await id_of(bob)
    other = (await bob.as_(None).ok("POST", "/api/auth/login", {"name": "bob", "password": "password bob"}))[
        "token"
    ]
    change = {"password": "a new password"}
    assert (await bob.refused("PATCH", f"/api/users/{me}", change))["field"] == "currentPassword"
    await bob.ok("PATCH", f"/api/users/{me}", {**change, "currentPassword": "password bob"})
    await bob.ok("GET", "/api/auth/session")
    assert (await bob.as_(other).refused("GET", "/api/auth/session"))["code"] == "unauthenticated"
    await bob.as_(None).ok("POST", "/api/auth/login", {"name": "bob", "password": "a new password"})


async def test_deleting_a_user_ends_what_he_had(admin: Api, bob: Api) -> None:
    me = await id_of(bob)
    assert (await bob.refused("DELETE", f"/api/users/{me}?messages=burn"))["field"] == "messages"
    assert (await bob.raw("DELETE", f"/api/users/{me}?messages=erase")).status_code == 202
    assert (await bob.refused("GET", "/api/auth/session"))["code"] == "unauthenticated"
    assert (await admin.refused("GET", "/api/users/@bob"))["code"] == "not_found"


async def test_the_last_administrator_stays(admin: Api) -> None:
    me = await id_of(admin)
    assert (await admin.refused("DELETE", f"/api/users/{me}"))["code"] == "conflict"
    assert (await admin.refused("PATCH", f"/api/users/{me}", {"roles": []}))["code"] == "conflict"
