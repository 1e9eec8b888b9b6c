"""What staff decide: deletions, purges, sanctions and their ends (protocol 8)."""

from typing import Any

import pytest

from chatcore.room.events import (
    Acted,
    Entry,
    Gone,
    MySanction,
    Sanctioned,
    StreamKey,
    Unsanctioned,
)
from chatcore.room.state import Sanction
from schemas import commands as c
from tests.unit.room.world import CH, NOW, STRANGER, Room, refused

ROOM, MOD = StreamKey("room", CH), StreamKey("mod", CH)


def shape(entries: list[Entry]) -> list[tuple[StreamKey, str]]:
    return [(entry.stream, type(entry.event).__name__) for entry in entries]


def acted(entries: list[Entry]) -> Acted:
    (found,) = [entry.event for entry in entries if isinstance(entry.event, Acted)]
    return found


def test_ones_own_message_goes_without_an_action() -> None:
    room = Room()
    mid = room.say("u_ann")
    (entry,) = room.do("u_ann", c.MsgDelete(mid))
    assert (entry.stream, entry.event) == (ROOM, Gone("author", (mid,)))
    assert room.state.messages[mid].gone == "author"


def test_a_moderators_own_message_goes_as_an_authors() -> None:
    room = Room()
    mid = room.say("u_mod")
    (entry,) = room.do("u_mod", c.MsgDelete(mid))
    assert entry.event == Gone("author", (mid,))


@pytest.mark.parametrize(("reason", "told"), [(None, None), ("spam", "spam"), ("he is a fool", None)])
def test_staff_deleting_is_an_action_and_viewers_learn_no_free_text(
    reason: str | None, told: str | None
) -> None:
    for command in (c.MsgDelete("m_1", reason), c.ModDelete(["m_1"], reason=reason)):
        room = Room()
        assert room.say(STRANGER) == "m_1"
        entries = room.do("u_mod", command)
        assert shape(entries) == [(ROOM, "Gone"), (MOD, "Acted")]
        assert entries[0].event == Gone("staff", ("m_1",), reason=told)
        action = acted(entries)
        assert (action.kind, action.actor, action.actor_role) == ("delete", "u_mod", "moderator")
        assert (action.target, action.mids, action.reason) == (STRANGER, ("m_1",), reason)
        assert action.action == "a_2"


def test_what_is_gone_already_and_what_never_was() -> None:
    room = Room()
    mine, his = room.say("u_ann"), room.say(STRANGER)
    room.do("u_ann", c.MsgDelete(mine))
    for user in ("u_ann", "u_mod"):
        refusal = refused(lambda user=user: room.do(user, c.MsgDelete(mine)))
        assert (refusal.code, refusal.d) == ("already", {"by": "author"})
    refusal = refused(lambda: room.do("u_ann", c.MsgDelete("m_none")))
    assert (refusal.code, refusal.field, refusal.d) == ("not_found", "d.mid", {"what": "message"})
    refusal = refused(lambda: room.do("u_mod", c.ModDelete(["m_none"])))
    assert (refusal.code, refusal.field) == ("not_found", "d.mids")
    assert refused(lambda: room.do("u_mod", c.ModDelete([mine]))).code == "already"
    entries = room.do("u_mod", c.ModDelete([mine, his, "m_none", his]))
    assert entries[0].event == Gone("staff", (his,))


def test_messages_of_several_authors_have_no_one_target() -> None:
    room = Room()
    mids = [room.say("u_ann"), room.say(STRANGER)]
    assert acted(room.do("u_mod", c.ModDelete(mids))).target is None


def test_one_message_too_high_leaves_all_standing() -> None:
    room = Room()
    mids = [room.say("u_ann"), room.say("u_lead")]
    assert refused(lambda: room.do("u_mod", c.ModDelete(mids))).d == {"targetRole": "lead"}
    assert all(room.state.messages[mid].gone is None for mid in mids)


def test_a_message_without_an_author_can_still_be_deleted() -> None:
    room = Room()
    mid = room.say("u_ann")
    room.state.messages[mid].user = None
    assert acted(room.do("u_mod", c.ModDelete([mid]))).target is None


def test_a_purge_by_user_takes_what_was_said_since_and_nothing_before() -> None:
    room = Room()
    old, other = room.say(STRANGER), room.say("u_ann")
    young = room.say(STRANGER)
    command = c.ModDelete(user=STRANGER, seconds=60, reason="spam")
    entries = room.do("u_mod", command, STRANGER, since=3)
    assert entries[0].event == Gone("staff", user=STRANGER, lo=3, hi=3, reason="spam")
    assert acted(entries).params == {"seconds": 60}
    gone = {mid: room.state.messages[mid].gone for mid in (old, other, young)}
    assert gone == {old: None, other: None, young: "staff"}


def test_a_purge_of_nothing_is_an_action_alone() -> None:
    room = Room()
    room.say(STRANGER)
    room.say("u_ann")
    for since in (None, 2, 3):
        entries = room.do("u_mod", c.ModDelete(user=STRANGER, seconds=1), STRANGER, since=since)
        assert shape(entries) == [(MOD, "Acted")]


@pytest.mark.parametrize(
    ("command", "kind", "until"),
    [
        (c.ModTimeout(STRANGER, 600, "stop"), "timeout", NOW + 600_000),
        (c.ModBan(STRANGER, None, "stop"), "ban", None),
        (c.ModBan(STRANGER, 60, "stop"), "ban", NOW + 60_000),
    ],
)
def test_a_sanction_is_told_to_all_to_staff_and_to_him(command: Any, kind: str, until: int | None) -> None:
    room = Room()
    entries = room.do("u_mod", command, STRANGER)
    assert shape(entries) == [
        (ROOM, "Sanctioned"),
        (MOD, "Acted"),
        (StreamKey("me", STRANGER), "MySanction"),
    ]
    action = acted(entries)
    assert entries[0].event == Sanctioned(STRANGER, kind, until, action.action, "stop")  # pyright: ignore[reportArgumentType] - one of the two
    assert (action.kind, action.target, action.reason) == (kind, STRANGER, "stop")
    assert entries[2].event == MySanction(CH, kind, action.action, until, "stop")  # pyright: ignore[reportArgumentType] - one of the two
    assert room.state.sanction_of(STRANGER, NOW) == Sanction(kind, until, action.action, "stop")


def test_a_sanction_with_a_purge_is_one_action() -> None:
    room = Room()
    mid = room.say(STRANGER)
    entries = room.do("u_mod", c.ModBan(STRANGER, purge_seconds=60), STRANGER, since=1)
    assert [name for _, name in shape(entries)] == ["Sanctioned", "Gone", "Acted", "MySanction"]
    assert acted(entries).params == {"seconds": None, "purgeSeconds": 60}
    assert room.state.messages[mid].gone == "staff"


def test_a_newer_timeout_replaces_an_older_one_and_a_ban_a_timeout() -> None:
    room = Room()
    room.do("u_mod", c.ModTimeout(STRANGER, 600), STRANGER)
    room.do("u_mod", c.ModTimeout(STRANGER, 5), STRANGER)
    sanction = room.state.sanction_of(STRANGER, NOW)
    assert sanction is not None
    assert sanction.until == NOW + 5000
    room.do("u_mod", c.ModBan(STRANGER), STRANGER)
    assert refused(lambda: room.do("u_mod", c.ModTimeout(STRANGER, 5), STRANGER)).code == "already"
    assert refused(lambda: room.do("u_mod", c.ModUntimeout(STRANGER), STRANGER)).code == "already"


def test_a_timeout_after_a_ban_that_ended_is_a_timeout() -> None:
    room = Room()
    room.do("u_mod", c.ModBan(STRANGER, 5), STRANGER)
    room.now += 5000
    assert room.do("u_mod", c.ModTimeout(STRANGER, 5), STRANGER)


@pytest.mark.parametrize("kind", ["timeout", "ban"])
def test_lifting_names_the_sanctions_action(kind: str) -> None:
    begin: Any = c.ModBan(STRANGER) if kind == "ban" else c.ModTimeout(STRANGER, 60)
    end: Any = c.ModUnban(STRANGER) if kind == "ban" else c.ModUntimeout(STRANGER)
    room = Room()
    refusal = refused(lambda: room.do("u_mod", end, STRANGER))
    assert (refusal.code, kind in refusal.message) == ("already", True)
    first = acted(room.do("u_mod", begin, STRANGER)).action
    entries = room.do("u_mod", end, STRANGER)
    assert [entry.event for entry in entries if entry.stream.kind != "mod"] == [
        Unsanctioned(STRANGER, "lifted"),
        MySanction(CH, kind, first, cause="lifted"),  # pyright: ignore[reportArgumentType] - one of the two
    ]
    assert acted(entries).kind == f"un{kind}"
    assert room.state.sanctions == {}
    assert room.say(STRANGER)


def test_a_sanction_that_ended_by_itself_has_nothing_to_lift() -> None:
    room = Room()
    room.do("u_mod", c.ModTimeout(STRANGER, 1), STRANGER)
    room.now += 1000
    assert refused(lambda: room.do("u_mod", c.ModUntimeout(STRANGER), STRANGER)).code == "already"


def test_a_ban_of_networks_is_not_served() -> None:
    refusal = refused(lambda: Room().do("u_mod", c.ModBan(STRANGER, network=True), STRANGER))
    assert (refusal.code, refusal.field) == ("bad_request", "d.network")


@pytest.mark.parametrize(
    "command", [c.ModTimeout("@x", 1), c.ModBan("@x"), c.ModUnban("@x"), c.RoleRevoke("@x")]
)
def test_an_unknown_user_is_not_found(command: Any) -> None:
    refusal = refused(lambda: Room().do("u_mod", command))
    assert (refusal.code, refusal.field, refusal.d) == ("not_found", "d.user", {"what": "user"})
