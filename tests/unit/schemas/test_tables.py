"""Ids, roles, the catalog, and the list of events agree with one another and with the protocol."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import commands, events, ids, replies, roles
from schemas.catalog import BY_NAME, BY_TYPE, CATALOG
from schemas.events import EVENTS
from schemas.values import Payload

times = st.integers(min_value=0, max_value=2**50 - 1)


def camel(t: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in t.split("."))


@given(times, times, st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_ids_sort_by_time(one: int, two: int, a: bytes, b: bytes) -> None:
    first, second = ids.new_id(ids.MESSAGE, one, a), ids.new_id(ids.MESSAGE, two, b)
    assert len(first) == len(second) <= 2 + 26
    if one != two:
        assert (first < second) == (one < two)
    else:
        assert (first == second) == (a == b)


@given(times, st.binary(min_size=5, max_size=32), st.sampled_from(sorted(ids.PREFIXES)))
def test_ids_know_their_kind(now: int, entropy: bytes, prefix: str) -> None:
    made = ids.new_id(prefix, now, entropy)
    assert {p for p in ids.PREFIXES if ids.is_id(made, p)} == {prefix}


def test_what_is_no_id() -> None:
    for text in ("", "m_", "m", "u_1", "m_A", "m_1 ", "m_i", "m_" + "0" * 65):
        assert not ids.is_id(text, ids.MESSAGE)
    with pytest.raises(ValueError, match="prefix"):
        ids.new_id("m", 0, b"12345678")
    with pytest.raises(ValueError, match="entropy"):
        ids.new_id("m_", 0, b"1234")
    with pytest.raises(ValueError, match="time"):
        ids.new_id("m_", -1, b"12345678")


def test_roles_are_ordered_and_caps_grow() -> None:
    assert [roles.rank(role) for role in roles.ROLES] == [7, 6, 5, 4, 3, 2, 1, 0]
    for higher, lower in zip(roles.ROLES, roles.ROLES[1:], strict=False):
        assert roles.caps_of(higher) >= roles.caps_of(lower)
        assert roles.outranks(higher, lower)
        assert not roles.outranks(lower, higher)
        assert not roles.outranks(higher, higher)
    assert roles.caps_of("owner") == set(roles.CAPABILITIES)
    assert roles.caps_of("guest") == {"msg.send", "msg.report", "react", "poll.vote", "appeal.open"}
    assert [role for role in roles.ROLES if roles.is_staff(role)] == ["owner", "lead", "moderator", "helper"]
    assert "mod.read" in roles.caps_of("helper")
    assert "mod.ban" not in roles.caps_of("helper")
    with pytest.raises(KeyError):
        roles.caps_of("king")


def test_every_command_is_in_the_catalog_once_under_its_name() -> None:
    assert len(BY_NAME) == len(BY_TYPE) == len(CATALOG)
    typed = {name for name in vars(commands) if name[0].isupper()}
    named = {camel(spec.t) for spec in CATALOG}
    assert named <= typed
    assert typed - named <= {
        "GuestLogin",
        "ClientInfo",
        "ResumePoint",
        "Then",
        "ThenTimeout",
        "ThenBan",
        "ThenWarn",
    }
    for spec in CATALOG:
        assert spec.request is getattr(commands, camel(spec.t))
        assert BY_TYPE[spec.request] is spec
        if spec.reply is not None:
            assert spec.reply is getattr(replies, camel(spec.t) + "Reply")
        assert spec.capability is None or spec.capability in roles.CAPABILITIES


def test_anonymous_readers_may_only_read() -> None:
    assert {spec.t for spec in CATALOG if spec.anonymous} == {
        *("auth", "pong", "history"),
        *("room.join", "room.leave", "room.state", "room.who"),
    }


def test_every_event_is_listed_once_per_stream() -> None:
    assert len({(e.t, e.s) for e in EVENTS}) == len(EVENTS)
    for event in EVENTS:
        assert issubclass(event.d, Payload)
        assert event.d.__name__ in (camel(event.t), "My" + camel(event.t))
        assert getattr(events, event.d.__name__) is event.d
        assert not (event.durable and event.report)
        assert not event.durable or event.s is not None
