"""The whole front door under broken input: nothing crashes, nothing answers outside the table, others chat on.

`FUZZ_COUNT` frames and bodies (a fifth are bodies) from `FUZZ_SEED`; a failure prints the seed and the input.
"""

import asyncio
import json
import os
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.conformance.fuzzing import JSON, Fuzz
from tests.conformance.world import Room, World
from tests.support.client import Client
from tests.support.frames import check_frame
from tests.support.tables import CLOSES, check_error, status_of

COUNT = int(os.environ.get("FUZZ_COUNT", "20000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
BATCH = 40
SOCKETS = 4
SENTINEL = 2**53 - 1
ENDS = {*CLOSES, 1009} - {4000}


class Witness:
    """An innocent client in a room of its own: it must be served all the while, in order and without a hole."""

    def __init__(self, client: Client, room: Room) -> None:
        self.client = client
        self.room = room
        self.said = 0

    async def chat(self) -> None:
        """Say one thing and see it."""
        self.said += 1
        sent = await self.client.say(self.room.id, f"still here {self.said}")
        await self.client.message(sent["mid"], start=max(0, self.client.mark() - 20))


async def test_frames_and_bodies_of_every_kind_harm_nobody(world: World) -> None:
    room, quiet = world.room(owner="fuzzer"), world.room()
    fuzzer, ann = world.person("fuzzer"), await world.enter("ann", quiet)
    mids = [(await ann.say(room.id, f"prey {i}"))["mid"] for i in range(20)]
    witness = Witness(ann, quiet)
    frames, bodies = COUNT * 4 // 5, COUNT // 5
    jobs = [
        fuzz_socket(world, Fuzz(SEED * 1000 + k, room.id, mids, fuzzer.name), frames // SOCKETS, witness)
        for k in range(SOCKETS)
    ]
    fuzz = Fuzz(SEED * 1000 + SOCKETS, room.id, mids, fuzzer.name)
    async with asyncio.TaskGroup() as together:
        for job in jobs:
            together.create_task(job)
        together.create_task(fuzz_rest(world, fuzz, room, bodies))
    await witness.chat()
    assert witness.said > COUNT // (BATCH * 20)
    if world.target.server is not None:
        assert world.target.server.alive()
        assert "Traceback" not in world.target.server.log, world.target.server.log[-4000:]


async def fuzz_socket(world: World, fuzz: Fuzz, count: int, witness: Witness) -> None:
    """Send frames in batches, over as many connections as it takes, until `count` of them are answered."""
    answered = batch = 0
    while answered < count:
        async with connected(world) as socket:
            alive = True
            while alive and answered < count:
                batch += 1
                replies, alive = await send_batch(socket, [fuzz.frame(i + 10) for i in range(BATCH)])
                answered += replies
                if batch % 10 == 0:
                    await witness.chat()


@asynccontextmanager
async def connected(world: World) -> AsyncGenerator[ClientConnection]:
    """A raw connection that has authenticated, or was closed meanwhile (the bodies change its account, too)."""
    url = world.url.replace("http", "ws", 1) + "/ws"
    options: JSON = {"compression": None, "max_size": None, "ping_interval": None, "max_queue": None}
    async with connect(url, proxy=None, close_timeout=1, **options) as socket:
        await socket.send(json.dumps({"id": 1, "t": "auth", "d": {"token": world.person("fuzzer").token}}))
        with suppress(ConnectionClosed):  # Whoever sends next sees the code and judges it.
            while '"re":1,' not in str(await socket.recv()):
                pass
        yield socket


async def send_batch(socket: ClientConnection, texts: list[str]) -> tuple[int, bool]:
    """Send frames and a sentinel and check all answers.

    Returns how many replies came, and whether the connection lives (the server may close as the table allows).
    """
    replies = 0
    try:
        for text in texts:
            await socket.send(text.encode("utf-8", "replace").decode())
        await socket.send(json.dumps({"id": SENTINEL, "t": "room.state", "ch": "c_0"}))
        async with asyncio.timeout(30):
            while (frame := check_answer(await socket.recv(), texts)).get("re") != SENTINEL:
                replies += "re" in frame
    except ConnectionClosed as end:
        code = end.rcvd.code if end.rcvd else 1006
        assert code in ENDS, f"seed {SEED}: closed with {code} after {texts}"
        return replies, False
    except TimeoutError:
        raise AssertionError(f"seed {SEED}: no answer to the sentinel after {texts}") from None
    return replies, True


def check_answer(text: str | bytes, texts: list[str]) -> JSON:
    """Check one frame of the server; what it says."""
    frame: JSON = json.loads(text)
    try:
        check_frame(frame)
        assert frame.get("err", {}).get("code") != "internal", "internal"
    except AssertionError as broken:
        raise AssertionError(f"seed {SEED}: {broken}: {frame} after {texts}") from None
    return frame


async def fuzz_rest(world: World, fuzz: Fuzz, room: Room, count: int) -> None:
    """Send `count` bodies to every endpoint that takes one, with a token, without, and with a broken one."""
    chance = random.Random(SEED)
    token = world.person("fuzzer").token
    transport = httpx2.AsyncHTTPTransport(trust_env=False)
    async with httpx2.AsyncClient(
        base_url=world.url, transport=transport, timeout=30, trust_env=False
    ) as client:
        for _ in range(count):
            method, path, valid = chance.choice(endpoints(room, world.person("fuzzer").id, fuzz))
            body = fuzz.body(json.loads(json.dumps(valid)))
            headers = {"Content-Type": chance.choice(("application/json",) * 9 + ("text/plain", ""))}
            bearer = chance.choice((token, token, token, token, None, "cs_x"))
            if bearer:
                headers["Authorization"] = f"Bearer {bearer}"
            response = await client.request(method, path, content=body, headers=headers)
            client.cookies.clear()
            check_response(response, method, path, body)


def endpoints(room: Room, user: str, fuzz: Fuzz) -> tuple[tuple[str, str, JSON], ...]:
    """(method, path, a valid body); none of them ends the fuzzer's own session or channel."""
    command = json.loads(
        json.dumps(fuzz.chance.choice([{"text": "x", "idem": "i"}, {"limit": 5}, {"mid": "m_1"}]))
    )
    path = f"/api/channels/{room.id}"
    door = [("POST", f"/api/commands/{t}", {"ch": room.id, "d": command}) for t in (
        "msg.send", "history", "msg.delete", "mode.set", "role.grant", "room.who", "mod.delete", "no.such", "auth"
    )]  # fmt: skip
    return (
        *door,
        ("POST", f"{path}/chat", {"text": "by REST", "idem": "r", "replyTo": fuzz.mids[0]}),
        ("GET", f"{path}/chat?before=5&limit=3", {}),
        ("GET", f"{path}/chat?before=x&limit=99999999999999999999", {}),
        ("DELETE", f"{path}/chat/m_%00", {}),
        ("PATCH", path, {"title": "Fuzzed", "tags": ["a"], "policy": {"textMax": 500}}),
        ("POST", "/api/channels", {"title": "No", "slug": "!", "tags": [], "visibility": "x"}),
        ("GET", "/api/channels?q=%FF&tag=%00&limit=-1", {}),
        ("GET", "/api/channels/%C0%80", {}),
        ("POST", "/api/auth/signup", {"displayName": "F", "name": "F!", "email": "no", "password": ""}),
        ("POST", "/api/auth/login", {"name": 5, "password": "x"}),
        ("PATCH", f"/api/users/{user}", {"displayName": "Fuzzer", "roles": ["admin"]}),
        ("GET", "/api/users/@%F0%9F%98%80", {}),
        ("POST", "/api/tokens", {"kind": "bots", "name": "", "channels": [room.id], "scopes": ["msg.send"]}),
        ("DELETE", "/api/tokens/t_x", {}),
        ("DELETE", "/api/auth/sessions/x", {}),
    )  # fmt: skip


def check_response(response: httpx2.Response, method: str, path: str, body: bytes) -> None:
    """No 5xx; an error is a row of the table in the one shape with its own status."""
    told = f"seed {SEED}: {method} {path} {body!r} got {response.status_code} {response.text[:300]}"
    assert response.status_code < 500, told
    if response.status_code < 400:
        return
    try:
        err = response.json()["error"]
        check_error(err)
        assert response.status_code in {status_of(err["code"]), 405, 415}, "status"
    except (AssertionError, KeyError, ValueError) as broken:
        raise AssertionError(f"{told}: {broken!r}") from None
