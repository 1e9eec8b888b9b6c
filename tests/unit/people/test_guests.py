"""Guests: lasting identities, names that give way, renames, limits, and crowds that cost few reads."""

from __future__ import annotations

import asyncio
import re

import pytest

from chatcore.people.config import PeopleConfig
from chatcore.people.principal import GuestEntry
from chatcore.people.store import GUEST_LIFE_MS, GUEST_NAME_MS
from schemas.errors import Refused
from tests.unit.people.world import CHEAP, CountingStore, World, a_world

HOME = "192.0.2.1"


async def enter(world: World, name: str = "Ann", token: str | None = None, address: str = HOME) -> GuestEntry:
    return await world.people.guest(name, token, address=address)


async def refused(world: World, name: str, token: str | None = None, address: str = HOME) -> Refused:
    with pytest.raises(Refused) as refusal:
        await enter(world, name, token, address)
    return refusal.value


async def test_a_new_guest_gets_an_identity_and_a_token_once(world: World) -> None:
    entry = await enter(world, "  Ann Ö ")
    who = entry.principal
    assert (who.kind, who.name, who.display_name, who.credential) == ("guest", "Ann Ö", "Ann Ö", who.id)
    assert who.id.startswith("g_")
    assert (entry.guest_token or "").startswith("cgt_")
    assert entry.expires_at == who.expires_at == world.clock.now + GUEST_LIFE_MS
    again = await enter(world, "Ann Ö", entry.guest_token)
    assert (again.principal, again.guest_token) == (who, None)
    assert not world.people.is_revoked(who)


async def test_an_identity_lives_thirty_days_from_its_last_use(world: World) -> None:
    entry = await enter(world)
    for _ in range(3):
        world.clock.pass_ms(GUEST_LIFE_MS - 1)
        assert (await enter(world, "Ann", entry.guest_token)).principal.id == entry.principal.id
    await world.people.flush()
    world.clock.pass_ms(GUEST_LIFE_MS)
    other = await enter(world, "Ann", entry.guest_token)
    assert other.principal.id != entry.principal.id
    assert other.guest_token is not None


@pytest.mark.parametrize("token", ["", "cgt_", "cgt_unknown", "cs_unknown", "x" * 5000, "cgt_é"])
async def test_an_unknown_token_makes_a_new_identity(world: World, token: str) -> None:
    assert (await enter(world, "Ann", token)).guest_token is not None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "too_short"),
        ("A", "too_short"),
        (" A ", "too_short"),
        ("A" * 26, "too_long"),
        ("😀" * 10_000, "too_long"),
        ("A\nb", "characters"),
        ("A\u200bb", "characters"),
        ("A\u202eb", "characters"),
        ("\u3164\u3164", "invisible"),
        ("\ud800a", "characters"),
        ("@river", "form"),
    ],
)
async def test_a_bad_name_is_refused_with_its_reason(world: World, name: str, reason: str) -> None:
    refusal = await refused(world, name)
    assert (refusal.code, refusal.field, refusal.d) == ("bad_request", "d.guest.name", {"reason": reason})


async def test_a_name_that_looks_like_another_gets_digits(world: World) -> None:
    await world.sign_up("river")
    for name in ("River", "RІVER", "Ｒｉｖｅｒ", "Ri ver"):
        assert re.fullmatch(re.escape(name) + r"-\d{2,4}", (await enter(world, name)).principal.name)
    assert (await enter(world, "Ann")).principal.name == "Ann"
    assert re.fullmatch(r"ann-\d{2,4}", (await enter(world, "ann")).principal.name)
    long = (await enter(world, "R" * 20)).principal.name
    assert long == "R" * 20
    assert re.fullmatch(r"R{20}-\d{2,4}", (await enter(world, "R" * 20)).principal.name)
    assert re.fullmatch(r"admin-\d{2}", (await enter(world, "admin")).principal.name)


async def test_many_of_one_name_at_once_are_told_apart(world: World) -> None:
    entries = await asyncio.gather(*(enter(world, "Ann") for _ in range(40)))
    names = [entry.principal.name for entry in entries]
    assert len(set(names)) == 40
    assert names.count("Ann") == 1


async def test_asking_for_the_same_name_again_is_no_rename(world: World) -> None:
    await enter(world, "Ann")
    second = await enter(world, "Ann")
    assert second.principal.name != "Ann"
    for asked in ("Ann", second.principal.name):
        assert (await enter(world, asked, second.guest_token)).principal == second.principal
    assert world.renamed == []


async def test_a_guest_renames_himself_once_a_minute(world: World) -> None:
    entry = await enter(world, "Ann")
    renamed = await enter(world, "Bea", entry.guest_token)
    assert (renamed.principal.id, renamed.principal.name) == (entry.principal.id, "Bea")
    assert [name.name for name in world.renamed] == ["Bea"]
    assert world.people.name_of(entry.principal.id) == world.renamed[0]
    world.clock.pass_ms(1000)
    refusal = await refused(world, "Cid", entry.guest_token)
    assert (refusal.code, refusal.after_ms) == ("rate_limited", 59_000)
    assert refusal.d == {"bucket": "auth", "limit": 1, "windowMs": 60_000}
    assert (await enter(world, "Bea", entry.guest_token)).principal.name == "Bea"
    world.clock.pass_ms(59_000)
    assert (await enter(world, "Cid", entry.guest_token)).principal.name == "Cid"
    assert (await enter(world, "Ann")).principal.name == "Ann"


async def test_a_guest_gives_way_to_who_signed_up_meanwhile(world: World) -> None:
    entry = await enter(world, "River")
    assert (await enter(world, "River", entry.guest_token)).principal.name == "River"
    await world.sign_up("river")
    again = await enter(world, "River", entry.guest_token)
    assert again.principal.id == entry.principal.id
    assert re.fullmatch(r"River-\d{2,4}", again.principal.name)
    assert [name.name for name in world.renamed] == [again.principal.name]
    assert (await enter(world, "River", entry.guest_token)).principal == again.principal


async def test_a_name_not_used_for_a_day_may_go_to_another_and_the_first_gives_way(world: World) -> None:
    first = await enter(world, "Ann")
    world.clock.pass_ms(GUEST_NAME_MS)
    second = await enter(world, "ANN")
    assert second.principal.name == "ANN"
    assert re.fullmatch(r"Ann-\d{2,4}", (await enter(world, "Ann", first.guest_token)).principal.name)
    assert (await enter(world, "ANN", second.guest_token)).principal.name == "ANN"


async def test_who_is_still_here_keeps_his_name(world: World) -> None:
    first = await enter(world, "Ann")
    world.clock.pass_ms(GUEST_NAME_MS - 1)
    world.people.seen(first.principal)
    await world.people.flush()
    world.clock.pass_ms(GUEST_NAME_MS - 1)
    assert (await enter(world, "Ann")).principal.name != "Ann"
    assert (await enter(world, "Ann", first.guest_token)).principal.name == "Ann"


async def test_a_name_that_hits_a_rule_is_refused(world: World) -> None:
    entry = await enter(world, "Badword")
    world.people.term_check = lambda name: "bad" in name.casefold()
    assert (await refused(world, "Badword", entry.guest_token)).code == "term"
    assert (await refused(world, "BADLY")).code == "term"
    assert (await enter(world, "Goodly", entry.guest_token)).principal.id == entry.principal.id


async def test_new_identities_are_limited_per_address_and_known_ones_are_not(world: World) -> None:
    entries = await asyncio.gather(
        *(enter(world, f"Guest {number}", address=f"2001:db8::{number:x}") for number in range(50))
    )
    refusal = await refused(world, "One more", address="2001:db8::ffff")
    assert (refusal.code, refusal.after_ms) == ("rate_limited", 6000)
    assert refusal.d == {"bucket": "auth", "limit": 10, "windowMs": 60_000}
    await enter(world, "Elsewhere", address="2001:db8:1::1")
    for number, entry in enumerate(entries):
        await enter(world, f"Guest {number}", entry.guest_token, address="2001:db8::1")
    world.clock.pass_ms(6000)
    await enter(world, "One more", address="2001:db8::ffff")


async def test_guests_are_found_by_name(world: World) -> None:
    entry = await enter(world, "Ann")
    assert [name.id for name in await world.people.guests_named("@ANN")] == [entry.principal.id]
    assert await world.people.find_user(entry.principal.id) == world.people.name_of(entry.principal.id)
    assert await world.people.find_user("@ann") is None
    assert await world.people.find_user("g_unknown") is None


async def test_a_crowd_costs_a_read_and_a_write_for_all() -> None:
    store = CountingStore()
    async with a_world(PeopleConfig(limits=False, password_cost=CHEAP), store=store) as world:
        entries = await asyncio.gather(*(enter(world, f"Guest {number}") for number in range(400)))
        assert store.asked["settle_guests"] == 1
        known = store.asked["find_guests"]
        tokens = {entry.principal.name: entry.guest_token for entry in entries}
        await asyncio.gather(*(enter(world, name, token) for name, token in tokens.items()))
        assert store.asked["find_guests"] == known
        clock = world.clock
    async with a_world(
        PeopleConfig(limits=False, password_cost=CHEAP), store=store, clock=clock
    ) as restarted:
        known = store.asked["find_guests"]
        again = await asyncio.gather(*(enter(restarted, name, token) for name, token in tokens.items()))
        assert {entry.principal for entry in again} == {entry.principal for entry in entries}
        assert store.asked["find_guests"] == known
