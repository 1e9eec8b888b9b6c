"""Bodies and parameters that nobody would send: every answer is good or a row of the table, never a 500."""

import json
import random
from typing import Any

import pytest

from schemas.rest import ENDPOINTS, Endpoint
from tests.integration.rest.conftest import Api
from tests.support.rest import checked_error

SEED = 20_261_121
ROUNDS = 40
_ODD: list[Any] = [
    None, True, 0, -1, 2**53, 2**70, 1.5, "", " ", "x", "*", "@", "@bob", "u_1", "c_1", "\x00", "a\nb",
    "\u202e", "\ud800", "😀" * 50, "e\u0301" * 30, "x" * 3000, [], ["*"], ["x"] * 300, {}, {"a": {}}, [[[[]]]],
]  # fmt: skip


def bodied() -> list[Endpoint]:
    return [each for each in ENDPOINTS if each.body is not None]


def members(endpoint: Endpoint) -> list[str]:
    assert endpoint.body is not None
    return [*endpoint.body.__struct_encode_fields__, "unknown", ""]


def a_body(chance: random.Random, endpoint: Endpoint) -> bytes:
    """A body that is nearly right, or wrong through and through."""
    names = members(endpoint)
    body = {name: chance.choice(_ODD) for name in chance.sample(names, chance.randint(0, len(names)))}
    data = json.dumps(body).encode()
    if chance.random() < 0.2:  # cut or spoilt
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.choice([b"", b"\xff", b"{", b"\x00", b"\xed\xa0\x80"]) + data[at + 1 :]
    return data


@pytest.mark.parametrize("endpoint", bodied(), ids=lambda each: f"{each.method} {each.path}")
async def test_bodies(admin: Api, bob: Api, endpoint: Endpoint) -> None:
    chance = random.Random(f"{SEED} {endpoint.method} {endpoint.path}")
    made = await admin.ok("POST", "/api/channels", {"title": "Lobby"}, 201)
    path = endpoint.path.format(channel=made["id"], user="@bob", id="t_1", mid="m_1", t="msg.send")
    kind = {"Content-Type": "application/json"}
    for _ in range(ROUNDS):
        data = a_body(chance, endpoint)
        who = chance.choice([bob, admin]) if endpoint.method != "DELETE" else bob
        response = await who.raw(endpoint.method, path, content=data, headers=kind)
        assert response.status_code < 500, (data, response.text)
        if response.status_code >= 400:
            checked_error(response)


@pytest.mark.parametrize("path", ["/api/channels", "/api/users", "/api/tokens", "/api/channels/@lobby/chat"])
async def test_parameters(admin: Api, path: str) -> None:
    chance = random.Random(f"{SEED} {path}")
    await admin.ok("POST", "/api/channels", {"title": "Lobby"}, 201)
    names = ["limit", "cursor", "q", "before", "live", "ownerId", "tag", "category", "upcoming", "x"]
    values = [
        "",
        "0",
        "1",
        "-1",
        "9" * 30,
        "x",
        "true",
        "%",
        "\x00",
        "😀",
        "c_zzzz",
        "u_zzzz",
        "a" * 2000,
        "'--",
    ]
    for _ in range(ROUNDS):
        query = [(chance.choice(names), chance.choice(values)) for _ in range(chance.randint(1, 3))]
        response = await admin.raw("GET", path, params=query)
        assert response.status_code < 500, (query, response.text)
        if response.status_code >= 400:
            checked_error(response)
