"""The contract of the people store, for every implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from chatcore.log.database import Database
from chatcore.people.store import (
    DELETED_NAME,
    GRACE_MS,
    GUEST_LIFE_MS,
    GUEST_NAME_MS,
    ApiToken,
    Changes,
    Guest,
    GuestDraft,
    LastAdmin,
    Missing,
    SignIn,
    Store,
    Taken,
    User,
    former_name,
)
from chatcore.people.store_memory import MemoryStore
from chatcore.people.store_sqlite import SqliteStore

NOW = 1_790_000_000_000
FIRST = frozenset({"admin"})
NONE: frozenset[str] = frozenset()


@asynccontextmanager
async def sqlite_store(folder: Path) -> AsyncGenerator[Store]:
    database = await Database.open(folder / "cascade.db")
    try:
        yield SqliteStore(database)
    finally:
        await database.close()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    async with sqlite_store(tmp_path) as opened:
        yield opened


def a_user(number: int, **changes: object) -> User:
    fresh = User(
        f"u_{number:04}", "user", "", f"User {number}", f"u{number}@example.com", "$hash", NONE, None, NOW
    )
    return replace(fresh, **changes)


async def add(store: Store, number: int, *names: str, **changes: object) -> User:
    return await store.create_user(a_user(number, **changes), names or (f"user_{number}",), NONE)


def a_sign_in(number: int, person: str = "u_0001", **changes: object) -> SignIn:
    fresh = SignIn(f"t_{number:04}", f"{number:064x}", person, NOW, NOW, NOW + 1000, "Firefox", "203.0.*")
    return replace(fresh, **changes)


def a_token(number: int, person: str = "u_0001", maker: str = "u_0001", **changes: object) -> ApiToken:
    fresh = ApiToken(
        f"t_{number:04}", f"{number:064x}", "bot", "Bot", person, maker, frozenset({"msg.send"}), None, NOW
    )
    return replace(fresh, **changes)


def a_guest(number: int, name: str = "Ann", **changes: object) -> Guest:
    fresh = Guest(f"g_{number:04}", f"{number:064x}", name, name, NOW, NOW)
    return replace(fresh, **changes)


# -- users ---------------------------------------------------------------------------------------------------


async def test_only_the_first_user_gets_the_first_roles(store: Store) -> None:
    assert not await store.has_users()
    both = await asyncio.gather(
        *(store.create_user(a_user(number), (f"user_{number}",), FIRST) for number in (1, 2))
    )
    assert sorted(len(user.roles) for user in both) == [0, 1]
    assert await store.has_users()


async def test_a_bot_makes_no_instance_inhabited(store: Store) -> None:
    await add(store, 1, kind="bot", email=None, password=None)
    assert not await store.has_users()


async def test_a_user_is_found_by_id_name_and_email(store: Store) -> None:
    user = await add(store, 1, "river", email="River@Example.com")
    assert await store.user("u_0001") == user
    assert await store.user_by_name("river") == user
    assert await store.user_by_email("river@example.com") == user
    assert await store.user("u_9") is None
    assert await store.user_by_name("nobody") is None
    assert await store.user_by_email("nobody@example.com") is None


async def test_the_first_free_name_is_taken_and_else_it_is_taken(store: Store) -> None:
    await add(store, 1, "river")
    assert (await add(store, 2, "river", "river_2")).name == "river_2"
    with pytest.raises(Taken, match="name"):
        await add(store, 3, "river", "river_2")
    assert await store.user("u_0003") is None


async def test_an_email_belongs_to_one(store: Store) -> None:
    await add(store, 1, email="ann@example.com")
    with pytest.raises(Taken, match="email"):
        await add(store, 2, email="ANN@example.com")
    await add(store, 3)
    with pytest.raises(Taken, match="email"):
        await store.change_user("u_0003", Changes(email="Ann@Example.com"))
    await add(store, 4, email=None)
    await add(store, 5, email=None)


async def test_changes_change_what_they_name(store: Store) -> None:
    user = await add(store, 1, "river")
    changed = await store.change_user("u_0001", Changes(display_name="New", names=("lake",)))
    assert changed == replace(user, display_name="New", name="lake")
    assert await store.user("u_0001") == changed
    changed = await store.change_user(
        "u_0001", Changes(email="new@example.com", password="$new", roles=frozenset({"creator"}))
    )
    assert (changed.email, changed.password, changed.roles) == ("new@example.com", "$new", {"creator"})
    assert await store.change_user("u_0001", Changes(names=("lake",))) == changed
    with pytest.raises(Missing):
        await store.change_user("u_9", Changes())


async def test_the_last_administrator_stays(store: Store) -> None:
    await add(store, 1, roles=frozenset({"admin", "creator"}))
    with pytest.raises(LastAdmin):
        await store.change_user("u_0001", Changes(roles=NONE))
    with pytest.raises(LastAdmin):
        await store.delete_user("u_0001", NOW)
    await add(store, 2, roles=FIRST)
    await store.change_user("u_0001", Changes(roles=NONE))
    with pytest.raises(LastAdmin):
        await store.delete_user("u_0002", NOW)


async def test_users_are_listed_newest_first_in_pages(store: Store) -> None:
    for number in range(1, 6):
        await add(store, number)
    assert [user.id for user in await store.users("", None, 3)] == ["u_0005", "u_0004", "u_0003"]
    assert [user.id for user in await store.users("", "u_0003", 3)] == ["u_0002", "u_0001"]
    assert [user.id for user in await store.users("U3@EXAMPLE", None, 9)] == ["u_0003"]
    assert [user.id for user in await store.users("USER_4", None, 9)] == ["u_0004"]
    assert [user.id for user in await store.users("ser 2", None, 9)] == ["u_0002"]
    assert await store.users("%", None, 9) == []


async def test_a_deleted_user_keeps_his_id_only(store: Store) -> None:
    await add(store, 1, "river")
    bot = await add(store, 2, "bot_x", kind="bot", email=None, password=None, maker="u_0001")
    await store.add_sign_in(a_sign_in(1), "$hash")
    await store.add_token(a_token(2, bot.id))
    await store.put_invite("code", "u_0001", NOW + 1000)
    assert sorted(await store.delete_user("u_0001", NOW + 5)) == ["u_0001", "u_0002"]
    gone = await store.user("u_0001")
    assert gone is not None
    assert (gone.name, gone.email, gone.password, gone.deleted_at) == (DELETED_NAME, None, None, NOW + 5)
    assert await store.user_by_name("river") is None
    assert await store.user_by_email("u1@example.com") is None
    assert await store.users("", None, 9) == []
    assert await store.find_sign_ins([f"{1:064x}"]) == {}
    assert await store.find_tokens([f"{2:064x}"]) == {}
    assert await store.invited("code", NOW) is None
    assert [name.name for name in await store.names(["u_0001"])] == [DELETED_NAME]
    with pytest.raises(Missing):
        await store.delete_user("u_0001", NOW)
    with pytest.raises(Missing):
        await store.change_user("u_0001", Changes(display_name="Back"))
    with pytest.raises(Missing):
        await store.add_sign_in(a_sign_in(3), None)
    with pytest.raises(Missing):
        await store.add_token(a_token(4))
    assert (await add(store, 3, "river")).name == "river"
    assert await store.has_users()


# -- invites and the first run -------------------------------------------------------------------------------


async def test_an_invite_is_good_once_and_for_a_time(store: Store) -> None:
    user = await add(store, 1, password=None)
    await store.put_invite("old", user.id, NOW + 1000)
    await store.put_invite("code", user.id, NOW + 1000)
    assert await store.invited("old", NOW) is None
    assert await store.invited("code", NOW + 1000) is None
    assert await store.invited("code", NOW) == user
    with pytest.raises(Missing):
        await store.redeem_invite("code", NOW + 1000, Changes(password="$new"))
    changed = await store.redeem_invite("code", NOW, Changes(password="$new"))
    assert changed == replace(user, password="$new")
    with pytest.raises(Missing):
        await store.redeem_invite("code", NOW, Changes(password="$other"))
    assert await store.user(user.id) == changed
    with pytest.raises(Missing):
        await store.put_invite("code", "u_9", NOW + 1000)


async def test_an_invite_that_could_not_be_taken_up_stays_good(store: Store) -> None:
    await add(store, 1, "river")
    await add(store, 2, password=None)
    await store.put_invite("code", "u_0002", NOW + 1000)
    with pytest.raises(Taken, match="name"):
        await store.redeem_invite("code", NOW, Changes(names=("river",)))
    assert await store.invited("code", NOW) is not None


async def test_the_first_code_stays_the_same(store: Store) -> None:
    assert await store.code("one") == "one"
    assert await store.code("two") == "one"


# -- sessions and tokens -------------------------------------------------------------------------------------


async def test_sessions_are_found_listed_and_ended(store: Store) -> None:
    user = await add(store, 1)
    await add(store, 2)
    for number in (1, 2, 3):
        await store.add_sign_in(a_sign_in(number), "$hash")
    await store.add_sign_in(a_sign_in(4, "u_0002"), "$hash")
    await store.add_sign_in(a_sign_in(5, expires_at=NOW), "$hash")
    found = await store.find_sign_ins([f"{number:064x}" for number in (1, 4, 77)])
    assert {hashed: credential.user.id for hashed, credential in found.items()} == {
        f"{1:064x}": "u_0001",
        f"{4:064x}": "u_0002",
    }
    assert found[f"{1:064x}"].key == a_sign_in(1)
    assert found[f"{1:064x}"].user == user
    assert [row.id for row in await store.sign_ins("u_0001", NOW)] == ["t_0003", "t_0002", "t_0001"]
    assert await store.end_sign_ins("u_0001", only="t_0004") == []
    assert await store.end_sign_ins("u_0001", only="t_0001") == ["t_0001"]
    assert sorted(await store.end_sign_ins("u_0001", but="t_0003")) == ["t_0002", "t_0005"]
    assert await store.end_sign_ins("u_0001") == ["t_0003"]
    assert len(await store.sign_ins("u_0002", NOW)) == 1


async def test_too_many_sessions_end_the_least_recently_used(store: Store) -> None:
    await add(store, 1)
    await add(store, 2)
    for number, used in ((1, 30), (2, 10), (3, 20), (4, 20)):
        assert await store.add_sign_in(a_sign_in(number, used_at=NOW + used), "$hash", keep=4) == []
    assert await store.add_sign_in(a_sign_in(5, "u_0002"), "$hash", keep=4) == []
    assert await store.add_sign_in(a_sign_in(6, used_at=NOW), "$hash", keep=4) == ["t_0002"]
    assert sorted(await store.add_sign_in(a_sign_in(7), "$hash", keep=2)) == ["t_0003", "t_0004", "t_0006"]
    assert [row.id for row in await store.sign_ins("u_0001", NOW)] == ["t_0007", "t_0001"]
    assert len(await store.sign_ins("u_0002", NOW)) == 1
    with pytest.raises(Missing):
        await store.add_sign_in(a_sign_in(8), "$other", keep=1)
    assert len(await store.sign_ins("u_0001", NOW)) == 2


async def test_no_session_by_a_password_that_was_changed(store: Store) -> None:
    await add(store, 1)
    await store.change_user("u_0001", Changes(password="$new"))
    with pytest.raises(Missing):
        await store.add_sign_in(a_sign_in(1), "$hash")
    await store.add_sign_in(a_sign_in(1), "$new")


async def test_tokens_are_found_listed_and_ended(store: Store) -> None:
    await add(store, 1)
    bot = await add(store, 2, kind="bot", email=None, password=None, maker="u_0001")
    kept = a_token(1, bot.id, channels=frozenset({"c_1", "c_2"}), expires_at=NOW + 5)
    await store.add_token(kept)
    await store.add_token(a_token(2, kind="personal", scopes=NONE))
    found = await store.find_tokens([f"{1:064x}", f"{9:064x}"])
    assert [(credential.key, credential.user) for credential in found.values()] == [(kept, bot)]
    assert [token.id for token in await store.tokens("u_0001", None, 9)] == ["t_0002", "t_0001"]
    assert [token.id for token in await store.tokens("u_0001", "t_0002", 9)] == ["t_0001"]
    assert await store.tokens("u_0002", None, 9) == []
    assert await store.end_token("u_0002", "t_0001") is None
    assert await store.end_token("u_0001", "t_0001") == bot.id
    assert await store.end_token("u_0001", "t_0001") is None


async def test_a_bot_gives_its_name_away_when_no_token_of_it_is_good(store: Store) -> None:
    await add(store, 1, "river")
    bot = await add(store, 2, "bot_x", kind="bot", email=None, password=None, maker="u_0001")
    await add(store, 3, "host", kind="bot", email=None, password=None)
    await store.add_token(a_token(1, bot.id, expires_at=NOW + 5))
    await store.add_token(a_token(2, bot.id))
    for name in ("river", "host", "bot_x", "nobody"):
        assert await store.retire_bot(name, NOW + 5) is None
    await store.end_token("u_0001", "t_0002")
    assert await store.retire_bot("bot_x", NOW + 4) is None
    retired = await store.retire_bot("bot_x", NOW + 5)
    assert retired == replace(bot, name=former_name(bot)) == await store.user(bot.id)
    assert await store.user_by_name("bot_x") is None
    assert await store.user_by_name(former_name(bot)) == retired
    assert (await add(store, 4, "bot_x")).name == "bot_x"
    assert await store.retire_bot("bot_x", NOW + 5) is None
    assert [name.name for name in await store.names([bot.id])] == [former_name(bot)]


async def test_touching_moves_last_use_forward_only(store: Store) -> None:
    await add(store, 1)
    await store.add_sign_in(a_sign_in(1), "$hash")
    await store.add_token(a_token(2))
    await store.settle_guests([GuestDraft(a_guest(3), ("Ann",))], NOW)
    await store.touch({"t_0001": NOW + 9, "t_0002": NOW + 8, "g_0003": NOW + 7, "t_9999": NOW})
    await store.touch({"t_0001": NOW + 1, "t_0002": NOW + 1, "g_0003": NOW + 1})
    (sign_in,) = (await store.find_sign_ins([f"{1:064x}"])).values()
    (token,) = (await store.find_tokens([f"{2:064x}"])).values()
    (guest,) = (await store.find_guests([f"{3:064x}"], 0)).values()
    assert (sign_in.key.used_at, token.key.used_at, guest.used_at) == (NOW + 9, NOW + 8, NOW + 7)


# -- guests --------------------------------------------------------------------------------------------------


async def settle(store: Store, number: int, *names: str, at: int = NOW) -> Guest:
    draft = GuestDraft(a_guest(number, names[0], used_at=at, created_at=at), names)
    (settled,) = await store.settle_guests([draft], at)
    return settled


async def test_a_guest_is_found_as_he_was_made(store: Store) -> None:
    made = await settle(store, 1, "Ann Ö")
    assert await store.find_guests([made.hash, "other"], NOW) == {made.hash: made}
    (name,) = await store.names(["g_0001", "g_0009"])
    assert (name.name, name.display_name, name.kind) == ("Ann Ö", "Ann Ö", "guest")
    assert await store.user("g_0001") is None
    assert await store.user_by_name("anno") is None


async def test_guests_of_one_batch_see_each_other(store: Store) -> None:
    drafts = [GuestDraft(a_guest(number), ("Ann", f"Ann-1{number}")) for number in (1, 2, 3)]
    assert [guest.name for guest in await store.settle_guests(drafts, NOW)] == ["Ann", "Ann-12", "Ann-13"]


async def test_a_guest_gives_way_to_users_and_bots_and_not_they_to_him(store: Store) -> None:
    await settle(store, 1, "River")
    user = await add(store, 1, "river")
    assert user.name == "river"
    (guest,) = (await store.find_guests([f"{1:064x}"], NOW - GUEST_NAME_MS)).values()
    assert guest.contested
    assert (await settle(store, 2, "RIVER", "RIVER-22")).name == "RIVER-22"


async def test_a_guest_keeps_his_name_for_a_day(store: Store) -> None:
    first = await settle(store, 1, "Ann")
    late = NOW + GUEST_NAME_MS
    assert (await settle(store, 2, "ann", "ann-22", at=late - 1)).name == "ann-22"
    second = await settle(store, 3, "ann", "ann-33", at=late)
    assert second.name == "ann"
    since = late - GUEST_NAME_MS
    found = await store.find_guests([first.hash, second.hash], since)
    assert found[first.hash].contested
    assert not found[second.hash].contested


async def test_a_guest_does_not_compete_with_himself(store: Store) -> None:
    guest = await settle(store, 1, "Ann")
    (again,) = await store.settle_guests(
        [GuestDraft(replace(guest, asked="Bea", renamed_at=NOW + 5), ("Ann", "Bea"))], NOW + 5
    )
    assert (again.name, again.asked, again.renamed_at) == ("Ann", "Bea", NOW + 5)
    assert await store.find_guests([guest.hash], NOW) == {guest.hash: again}


async def test_when_no_name_is_free_the_last_is_given(store: Store) -> None:
    await settle(store, 1, "Ann")
    assert (await settle(store, 2, "Ann")).name == "Ann"
    assert len(await store.guests_named("ann", NOW - 1)) == 2
    assert [name.id for name in await store.guests_named("ann", NOW - 1)] == ["g_0002", "g_0001"]
    assert await store.guests_named("ann", NOW) == []


# -- upkeep --------------------------------------------------------------------------------------------------


async def test_what_was_used_lately_comes_latest_first(store: Store) -> None:
    await add(store, 1)
    for number in (1, 2, 3):
        await store.add_sign_in(a_sign_in(number, used_at=NOW + number), "$hash")
        await settle(store, number, f"Guest {number}", at=NOW + number)
    credentials, guests = await store.recent(NOW + 1, 9)
    assert [found.key.id for found in credentials] == ["t_0003", "t_0002"]
    assert [guest.id for guest in guests] == ["g_0003", "g_0002"]
    credentials, guests = await store.recent(0, 1)
    assert (len(credentials), len(guests)) == (1, 1)


async def test_what_ended_long_ago_is_forgotten(store: Store) -> None:
    user = await add(store, 1)
    await store.add_sign_in(a_sign_in(1, expires_at=NOW), "$hash")
    await store.put_invite("code", user.id, NOW)
    await store.add_token(a_token(2, expires_at=NOW))
    await store.add_token(a_token(3))
    await settle(store, 1, "Ann", at=NOW)
    assert await store.forget_expired(NOW + GRACE_MS - 1) == 0
    assert await store.forget_expired(NOW + GRACE_MS) == 3
    assert [token.id for token in await store.tokens("u_0001", None, 9)] == ["t_0003"]
    assert await store.forget_expired(NOW + GRACE_MS + GUEST_LIFE_MS) == 1
    assert await store.find_guests([f"{1:064x}"], 0) == {}
    assert [name.name for name in await store.names(["g_0001"])] == ["Ann"]


async def test_people_outlive_the_process(tmp_path: Path) -> None:
    async with sqlite_store(tmp_path) as store:
        user = await add(store, 1, "river")
        await settle(store, 1, "Ann")
    async with sqlite_store(tmp_path) as store:
        assert await store.user_by_name("river") == user
        assert len(await store.find_guests([f"{1:064x}"], 0)) == 1
