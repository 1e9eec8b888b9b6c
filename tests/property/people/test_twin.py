"""The memory twin and SQLite answer alike to any history of calls: the property behind the contract."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatcore.log.database import Database
from chatcore.people.store import (
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
)
from chatcore.people.store_memory import MemoryStore
from chatcore.people.store_sqlite import SqliteStore

NOW = 1_790_000_000_000
ADMIN = frozenset({"admin"})
NONE: frozenset[str] = frozenset()
PLACES = 21

number = st.integers(1, 4)
person = number.map("u_{}".format)
name = st.sampled_from(["ann", "bob", "cid"])
guest_name = st.sampled_from(["Ann", "ÁNN", "Bob", "Dee", "Dee-11"])
moment = st.integers(0, 3).map(lambda step: NOW + step * GUEST_NAME_MS // 2)
roles = st.sampled_from([NONE, ADMIN])
email = st.none() | name.map("{}@example.com".format)
password = st.sampled_from(["$h", "$i"])

Call = Callable[[Store], Awaitable[Any]]
#: Makes a call, given its place in the history: what it adds is named by that, as ids are never reused.
Step = Callable[[int], Call]


def create(kind: str, candidates: list[str], mail: str | None, given_roles: frozenset[str]) -> Step:
    def step(n: int) -> Call:
        maker = "u_1" if kind == "bot" else None
        made = User(f"u_{n}", "bot" if maker else "user", "", "Shown", mail, "$h", given_roles, maker, NOW)
        return lambda store: store.create_user(made, candidates, ADMIN)

    return step


def change(
    owner: str, names: list[str], mail: str | None, secret: str | None, given: frozenset[str] | None
) -> Step:
    changes = Changes(email=mail, password=secret, roles=given, names=tuple(names))
    return lambda _: lambda store: store.change_user(owner, changes)


def delete(owner: str) -> Step:
    return lambda _: lambda store: store.delete_user(owner, NOW)


def sign_in(owner: str, secret: str) -> Step:
    return lambda n: (
        lambda store: store.add_sign_in(
            SignIn(f"t_{n}", f"{n:064x}", owner, NOW, NOW, NOW + n), secret, keep=2
        )
    )


def end_sign_ins(owner: str, spared: int) -> Step:
    return lambda _: lambda store: store.end_sign_ins(owner, but=f"t_{spared}")


def add_token(owner: str, maker: str) -> Step:
    return lambda n: (
        lambda store: store.add_token(
            ApiToken(f"t_{n}", f"{n:064x}", "bot", "Bot", owner, maker, NONE, None, NOW)
        )
    )


def retire_bot(folded: str) -> Step:
    return lambda _: lambda store: store.retire_bot(folded, NOW)


def end_token(maker: str, n: int) -> Step:
    return lambda _: lambda store: store.end_token(maker, f"t_{n}")


def invite(owner: str, days: int) -> Step:
    return lambda n: lambda store: store.put_invite(f"i{n}", owner, NOW + days)


def redeem(n: int) -> Step:
    return lambda _: (
        lambda store: store.redeem_invite(f"i{n}", NOW + 2, Changes(password="$i", names=("ann",)))
    )


def touch(n: int) -> Step:
    return lambda _: lambda store: store.touch({f"g_{n % 4}": NOW + GUEST_NAME_MS, f"t_{n}": NOW + n})


def guests(drafts: list[tuple[int, list[str]]], now_ms: int) -> Step:
    rows = [Guest(f"g_{n}", f"{n:064x}", names[0], names[0], NOW, now_ms) for n, names in drafts]
    made = [GuestDraft(row, names) for row, (_, names) in zip(rows, drafts, strict=True)]
    return lambda _: lambda store: store.settle_guests(made, now_ms)


place = st.integers(1, PLACES)
creation = st.builds(create, st.sampled_from(["user", "bot"]), st.lists(name, min_size=1), email, roles)
steps = st.one_of(
    creation,
    st.builds(change, person, st.lists(name, max_size=2), email, st.none() | password, st.none() | roles),
    st.builds(delete, person),
    st.builds(sign_in, person, password),
    st.builds(end_sign_ins, person, place),
    st.builds(add_token, person, person),
    st.builds(end_token, person, place),
    st.builds(retire_bot, name),
    st.builds(invite, person, st.integers(1, 4)),
    st.builds(redeem, place),
    st.builds(touch, place),
    st.builds(
        guests, st.lists(st.tuples(number, st.lists(guest_name, min_size=1, max_size=3)), max_size=3), moment
    ),
)


async def outcome(call: Call, store: Store) -> Any:
    """What a call returns, or which expected failure it raises; the order of what was ended does not matter."""
    try:
        result: Any = await call(store)
    except (Taken, Missing, LastAdmin) as failure:
        return type(failure), failure.args
    return sorted(cast("list[Any]", result), key=str) if isinstance(result, list) else result


async def seen(store: Store) -> list[Any]:
    """All that can be read."""
    people = [f"{kind}_{n}" for kind in "ug" for n in range(1, PLACES)]
    hashes = [f"{n:064x}" for n in range(1, PLACES)]
    found = await store.find_guests(hashes, NOW)
    return [
        await store.has_users(),
        [await store.user(someone) for someone in people],
        [await store.user_by_name(folded) for folded in ("ann", "bob", "cid")],
        [await store.user_by_email(f"{folded}@example.com") for folded in ("ann", "bob", "cid")],
        await store.users("", None, 9),
        sorted(await store.names(people), key=lambda shown: shown.id),
        await store.find_sign_ins(hashes),
        await store.find_tokens(hashes),
        {hashed: (guest, guest.contested) for hashed, guest in found.items()},
        [await store.guests_named(folded, NOW) for folded in ("ann", "bob", "dee", "dee-11")],
        [await store.invited(f"i{n}", NOW + 2) for n in range(1, PLACES)],
    ]


async def compare(history: list[Step], folder: Path) -> None:
    database = await Database.open(folder / "cascade.db", readers=1)
    try:
        memory, sqlite = MemoryStore(), SqliteStore(database)
        for place_in_history, step in enumerate(history, 1):
            call = step(place_in_history)
            assert await outcome(call, memory) == await outcome(call, sqlite)
        assert await seen(memory) == await seen(sqlite)
    finally:
        await database.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(creation, min_size=1, max_size=4), st.lists(steps, max_size=16))
def test_both_stores_tell_the_same_story(users: list[Step], history: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare([*users, *history], Path(folder)))
