"""/api/channels over the whole application: making, finding, changing, deleting."""

import pytest

from tests.integration.rest.conftest import Api, Running

MEMBERS = {
    "id", "slug", "ownerId", "title", "category", "tags", "liveState", "viewers", "startedAt", "scheduledAt",
    "thumbnailUrl", "playback", "mature", "visibility",
}  # fmt: skip


async def test_an_administrator_makes_a_channel_and_sees_its_key_once(admin: Api) -> None:
    wanted = {"title": "River Rafting", "tags": ["water"], "category": "outdoors"}
    made = await admin.ok("POST", "/api/channels", wanted, 201)
    assert made["streamKey"]
    assert made["slug"] == "river-rafting"
    seen = await admin.as_(None).ok("GET", "/api/channels/@river-rafting", status=200)
    assert set(seen) >= MEMBERS
    assert not {"streamKey", "policy"} & set(seen)
    assert (seen["title"], seen["category"], seen["tags"]) == ("River Rafting", "outdoors", ["water"])
    assert (seen["liveState"], seen["viewers"], seen["playback"]) == ("offline", 0, None)
    assert await admin.as_(None).ok("GET", f"/api/channels/{made['id']}") == seen
    assert "streamKey" not in await admin.ok("GET", f"/api/channels/{made['id']}")


async def test_others_need_the_role_of_creator_or_the_setting(admin: Api, bob: Api, running: Running) -> None:
    assert (await bob.refused("POST", "/api/channels", {"title": "Mine"}))["code"] == "forbidden"
    assert (await bob.as_(None).refused("POST", "/api/channels", {"title": "Mine"}))[
        "code"
    ] == "unauthenticated"
    me = (await bob.ok("GET", "/api/auth/session"))["user"]["id"]
    await admin.ok("PATCH", f"/api/users/{me}", {"roles": ["creator"]})
    assert (await bob.ok("POST", "/api/channels", {"title": "Mine"}, 201))["ownerId"] == me


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": 5}, "title"),
        ({"title": "😀" * 10_000}, "title"),
        ({"title": "x", "tags": "water"}, "tags"),
        ({"title": "x", "tags": [1]}, "tags[0]"),
        ({"title": "x", "slug": "A B"}, "slug"),
        ({"title": "x", "slug": "-"}, "slug"),
        ({"title": "x", "mature": "no"}, "mature"),
        ({"title": "x", "visibility": "secret"}, "visibility"),
    ],
)
async def test_what_is_wrong_in_a_channel_is_named(admin: Api, body: dict[str, object], field: str) -> None:
    error = await admin.refused("POST", "/api/channels", body)
    assert (error["code"], error["field"]) == ("bad_request", field)


async def test_a_taken_slug_conflicts_and_a_derived_one_gives_way(admin: Api) -> None:
    await admin.ok("POST", "/api/channels", {"title": "Lobby", "slug": "lobby"}, 201)
    error = await admin.refused("POST", "/api/channels", {"title": "Other", "slug": "lobby"})
    assert error["code"] == "conflict"
    derived = await admin.ok("POST", "/api/channels", {"title": "Lobby"}, 201)
    assert derived["slug"].startswith("lobby")
    assert derived["slug"] != "lobby"


async def test_the_directory_is_listed_in_pages_and_filtered(admin: Api) -> None:
    for number in range(5):
        wanted = {"title": f"Room {number}", "category": "even" if number % 2 == 0 else "odd"}
        await admin.ok("POST", "/api/channels", wanted, 201)
    await admin.ok("POST", "/api/channels", {"title": "Hidden", "visibility": "unlisted"}, 201)
    reader = admin.as_(None)
    titles: list[str] = []
    path = "/api/channels?limit=2"
    while True:
        page = await reader.ok("GET", path)
        titles += [channel["title"] for channel in page["items"]]
        assert len(page["items"]) <= 2
        if page["next"] is None:
            break
        path = f"/api/channels?limit=2&cursor={page['next']}"
    assert sorted(titles) == [f"Room {number}" for number in range(5)]
    even = await reader.ok("GET", "/api/channels?category=even")
    assert len(even["items"]) == 3
    found = await reader.ok("GET", "/api/channels?q=room%203")
    assert [channel["title"] for channel in found["items"]] == ["Room 3"]
    assert (await reader.ok("GET", "/api/channels?live=true"))["items"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=1000", "limit=x", "live=maybe", "cursor="])
async def test_wrong_parameters_are_named(api: Api, query: str) -> None:
    error = await api.refused("GET", f"/api/channels?{query}")
    assert (error["code"], error["field"]) == ("bad_request", query.partition("=")[0])


@pytest.mark.parametrize("cursor", ["x", "%00", "c_zzz", "';drop%20table%20channel"])
async def test_any_cursor_is_answered(api: Api, cursor: str) -> None:
    response = await api.raw("GET", f"/api/channels?cursor={cursor}")
    assert response.status_code in (200, 400)


async def test_a_patch_changes_only_what_it_names(admin: Api) -> None:
    made = await admin.ok("POST", "/api/channels", {"title": "Lobby", "tags": ["a"]}, 201)
    path = f"/api/channels/{made['id']}"
    changed = await admin.ok("PATCH", path, {"title": "Hall", "policy": {"textMax": 100}}, 200)
    assert (changed["title"], changed["tags"], changed["slug"]) == ("Hall", ["a"], "lobby")
    assert changed["policy"]["textMax"] == 100
    assert changed["policy"]["guests"] is True
    again = await admin.ok("PATCH", path, {"policy": {"guests": False}})
    assert (again["policy"]["textMax"], again["policy"]["guests"]) == (100, False)
    assert (await admin.ok("PATCH", path, {"slug": "hall"}))["slug"] == "hall"
    await admin.as_(None).ok("GET", "/api/channels/@hall")
    assert (await admin.as_(None).refused("GET", "/api/channels/@lobby"))["code"] == "not_found"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ownerId": "u_1"}, "ownerId"),
        ({"streamKey": "x"}, "streamKey"),
        ({"policy": {"guest": True}}, "policy.guest"),
        ({"policy": {"textMax": 0}}, "policy.textMax"),
        ({"policy": {"explain": "all"}}, "policy.explain"),
        ({"title": None}, "title"),
        ({"slug": "Not A Slug"}, "slug"),
    ],
)
async def test_what_can_not_be_changed_is_refused_by_name(
    admin: Api, body: dict[str, object], field: str
) -> None:
    made = await admin.ok("POST", "/api/channels", {"title": "Lobby"}, 201)
    error = await admin.refused("PATCH", f"/api/channels/{made['id']}", body)
    assert (error["code"], error["field"]) == ("bad_request", field)


async def test_only_the_owner_changes_and_deletes(admin: Api, bob: Api) -> None:
    made = await admin.ok("POST", "/api/channels", {"title": "Lobby"}, 201)
    path = f"/api/channels/{made['id']}"
    assert (await bob.refused("PATCH", path, {"title": "x"}))["code"] == "forbidden"
    assert (await bob.refused("DELETE", path))["code"] == "forbidden"
    assert (await bob.as_(None).refused("DELETE", path))["code"] == "unauthenticated"
    assert (await admin.raw("DELETE", path)).status_code == 204
    assert (await admin.refused("GET", path))["code"] == "not_found"
    assert (await admin.refused("DELETE", path))["code"] == "not_found"


async def test_who_owns_channels_can_not_be_deleted(admin: Api, bob: Api) -> None:
    me = (await bob.ok("GET", "/api/auth/session"))["user"]["id"]
    await admin.ok("PATCH", f"/api/users/{me}", {"roles": ["creator"]})
    made = await bob.ok("POST", "/api/channels", {"title": "Mine"}, 201)
    assert (await admin.refused("DELETE", f"/api/users/{me}"))["code"] == "conflict"
    await bob.ok("DELETE", f"/api/channels/{made['id']}")
    assert (await admin.raw("DELETE", f"/api/users/{me}")).status_code == 202
