"""/api/channels/{id}/chat and the commands door over the whole application: the socket's commands by REST."""

from typing import Any

import pytest

from schemas.catalog import CATALOG
from tests.integration.rest.conftest import Api, Running


@pytest.fixture
async def lobby(admin: Api) -> str:
    """The id of a channel that the administrator owns."""
    return (await admin.ok("POST", "/api/channels", {"title": "Lobby"}, 201))["id"]


async def test_sending_is_201_and_a_repeat_is_200(bob: Api, lobby: str) -> None:
    path = f"/api/channels/{lobby}/chat"
    sent = await bob.ok("POST", path, {"text": "hello", "idem": "a-1"}, 201)
    assert sent["outcome"] == "published"
    assert sent["mid"].startswith("m_")
    epoch, n = sent["pos"]
    assert isinstance(epoch, str)
    assert n >= 1
    again = await bob.ok("POST", path, {"text": "hello", "idem": "a-1"}, 200)
    assert (again["outcome"], again["mid"]) == ("duplicate", sent["mid"])


async def test_content_is_another_name_of_text(bob: Api, lobby: str) -> None:
    path = f"/api/channels/{lobby}/chat"
    await bob.ok("POST", path, {"content": "as in the seed"}, 201)
    (event,) = (await bob.ok("GET", path))["events"]
    assert event["d"]["text"] == "as in the seed"
    assert (await bob.refused("POST", path, {"text": "a", "content": "b"}))["field"] == "content"
    assert (await bob.refused("POST", path, {}))["field"] == "text"


async def test_the_slug_is_as_good_as_the_id(bob: Api, lobby: str) -> None:
    await bob.ok("POST", "/api/channels/@lobby/chat", {"text": "hi"}, 201)
    by_id = await bob.ok("GET", f"/api/channels/{lobby}/chat")
    assert by_id == await bob.ok("GET", "/api/channels/@lobby/chat")


async def test_chat_is_read_back_in_pages_ascending(bob: Api, lobby: str) -> None:
    path = f"/api/channels/{lobby}/chat"
    for number in range(7):
        await bob.ok("POST", path, {"text": f"line {number}"}, 201)
    reader = bob.as_(None)
    newest = await reader.ok("GET", f"{path}?limit=3", status=200)
    assert [event["d"]["text"] for event in newest["events"]] == ["line 4", "line 5", "line 6"]
    assert newest["more"] is True
    assert {event["t"] for event in newest["events"]} == {"msg.new"}
    before = newest["events"][0]["pos"][1]
    older = await reader.ok("GET", f"{path}?limit=10&before={before}")
    assert [event["d"]["text"] for event in older["events"]] == [f"line {number}" for number in range(4)]
    assert older["more"] is False


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "limit=0", "limit=201", "before=99999999999999999999"]
)
async def test_wrong_parameters_are_named(bob: Api, lobby: str, query: str) -> None:
    error = await bob.refused("GET", f"/api/channels/{lobby}/chat?{query}")
    assert (error["code"], error["field"]) == ("bad_request", query.partition("=")[0])


async def test_deleting_twice_is_204_twice_and_leaves_a_tombstone(admin: Api, bob: Api, lobby: str) -> None:
    path = f"/api/channels/{lobby}/chat"
    mid = (await bob.ok("POST", path, {"text": "oops"}, 201))["mid"]
    stranger = bob.as_((await bob.as_(None).signup("stranger"))["token"])
    assert (await stranger.refused("DELETE", f"{path}/{mid}"))["code"] == "forbidden"
    for _ in range(2):
        assert (await bob.raw("DELETE", f"{path}/{mid}")).status_code == 204
    (event,) = (await bob.ok("GET", path))["events"]
    assert event["d"]["gone"] == {"by": "author"}
    assert "text" not in event["d"]
    other = (await bob.ok("POST", path, {"text": "again"}, 201))["mid"]
    assert (await admin.raw("DELETE", f"{path}/{other}")).status_code == 204
    assert (await bob.refused("DELETE", f"{path}/m_nothing"))["code"] == "not_found"


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        ({"text": ""}, "empty", 422),
        ({"text": "   "}, "empty", 422),
        ({"text": "x" * 501}, "too_long", 422),
        ({"text": "a\nb"}, "bad_request", 400),
        ({"text": 5}, "bad_request", 400),
        ({"text": "x", "idem": "a b"}, "bad_request", 400),
        ({"text": "x", "replyTo": "m_nothing"}, "not_found", 404),
    ],
)
async def test_what_is_wrong_with_a_message(
    bob: Api, lobby: str, body: dict[str, Any], code: str, status: int
) -> None:
    response = await bob.raw("POST", f"/api/channels/{lobby}/chat", json=body)
    assert (response.json()["error"]["code"], response.status_code) == (code, status)


async def test_who_may_not_write_or_read(admin: Api, bob: Api, lobby: str) -> None:
    path = f"/api/channels/{lobby}/chat"
    assert (await bob.as_(None).refused("POST", path, {"text": "hi"}))["code"] == "unauthenticated"
    assert (await bob.refused("POST", "/api/channels/c_nothing/chat", {"text": "hi"}))["code"] == "not_found"
    assert (await bob.refused("GET", "/api/channels/@nothing/chat"))["code"] == "not_found"
    await admin.ok("PATCH", f"/api/channels/{lobby}", {"policy": {"anonymousRead": False}})
    assert (await bob.as_(None).refused("GET", path))["code"] in ("unauthenticated", "forbidden")
    await bob.ok("GET", path)


async def test_a_token_does_what_its_scopes_say(bob: Api, lobby: str) -> None:
    path = f"/api/channels/{lobby}/chat"
    wanted = {"kind": "bot", "name": "Talker", "channels": [lobby], "scopes": ["msg.send"]}
    talker = bob.as_((await bob.ok("POST", "/api/tokens", wanted, 201))["token"])
    await talker.ok("POST", path, {"text": "beep"}, 201)
    mute = bob.as_((await bob.ok("POST", "/api/tokens", {**wanted, "name": "Mute", "scopes": []}))["token"])
    assert (await mute.refused("POST", path, {"text": "beep"}))["code"] == "forbidden"
    elsewhere = await bob.ok("POST", "/api/tokens", {**wanted, "name": "Other", "channels": ["c_0000000000"]})
    assert (await bob.as_(elsewhere["token"]).refused("POST", path, {"text": "x"}))["code"] == "forbidden"
    overlay = await bob.ok("POST", "/api/tokens", {**wanted, "kind": "overlay", "name": "Ov", "scopes": []})
    reader = bob.as_(overlay["token"])
    assert len((await reader.ok("GET", path))["events"]) == 1
    assert (await reader.refused("POST", path, {"text": "x"}))["code"] in ("forbidden", "unauthenticated")


async def test_rate_limits_say_which_and_when(running: Running) -> None:
    async with running(**{"limits.send": "3 / 30 s"}) as api:
        boss = api.as_((await api.signup("first_ann"))["token"])
        made = await boss.ok("POST", "/api/channels", {"title": "Lobby"}, 201)
        bob = api.as_((await api.signup("bob"))["token"])
        path = f"/api/channels/{made['id']}/chat"
        for number in range(3):
            await bob.ok("POST", path, {"text": f"line {number}"}, 201)
        response = await bob.raw("POST", path, json={"text": "one more"})
        assert response.status_code == 429
        error = response.json()["error"]
        assert error["d"] == {"bucket": "send", "limit": 3, "windowMs": 30_000}
        assert 1 <= int(response.headers["retry-after"]) <= 30
        assert 0 < error["afterMs"] <= 30_000


# -- the commands door -------------------------------------------------------------------------------------


async def test_the_door_runs_commands_as_the_socket_does(bob: Api, lobby: str) -> None:
    sent = await bob.ok("POST", "/api/commands/msg.send", {"ch": lobby, "d": {"text": "by the door"}}, 200)
    assert sent["outcome"] == "published"
    history = await bob.ok("POST", "/api/commands/history", {"ch": lobby, "d": {"kinds": ["msg.new"]}})
    assert [event["d"]["mid"] for event in history["events"]] == [sent["mid"]]
    state = await bob.as_(None).ok("POST", "/api/commands/room.state", {"ch": lobby})
    assert state["ch"] == lobby
    await bob.ok("POST", "/api/commands/msg.delete", {"ch": lobby, "d": {"mid": sent["mid"]}})


@pytest.mark.parametrize("t", ["auth", "pong", "room.join", "room.leave", "nonsense", "msg.send.x", "%00"])
async def test_what_only_a_socket_can_do_is_no_command_of_the_door(bob: Api, t: str) -> None:
    assert (await bob.refused("POST", f"/api/commands/{t}", {}))["code"] == "unknown_command"


async def test_faults_at_the_door_are_named_from_the_body(bob: Api, lobby: str) -> None:
    async def field(body: Any) -> str:
        return (await bob.refused("POST", "/api/commands/msg.send", body))["field"]

    assert await field({"ch": lobby, "d": {}}) == "d.text"
    assert await field({"ch": lobby}) == "d.text"
    assert await field({"ch": lobby, "d": {"text": 5}}) == "d.text"
    assert await field({"ch": 5, "d": {"text": "x"}}) == "ch"
    assert await field({"d": {"text": "x"}}) == "ch"


async def test_writing_by_the_door_needs_somebody(bob: Api, lobby: str) -> None:
    error = await bob.as_(None).refused("POST", "/api/commands/msg.send", {"ch": lobby, "d": {"text": "x"}})
    assert error["code"] == "unauthenticated"


@pytest.mark.parametrize("t", [spec.t for spec in CATALOG if spec.door])
async def test_every_command_of_the_door_answers_from_the_table(bob: Api, lobby: str, t: str) -> None:
    bodies: list[Any] = [
        {},
        {"ch": lobby},
        {"ch": lobby, "d": {}},
        {"ch": "c_nothing", "d": {}},
        {"ch": 1, "d": 2},
    ]
    for body in bodies:
        response = await bob.raw("POST", f"/api/commands/{t}", json=body)
        if response.status_code >= 400:
            assert response.status_code < 500, response.text
            await bob.refused("POST", f"/api/commands/{t}", body)
