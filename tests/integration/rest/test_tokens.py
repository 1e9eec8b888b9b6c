"""/api/tokens over the whole application: shown once, least rights, revoked at once."""

import pytest

from tests.integration.rest.conftest import Api

BOT = {"kind": "bot", "name": "Helper Bot", "channels": ["*"], "scopes": ["msg.send"]}


async def test_a_token_is_shown_once_and_ends_at_once(bob: Api) -> None:
    made = await bob.ok("POST", "/api/tokens", BOT, 201)
    assert set(made) == {"id", "token", "user"}
    assert made["user"]["kind"] == "bot"
    listed = await bob.ok("GET", "/api/tokens")
    assert [token["id"] for token in listed["items"]] == [made["id"]]
    assert made["token"] not in str(listed)
    bot = bob.as_(made["token"])
    await bot.ok("GET", "/api/channels")
    assert (await bob.raw("DELETE", f"/api/tokens/{made['id']}")).status_code == 204
    assert (await bot.refused("GET", "/api/channels"))["code"] == "unauthenticated"
    assert (await bob.refused("DELETE", f"/api/tokens/{made['id']}"))["code"] == "not_found"


async def test_a_token_manages_no_account(admin: Api) -> None:
    for kind in ("bot", "personal"):
        made = await admin.ok("POST", "/api/tokens", {**BOT, "kind": kind}, 201)
        holder = admin.as_(made["token"])
        boss = (await admin.ok("GET", "/api/auth/session"))["user"]["id"]
        assert (await holder.refused("POST", "/api/tokens", BOT))["code"] == "forbidden"
        assert (await holder.refused("GET", "/api/tokens"))["code"] == "forbidden"
        assert (await holder.refused("GET", "/api/auth/sessions"))["code"] == "forbidden"
        assert (await holder.refused("GET", "/api/users"))["code"] == "forbidden"
        assert (await holder.refused("PATCH", f"/api/users/{boss}", {"displayName": "x"}))[
            "code"
        ] == "forbidden"
        assert "email" not in await holder.ok("GET", f"/api/users/{boss}")


async def test_nobody_sees_or_ends_another_s_tokens(admin: Api, bob: Api) -> None:
    made = await bob.ok("POST", "/api/tokens", BOT, 201)
    assert (await admin.ok("GET", "/api/tokens"))["items"] == []
    assert (await admin.refused("DELETE", f"/api/tokens/{made['id']}"))["code"] == "not_found"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "king"}, "kind"),
        ({"name": ""}, "name"),
        ({"channels": []}, "channels"),
        ({"channels": ["lobby"]}, "channels"),
        ({"channels": "*"}, "channels"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": ["admin"]}, "scopes"),
        ({"expiresAt": 1}, "expiresAt"),
        ({"expiresAt": "tomorrow"}, "expiresAt"),
        ({"kind": "overlay"}, "channels"),
    ],
)
async def test_what_is_wrong_in_a_token_is_named(bob: Api, change: dict[str, object], field: str) -> None:
    error = await bob.refused("POST", "/api/tokens", {**BOT, **change})
    assert (error["code"], error["field"]) == ("bad_request", field)


async def test_a_bot_may_nothing_that_its_maker_may_not_now(admin: Api, bob: Api) -> None:
    ch = (await admin.ok("POST", "/api/channels", {"title": "Lobby"}, 201))["id"]
    scopes = {**BOT, "scopes": ["msg.send", "mod.timeout"]}
    made = await bob.ok("POST", "/api/tokens", scopes, 201)
    bot = bob.as_(made["token"])

    async def act(who: Api, t: str, **d: object) -> None:
        await who.ok("POST", f"/api/commands/{t}", {"ch": ch, "d": d})

    await act(admin, "role.grant", user=made["user"]["id"], role="moderator")
    sleep = {"ch": ch, "d": {"user": made["user"]["id"], "seconds": 1}}
    assert (await bot.refused("POST", "/api/commands/mod.timeout", sleep))["code"] == "forbidden"
    await act(admin, "role.grant", user="@bob", role="moderator")
    assert (await bot.refused("POST", "/api/commands/mod.timeout", sleep))["code"] == "role_too_low"
    await act(admin, "role.revoke", user="@bob")
    await act(admin, "mod.ban", user="@bob")
    assert (await bot.refused("POST", f"/api/channels/{ch}/chat", {"text": "hi"}))["code"] == "banned"


async def test_what_only_reads_takes_nothing_back_and_sees_no_policy(admin: Api) -> None:
    ch = (await admin.ok("POST", "/api/channels", {"title": "Lobby"}, 201))["id"]
    mid = (await admin.ok("POST", f"/api/channels/{ch}/chat", {"text": "mine"}, 201))["mid"]
    for kind, scopes in (("overlay", []), ("personal", ["react"])):
        wanted = {"kind": kind, "name": "reader", "channels": [ch], "scopes": scopes}
        made = await admin.ok("POST", "/api/tokens", wanted, 201)
        reader = admin.as_(made["token"])
        assert (await reader.refused("DELETE", f"/api/channels/{ch}/chat/{mid}"))["code"] == "forbidden"
        shown = await reader.ok("GET", f"/api/channels/{ch}")
        assert kind == "personal" or "policy" not in shown
