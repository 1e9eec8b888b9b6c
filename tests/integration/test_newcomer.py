"""A newcomer's first quarter of an hour, without a browser: sign up, make a channel, talk in three, restart, go on.

Only the outside is used: REST and the socket.
"""

import asyncio
from pathlib import Path

import pytest

from tests.support.client import Client
from tests.support.rest import Rest, RestRefused
from tests.support.server import CascadeServer, serving


async def test_from_an_empty_folder_to_a_room_that_survives_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path, flags=["--drain-seconds", "2"]) as server:
        rest = Rest(server.url)
        boss = rest.signup("river", display_name="River")
        assert "admin" in rest.call("GET", f"/api/users/{boss.id}", token=boss.token)["roles"]
        channel = rest.call("POST", "/api/channels", {"title": "River Rafting"}, token=boss.token)
        assert channel["streamKey"], "shown once"
        friend = rest.signup("ann", display_name="Ann")
        assert "admin" not in rest.call("GET", f"/api/users/{friend.id}", token=friend.token)["roles"]
        bot = {"kind": "bot", "name": "helper", "channels": [channel["id"]], "scopes": ["msg.send"]}
        token = rest.call("POST", "/api/tokens", bot, token=boss.token)["token"]
        await talk_over_a_restart(server, channel["id"], [boss.token, friend.token, token])
        assert "streamKey" not in rest.call("GET", f"/api/channels/@{channel['slug']}", token=None)
        rest.close()


async def talk_over_a_restart(server: CascadeServer, ch: str, tokens: list[str]) -> None:
    """Everybody talks; the server restarts; all resume, and each holds exactly the log."""
    clients = [await entered(server, token, ch) for token in tokens]
    sent = [await client.say(ch, f"hello from {k}", idem=f"a{k}") for k, client in enumerate(clients)]
    for client in clients:
        for reply in sent:
            await client.message(reply["mid"])
    positions = [client.positions.at[(ch, "room")] for client in clients]
    await asyncio.to_thread(server.restart)
    again: list[Client] = []
    for token, pos in zip(tokens, positions, strict=True):
        client = await Client.connect(server.url)
        reply = await client.auth(token=token, resume=[{"ch": ch, "s": "room", "pos": list(pos)}])
        assert reply["resumed"] == [{"ch": ch, "s": "room", "ok": True}]
        await client.event("resume.done")
        again.append(client)
    repeat = await again[0].ask("msg.send", {"text": "hello from 0", "idem": "a0"}, ch)
    assert repeat == {"outcome": "duplicate", "mid": sent[0]["mid"], "pos": sent[0]["pos"]}
    more = [await client.say(ch, f"back, {k}") for k, client in enumerate(again)]
    for client in again:
        await client.message(more[-1]["mid"])
        assert [event["d"]["mid"] for event in client.of("msg.new")] == [reply["mid"] for reply in more]
    page = await again[0].history(ch, kinds=["msg.new"])
    assert [event["d"]["mid"] for event in page["events"]] == [reply["mid"] for reply in [*sent, *more]]
    for client in again:
        await client.close()


async def entered(server: CascadeServer, token: str, ch: str) -> Client:
    """A connection that has joined the channel."""
    client = await Client.connect(server.url)
    await client.auth(token=token)
    await client.join(ch)
    return client


def test_the_first_account_needs_the_code_when_it_comes_through_a_proxy(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        rest = Rest(server.url)
        body = {
            "displayName": "Eve",
            "name": "eve",
            "email": "eve@test.example",
            "password": "a long password",
        }
        response = rest.raw("POST", "/api/auth/signup", json=body, headers={"X-Forwarded-For": "203.0.113.9"})
        assert response.status_code >= 400, "who knows who this is"
        assert rest.signup("river").id
        rest.close()


def test_only_one_of_many_first_accounts_becomes_administrator(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        rest = Rest(server.url)
        people = [rest.signup(f"racer{i}") for i in range(3)]
        roles = [
            rest.call("GET", f"/api/users/{person.id}", token=person.token)["roles"] for person in people
        ]
        assert ["admin" in each for each in roles] == [True, False, False]
        with pytest.raises(RestRefused) as refused:
            rest.signup("racer0")
        assert refused.value.status in {400, 409, 422}
        rest.close()


async def test_kill_9_loses_no_acknowledged_message(tmp_path: Path) -> None:
    with serving(tmp_path, limits=False) as server:
        rest = Rest(server.url)
        boss = rest.signup("river")
        ch = rest.call("POST", "/api/channels", {"title": "Room"}, token=boss.token)["id"]
        client = await entered(server, boss.token, ch)
        acknowledged = [
            (await future)["d"]["mid"]
            for future in [await client.start("msg.send", {"text": f"n {i}"}, ch) for i in range(60)]
        ]
        server.kill9()
        await client.abort()
        await asyncio.to_thread(server.start)
        again = await entered(server, boss.token, ch)
        page = await again.history(ch, kinds=["msg.new"], limit=200)
        assert [event["d"]["mid"] for event in page["events"]] == acknowledged
        await again.close()
        rest.close()
