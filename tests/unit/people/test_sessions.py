"""Sessions: logging in, throttling that locks no victim out, listing, ending; the cache and its look-ups."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from chatcore.people.config import PeopleConfig
from chatcore.people.passwords import NICE, Cost, Passwords, threads_for
from schemas.errors import Refused
from tests.unit.people.world import CHEAP, PASSWORD, CountingStore, World, a_world

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


async def fails(
    world: World, identifier: str = "river", password: str = "wrong", address: str = HOME
) -> Refused:
    with pytest.raises(Refused) as refusal:
        await world.people.login(identifier, password, address=address)
    return refusal.value


@pytest.mark.parametrize(
    "identifier", ["river", "@river", "RIVER", " river ", "river@example.com", "River@EXAMPLE.com"]
)
async def test_login_by_name_or_email(world: World, identifier: str) -> None:
    signed_up = await world.sign_up()
    signed_in = await world.people.login(identifier, PASSWORD, address=HOME)
    assert signed_in.principal.id == signed_up.principal.id
    assert signed_in.token.startswith("cs_")
    assert signed_in.token != signed_up.token
    assert signed_in.expires_at == world.clock.now + 30 * 24 * 3_600_000
    assert signed_in.user.email == "river@example.com"


@pytest.mark.parametrize(
    ("identifier", "password"),
    [
        ("river", "wrong password"),
        ("nobody", PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("river", "x" * 100_000),
        ("x" * 100_000, PASSWORD),
        ("\u200b", PASSWORD),
        ("river", "\ud800" * 8),
        ("\ud800river", PASSWORD),
        ("a\ud800@example.com", PASSWORD),
    ],
)
async def test_wrong_is_wrong_without_saying_which(world: World, identifier: str, password: str) -> None:
    await world.sign_up()
    refused = await fails(world, identifier, password)
    assert (refused.code, refused.field, refused.d) == ("unauthenticated", None, {})
    assert refused.message == "Wrong name, email or password."


async def test_failures_of_others_lock_no_known_token_out(world: World) -> None:
    token = (await world.sign_up()).token
    await world.people.authenticate(token, address=HOME)
    for _ in range(20):
        with pytest.raises(Refused):
            await world.people.authenticate("cs_" + "0" * 40, address=HOME)
    with pytest.raises(Refused) as refusal:
        await world.people.authenticate("cs_" + "0" * 40, address=HOME)
    assert refusal.value.code == "rate_limited"
    await world.people.authenticate(token, address=HOME)


async def test_many_failures_from_one_address_are_refused_and_say_when(world: World) -> None:
    await world.sign_up()
    for _ in range(10):
        assert (await fails(world)).code == "unauthenticated"
    refused = await fails(world, password=PASSWORD)
    assert (refused.code, refused.after_ms) == ("rate_limited", 30_000)
    assert refused.d == {"bucket": "auth", "limit": 10, "windowMs": 300_000}
    world.clock.pass_ms(30_000)
    await world.people.login("river", PASSWORD, address=HOME)


async def test_the_victim_gets_in_from_elsewhere(world: World) -> None:
    await world.sign_up()
    for number in range(300):
        await fails(world, address=f"203.0.113.{number % 250}")
    await world.people.login("river", PASSWORD, address=ELSEWHERE)


async def test_one_address_may_fail_twenty_times_a_minute_over_all_accounts(world: World) -> None:
    await world.sign_up()
    for number in range(20):
        assert (
            await fails(world, f"name{number}", address=f"2001:db8:0:1::{number:x}")
        ).code == "unauthenticated"
    assert (await fails(world, "other", address="2001:db8:0:1:ffff::1")).code == "rate_limited"
    assert (await fails(world, "other", address="2001:db8:0:2::1")).code == "unauthenticated"


async def test_success_costs_nothing(world: World) -> None:
    await world.sign_up()
    for _ in range(50):
        await world.people.login("river", PASSWORD, address=HOME)


async def test_attempts_at_once_are_counted_before_the_first_has_failed(world: World) -> None:
    await world.sign_up()
    attempts = [world.people.login("river", "wrong password", address=HOME) for _ in range(60)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    codes = [result.code for result in results if isinstance(result, Refused)]
    assert len(codes) == 60
    assert codes.count("unauthenticated") <= 10


async def test_limits_can_be_switched_off() -> None:
    async with a_world(PeopleConfig(limits=False, password_cost=CHEAP)) as world:
        await world.sign_up()
        for _ in range(40):
            assert (await fails(world)).code == "unauthenticated"


async def test_a_login_renews_an_outdated_hash() -> None:
    store = CountingStore()
    async with a_world(store=store) as old:
        user = (await old.sign_up()).principal
    before = await store.user(user.id)
    async with a_world(PeopleConfig(password_cost=Cost(passes=1, memory_kib=16)), store=store) as new:
        await new.people.login("river", PASSWORD, address=HOME)
        after = await store.user(user.id)
        assert before is not None
        assert after is not None
        assert before.password != after.password
        assert "m=16," in (after.password or "")
        await new.people.login("river", PASSWORD, address=HOME)


async def test_sessions_are_listed_and_ended(world: World) -> None:
    one = await world.sign_up()
    world.clock.pass_ms(5)
    two = await world.people.login("river", PASSWORD, address=HOME, agent="curl/8.5")
    listed = (await world.people.list_sessions(one.principal)).items
    assert [(entry.id, entry.current, entry.agent) for entry in listed] == [
        (two.principal.credential, False, "curl"),
        (one.principal.credential, True, "Firefox on Linux"),
    ]
    assert (await world.people.session(two.principal)).created_at == world.clock.now
    await world.people.authenticate(two.token)
    await world.people.revoke_session(one.principal, two.principal.credential)
    with pytest.raises(Refused) as refusal:
        await world.people.authenticate(two.token)
    assert refusal.value.code == "unauthenticated"
    assert [(gone.credential, gone.user, gone.close) for gone in world.revoked] == [
        (two.principal.credential, one.principal.id, 4006)
    ]
    await world.people.logout(one.principal)
    with pytest.raises(Refused):
        await world.people.logout(one.principal)
    with pytest.raises(Refused):
        await world.people.session(one.principal)


async def test_nobody_ends_the_sessions_of_others(world: World) -> None:
    admin, bob = await world.two()
    with pytest.raises(Refused) as refusal:
        await world.people.revoke_session(bob, admin.credential)
    assert refusal.value.code == "not_found"


async def test_a_session_ends_in_time(world: World) -> None:
    signed_in = await world.sign_up()
    await world.people.authenticate(signed_in.token)
    world.clock.now = signed_in.expires_at - 1
    await world.people.authenticate(signed_in.token)
    world.clock.now = signed_in.expires_at
    with pytest.raises(Refused) as refusal:
        await world.people.authenticate(signed_in.token)
    assert refusal.value.code == "token_expired"


@pytest.mark.parametrize(
    "token", ["", "cs_", "cs_unknown", "ct_unknown", "cgt_x", "x" * 10_000, "cs_é", "cs_" + "a" * 500]
)
async def test_what_is_no_token_is_unauthenticated(world: World, token: str) -> None:
    with pytest.raises(Refused) as refusal:
        await world.people.authenticate(token)
    assert refusal.value.code == "unauthenticated"


async def test_failed_authentications_are_throttled_where_the_address_is_given(world: World) -> None:
    signed_in = await world.sign_up()
    for _ in range(20):
        with pytest.raises(Refused):
            await world.people.authenticate("cs_unknown", address=HOME)
    with pytest.raises(Refused) as refusal:
        await world.people.authenticate(signed_in.token, address=HOME)
    assert refusal.value.code == "rate_limited"
    for _ in range(50):
        await world.people.authenticate(signed_in.token, address=ELSEWHERE)


# -- a crowd that comes back ---------------------------------------------------------------------------------


async def test_look_ups_of_one_turn_share_one_read() -> None:
    store = CountingStore()
    async with a_world(PeopleConfig(limits=False, password_cost=CHEAP), store=store) as world:
        tokens = [(await world.sign_up(f"user_{number}")).token for number in range(300)]
        found = await asyncio.gather(*(world.people.authenticate(token) for token in tokens))
        assert len({principal.id for principal in found}) == 300
        assert store.asked["find_sign_ins"] == 1
        await asyncio.gather(*(world.people.authenticate(token) for token in tokens))
        assert store.asked["find_sign_ins"] == 1


async def test_after_a_restart_who_was_here_lately_costs_no_read(world: World) -> None:
    token = (await world.sign_up()).token
    async with a_world(store=world.store, clock=world.clock) as restarted:
        assert (await restarted.people.authenticate(token)).name == "river"
        assert world.store.asked["find_sign_ins"] == 0


async def test_a_session_revoked_while_it_is_looked_up_is_not_let_in(world: World) -> None:
    signed_in = await world.sign_up()
    looking = asyncio.ensure_future(world.people.authenticate(signed_in.token))
    await world.people.logout(signed_in.principal)
    with pytest.raises(Refused):
        await looking
    with pytest.raises(Refused):
        await world.people.authenticate(signed_in.token)


async def test_a_revocation_between_authentication_and_registration_is_seen(world: World) -> None:
    signed_in = await world.sign_up()
    principal = await world.people.authenticate(signed_in.token)
    assert not world.people.is_revoked(principal)
    await world.people.logout(signed_in.principal)
    assert world.people.is_revoked(principal)


async def test_last_use_is_written_together(world: World) -> None:
    signed_in = await world.sign_up()
    world.clock.pass_ms(60_000)
    await world.people.authenticate(signed_in.token)
    assert (await world.people.list_sessions(signed_in.principal)).items[
        0
    ].last_used_at == world.clock.now - 60_000
    await world.people.flush()
    assert (await world.people.list_sessions(signed_in.principal)).items[0].last_used_at == world.clock.now


async def test_a_listener_that_fails_keeps_nobody_from_hearing(world: World) -> None:
    def broken(_: object) -> None:
        raise ValueError

    signed_in = await world.sign_up()
    world.people.on_revoked.insert(0, broken)
    world.people.on_renamed.insert(0, broken)
    await world.people.patch_user(
        signed_in.principal, signed_in.principal.id, {"display_name": "X"}, address=HOME
    )
    await world.people.logout(signed_in.principal)
    assert (len(world.revoked), len(world.renamed)) == (1, 1)


async def test_the_least_used_of_too_many_sessions_ends(world: World) -> None:
    first = latest = await world.sign_up()
    for _ in range(99):
        world.clock.pass_ms(1)
        latest = await world.people.login("river", PASSWORD, address=HOME)
    world.clock.pass_ms(1)
    await world.people.authenticate(first.token)
    await world.people.flush()
    second = (await world.people.list_sessions(first.principal)).items[-2]
    await world.people.login("river", PASSWORD, address=HOME)
    kept = (await world.people.list_sessions(first.principal)).items
    assert len(kept) == 100
    assert {first.principal.credential, latest.principal.credential} < {entry.id for entry in kept}
    assert [(gone.credential, gone.close) for gone in world.revoked] == [(second.id, 4006)]


# -- hashing -------------------------------------------------------------------------------------------------


async def test_hashing_is_bounded_for_one_and_for_all() -> None:
    passwords = Passwords(CHEAP)
    try:
        mine = [asyncio.ensure_future(passwords.hash("x" * 8, owner="me")) for _ in range(12)]
        others = [asyncio.ensure_future(passwords.hash("x" * 8, owner=f"o{number}")) for number in range(200)]
        done = await asyncio.gather(*mine, *others, return_exceptions=True)
        assert [getattr(result, "code", "hash") for result in done[:12]] == ["hash"] * 8 + ["overloaded"] * 4
        assert sum(isinstance(result, Refused) for result in done) == 4 + 200 - (96 - 8)
        assert (await passwords.check(await passwords.hash("x" * 8, owner="me"), "x" * 8, owner="me")).ok
    finally:
        passwords.close()


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 8)])
def test_hashing_leaves_half_the_cores_to_others(cores: int, threads: int) -> None:
    assert threads_for(cores) == threads


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
async def test_hashing_gives_way_to_everything_else() -> None:
    before = set(threading.enumerate())
    passwords = Passwords(CHEAP)
    try:
        await passwords.hash("x" * 8, owner="me")
        own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        (hashing,) = [
            thread
            for thread in set(threading.enumerate()) - before
            if thread.name.startswith("cascade-password")
        ]
        assert hashing.native_id is not None
        assert os.getpriority(os.PRIO_PROCESS, hashing.native_id) == min(own + NICE, 19)
    finally:
        passwords.close()


async def test_a_damaged_hash_lets_nobody_in() -> None:
    passwords = Passwords(CHEAP)
    try:
        for stored in (None, "", "$argon2id$broken", "plain"):
            assert not (await passwords.check(stored, "plain", owner="me")).ok
    finally:
        passwords.close()
