"""Protocol 4: guests: an identity with a lasting token, names that deceive nobody, renaming."""

import re
from typing import Any

import pytest

from tests.conformance.world import World


async def test_a_guest_gets_an_identity_and_its_token_once(world: World) -> None:
    client, name = await world.open(), world.guest_name()
    d = await client.auth(guest={"name": name})
    assert d["user"]["id"].startswith("g_")
    assert d["user"]["kind"] == "guest"
    assert d["user"]["displayName"] == name
    assert d["user"]["roles"] == ["guest"]
    assert d["expiresAt"] > 0
    again = await world.open()
    second = await again.auth(guest={"name": name, "token": d["guestToken"]})
    assert second["user"] == d["user"], "with a valid token the same identity goes on"
    assert "guestToken" not in second


async def test_an_unknown_guest_token_gives_a_new_identity_and_token(world: World) -> None:
    client = await world.open()
    d = await client.auth(guest={"name": world.guest_name(), "token": "cgt_unknown"})
    assert d["user"]["id"].startswith("g_")
    assert d["guestToken"] != "cgt_unknown"


async def test_another_name_with_a_valid_token_renames_the_guest(world: World) -> None:
    first = await world.guest()
    token, new = first.session["guestToken"], world.guest_name()
    d = await (await world.open()).auth(guest={"name": new, "token": token})
    assert d["user"]["id"] == first.session["user"]["id"]
    assert d["user"]["displayName"] == new


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "x" * 26,
        "a\u0000b",
        "a\nb",
        "a\u202eb",
        "a\u200bb",
        "a\u00adb",
        "\U0001f600" * 10_000,
        " ",
        5,
        None,
    ],
)
async def test_a_bad_guest_name_is_bad_request_and_leaves_the_socket_open(world: World, name: Any) -> None:
    client = await world.open()
    err = await client.refused("bad_request", "auth", {"guest": {"name": name}})
    assert err["field"] == "d.guest.name"
    assert (await client.auth(guest={"name": world.guest_name()}))["user"]["kind"] == "guest"


@pytest.mark.parametrize("length", [2, 25])
async def test_a_guest_name_has_2_to_25_code_points(world: World, length: int) -> None:
    alphabet = "\U00010400\U00010401\U00010402\U00010403"
    name = "".join(alphabet[(ord(c) + i) % 4] for i, c in enumerate((world.guest_name() * 9)[:length]))
    d = await (await world.open()).auth(guest={"name": name})
    assert d["user"]["displayName"].startswith(name)


@pytest.mark.parametrize("disguise", ["upper case", "full width", "look-alike"])
async def test_a_guest_name_that_reads_like_a_registered_one_gets_digits(world: World, disguise: str) -> None:
    name = world.person("ann").name
    shown = {
        "upper case": name.upper(),
        "full width": "".join(chr(ord(c) + 0xFEE0) if c != "_" else c for c in name),
        "look-alike": name.replace("a", "а", 1),
    }[disguise]
    d = await (await world.open()).auth(guest={"name": shown})
    assert re.search(r"-\d{2,4}$", d["user"]["name"]), d["user"]


async def test_a_guest_name_that_another_guest_bears_gets_digits(world: World) -> None:
    name = world.guest_name()
    first = await world.guest(name=name)
    second = await world.guest(name=name.upper())
    assert first.session["user"]["displayName"] == name
    assert re.search(r"-\d{2,4}$", second.session["user"]["name"])


async def test_a_guest_writes_and_is_shown_as_guest(world: World) -> None:
    room = world.room()
    guest = await world.guest(room)
    event = await guest.message((await guest.say(room.id, "hello"))["mid"])
    assert event["d"]["user"]["kind"] == "guest"
    assert event["d"]["user"]["id"] == guest.session["user"]["id"]


async def test_a_guest_seen_here_can_be_mentioned(world: World) -> None:
    room = world.room()
    guest, ann = await world.guest(room, name=f"Gustav{world.target.suffix}"), await world.enter("ann", room)
    name = guest.session["user"]["name"]
    event = await ann.message((await ann.say(room.id, f"@{name} welcome"))["mid"])
    assert [(frag["k"], frag["user"]) for frag in event["d"]["frags"]] == [
        ("mention", guest.session["user"]["id"])
    ]
    assert (await guest.event("notify", kind="mention"))["d"]["mid"] == event["d"]["mid"]


async def test_a_guest_renames_at_most_once_a_minute(world: World) -> None:
    first = await world.guest()
    token = first.session["guestToken"]
    await (await world.open()).auth(guest={"name": world.guest_name(), "token": token})
    client, third = await world.open(), world.guest_name()
    reply = await client.reply("auth", {"guest": {"name": third, "token": token}})
    if reply["ok"]:
        assert reply["d"]["user"]["displayName"] != third
    else:
        assert reply["err"]["code"] == "rate_limited"
        assert 0 < reply["err"]["afterMs"] <= 60_000


async def test_a_guest_token_is_no_session_token(world: World) -> None:
    token = (await world.guest()).session["guestToken"]
    client = await world.open()
    await client.refused("unauthenticated", "auth", {"token": token})
    await client.closed(4500)
