"""Protocol 13: the error table, on the socket and at the commands door; and commands not served yet."""

from typing import Any

import pytest

from tests.conformance.world import World
from tests.support.frames import JSON
from tests.support.rest import RestRefused
from tests.support.tables import ERRORS

LATER: tuple[tuple[str, JSON], ...] = (
    ("msg.report", {"mid": "m_1", "policy": "spam"}), ("mod.clear", {}),
    ("mod.timeout", {"user": "u_1", "seconds": 5}),
    ("mod.ban", {"user": "u_1"}), ("mod.unban", {"user": "u_1"}), ("mod.untimeout", {"user": "u_1"}),
    ("mod.warn", {"user": "u_1", "reason": "x"}), ("warn.ack", {"action": "a_1"}),
    ("mod.restrict", {"user": "u_1", "level": "hold"}), ("mod.note", {"user": "u_1", "text": "x"}),
    ("mod.undo", {"action": "a_1"}), ("mod.reveal", {"mids": ["m_1"]}),
    ("mode.preset", {"name": "shield", "on": True}),
    ("rule.put", {"rule": {"kind": "word", "pattern": "abc", "do": "hold"}}), ("rule.list", {}),
    ("rule.delete", {"rule": "r_1"}), ("rule.test", {"rule": "r_1", "texts": ["x"]}), ("rule.putMany", {"rules": []}),
    ("pin.set", {"mid": "m_1"}), ("pin.unset", {"mid": "m_1"}), ("announce", {"text": "x"}), ("audit.list", {}),
    ("user.card", {"user": "u_1"}), ("mute.set", {"user": "u_1", "on": True}), ("queue.list", {}),
    ("case.claim", {"case": "k_1"}), ("case.get", {"case": "k_1"}),
    ("case.decide", {"case": "k_1", "decision": "deny"}),
    ("case.release", {"case": "k_1"}), ("appeal.open", {"action": "a_1", "text": "x"}),
    ("poll.open", {"question": "?", "options": ["a", "b"], "seconds": 60}), ("poll.vote", {"poll": "p_1", "option": 0}),
    ("react", {"mid": "m_1", "key": "+1"}), ("stream.start", {}), ("stream.end", {}), ("key.create", {}),
    ("key.list", {}),
    ("key.revoke", {"key": "sk_1"}), ("search", {"q": "x"}), ("channel.elevate", {"reason": "x", "seconds": 60}),
    ("play.beat", {"session": "s_1", "watchMs": 1, "stallMs": 0, "stalls": 0}), ("rtc.offer", {"sdp": "v=0"}),
)  # fmt: skip


async def test_every_command_of_the_protocol_is_answered_within_the_table(world: World) -> None:
    room = world.room()
    for who in ("ann", room.owner):
        client = await world.enter(who)
        for t, d in LATER:
            reply = await client.reply(t, d, room.id)  # The client checks the error against the table.
            assert reply["ok"] or reply["err"]["code"] != "internal", reply


@pytest.mark.parametrize("t", ["auth", "pong", "room.join", "room.leave"])
def test_the_commands_door_does_not_run_what_belongs_to_a_connection(world: World, t: str) -> None:
    with pytest.raises(RestRefused) as refused:
        world.admin.command(t, {}, "c_1", token=world.person("ann").token)
    assert refused.value.code in {"unknown_command", "bad_request", "not_found"}


async def test_the_commands_door_is_the_same_code_as_the_socket(world: World) -> None:
    room, ann = world.room(), world.person("ann")
    client = await world.enter(ann, room)
    sent = world.admin.command("msg.send", {"text": "by REST", "idem": "r1"}, room.id, token=ann.token)
    assert (await client.message(sent["mid"]))["pos"] == sent["pos"]
    assert (await client.ask("msg.send", {"text": "by REST", "idem": "r1"}, room.id))[
        "outcome"
    ] == "duplicate"
    page = world.admin.command("history", {"limit": 5}, room.id, token=ann.token)
    assert page == await client.history(room.id, limit=5)


@pytest.mark.parametrize(
    ("t", "d", "code"),
    [
        ("no.such", {}, "unknown_command"),
        ("msg.send", {}, "bad_request"),
        ("msg.send", {"text": ""}, "empty"),
        ("msg.send", {"text": "x" * 501}, "too_long"),
        ("msg.send", {"text": "/nothing"}, "not_found"),
        ("msg.delete", {"mid": "m_nothing"}, "not_found"),
        ("mode.set", {"name": "slow", "value": 5}, "forbidden"),
        ("history", {"limit": "x"}, "bad_request"),
    ],
)
async def test_socket_and_door_refuse_alike(world: World, t: str, d: JSON, code: str) -> None:
    room, ann = world.room(), world.person("ann")
    client = await world.enter(ann)
    err = await client.refused(code, t, d, room.id)
    with pytest.raises(RestRefused) as refused:  # Status against code is checked by the client.
        world.admin.command(t, d, room.id, token=ann.token)
    assert {**refused.value.err, "field": None} == {**err, "field": None}
    assert code == "unknown_command" or refused.value.err.get("field") == err.get("field")
    assert err["n"] == ERRORS[code][0]


def test_without_a_bearer_the_door_is_unauthenticated(world: World) -> None:
    room = world.room()
    with pytest.raises(RestRefused) as refused:
        world.admin.command("msg.send", {"text": "hi"}, room.id, token=None)
    assert (refused.value.status, refused.value.code) == (401, "unauthenticated")


def test_slow_mode_is_429_with_retry_after(world: World) -> None:
    room, ann = world.room(), world.person("ann")
    world.admin.command("mode.set", {"name": "slow", "value": 30}, room.id, token=room.owner.token)
    world.admin.command("msg.send", {"text": "one"}, room.id, token=ann.token)
    with pytest.raises(RestRefused) as refused:
        world.admin.command("msg.send", {"text": "two"}, room.id, token=ann.token)
    assert (refused.value.status, refused.value.code) == (429, "slow_mode")


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b"\xff", b'{"d":5}', b'{"d":' + b"[" * 5000, b'{"ch":5}', b'{"d":{"text":"\\ud800"}}'],
)  # fmt: skip
def test_a_malformed_body_is_400_in_the_one_shape(world: World, body: bytes) -> None:
    response = world.admin.raw(
        "POST", "/api/commands/msg.send", content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400
    assert response.json()["error"]["code"] in {"bad_frame", "bad_request"}


def test_a_body_that_is_not_json_by_its_type_is_refused(world: World) -> None:
    headers = {"Content-Type": "text/plain"}
    response = world.admin.raw("POST", "/api/commands/room.state", content=b'{"d":{}}', headers=headers)
    assert response.status_code in {400, 415}
    assert response.json()["error"]["code"] in ERRORS


def test_a_body_over_64_kib_is_too_large(world: World) -> None:
    body = b'{"d":{"text":"' + b"x" * 70_000 + b'"}}'
    headers = {"Content-Type": "application/json"}
    response = world.admin.raw("POST", "/api/commands/msg.send", content=body, headers=headers)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/no-such"), ("PUT", "/api/auth/login"), ("GET", "/api/channels/c_nobody")],
)
def test_what_is_not_there_is_an_error_in_the_one_shape(world: World, method: str, path: str) -> None:
    error: Any = world.admin.raw(method, path).json()["error"]
    assert error["code"] in ERRORS
    assert error["n"] == ERRORS[error["code"]][0]


def test_rest_chat_has_its_three_statuses(world: World) -> None:
    room, ann = world.room(), world.person("ann")
    path = f"/api/channels/{room.id}/chat"
    first = world.admin.raw("POST", path, token=ann.token, json={"content": "hi", "idem": "a"})
    again = world.admin.raw("POST", path, token=ann.token, json={"text": "hi", "idem": "a"})
    assert (first.status_code, again.status_code) == (201, 200)
    page = world.admin.call("GET", f"{path}?limit=25", token=None)
    assert [event["d"]["mid"] for event in page["events"]] == [first.json()["mid"]]
    for _ in range(2):
        assert world.admin.raw("DELETE", f"{path}/{first.json()['mid']}", token=ann.token).status_code == 204
