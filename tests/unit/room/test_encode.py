"""What readers see of an entry: one visibility rule for texts and previews, names joined when encoded (protocol 6)."""

from typing import Any

import msgspec
import pytest

from chatcore.room.encode import Joins, Named, author, encode_entry, message_payload, people_in, visible
from chatcore.room.events import (
    Acted,
    By,
    Entry,
    Message,
    Said,
    Sanctioned,
    Stored,
    StreamKey,
)
from schemas.events import EVENTS
from tests.unit.room.shown import ANN, BOB, MOD, PEOPLE, ROOM, SHOWN
from tests.unit.room.world import CH, NOW, OWNER, Room, joins

SECRET = "the text that went"


def table() -> Joins:
    return joins(Room().state, PEOPLE)


def shown(
    event: Stored, stream: StreamKey, message: Message | None = None, parent: Message | None = None
) -> Any:
    return msgspec.json.decode(encode_entry(table(), Entry(stream, 7, NOW, event, message), parent))


def said(message: Message, parent: Message | None = None) -> Any:
    event = Said(message.mid, message.user or "", 0)
    return shown(event, ROOM, message, parent)


def message(mid: str = "m_1", text: str = SECRET, gone: By | None = None, **fields: Any) -> Message:
    fields.setdefault("user", "u_ann")
    return Message(mid, 7, ts=NOW, text=text, gone=gone, **fields)


def test_a_message_as_it_stands() -> None:
    link = {"k": "link", "start": 0, "end": 3, "href": "https://a.example"}
    found = said(message(text="👍 hi", frags=(link,), flags=("first",)))
    assert found == {
        "t": "msg.new",
        "ch": CH,
        "s": "room",
        "pos": ["k9", 7],
        "ts": NOW,
        "d": {
            "mid": "m_1",
            "user": {**ANN, "kind": "user", "roles": [], "badges": []},
            "text": "👍 hi",
            "frags": [link],
            "flags": ["first"],
        },
    }


@pytest.mark.parametrize("gone", ["author", "staff", "automod"])
def test_a_message_that_is_gone_is_its_place_and_author_alone(gone: By) -> None:
    one = message(gone=gone, frags=({"k": "link", "start": 0, "end": 3, "href": SECRET},), flags=("first",))
    found = said(one)
    assert found["d"] == {
        "mid": "m_1",
        "user": {**ANN, "kind": "user", "roles": [], "badges": []},
        "gone": {"by": gone},
    }
    assert not visible(one)
    assert SECRET not in str(found)


def test_nothing_is_not_visible() -> None:
    assert not visible(None)
    assert visible(message())


@pytest.mark.parametrize("gone", [None, "staff"])
def test_an_erased_author_is_null(gone: By | None) -> None:
    assert said(message(user=None, gone=gone))["d"]["user"] is None
    assert said(message(user="u_unknown", gone=gone))["d"]["user"] is None


def test_an_entry_whose_message_was_erased_is_skipped() -> None:
    found = shown(Said("m_1", "u_ann", 0), ROOM)
    assert (found["t"], found["pos"], found["d"]) == ("skip", ["k9", 7], {"from": 7})


@pytest.mark.parametrize(
    ("mine", "parents", "expected"),
    [
        (None, None, "the question"),
        (None, "staff", None),
        (None, "author", None),
        ("staff", None, msgspec.UNSET),
        ("staff", "staff", msgspec.UNSET),
    ],
)
def test_a_preview_is_shown_where_both_messages_stand(
    mine: By | None, parents: By | None, expected: Any
) -> None:
    parent = message("m_0", "the question", parents, user="u_bob")
    found = said(message("m_1", "the answer", mine, reply="m_0", root="m_0"), parent)
    reply: dict[str, Any] = {"mid": "m_0", "root": "m_0", "user": BOB}
    if expected is not msgspec.UNSET:
        reply["text"] = expected
    assert found["d"]["reply"] == reply
    assert ("the question" in str(found)) == (expected == "the question")


def test_a_preview_is_cut_to_80_code_points() -> None:
    found = said(message(reply="m_0", root="m_0"), message("m_0", "é" * 100))
    assert found["d"]["reply"]["text"] == "é" * 79 + "…"


def test_the_parent_may_be_erased_or_have_lost_its_author() -> None:
    gone = said(message(reply="m_0", root="m_r"))["d"]["reply"]
    assert gone == {"mid": "m_0", "root": "m_r", "user": None, "text": None}
    nobody = said(message(reply="m_0", root="m_r"), message("m_0", "hi", user=None))["d"]["reply"]
    assert nobody == {"mid": "m_0", "root": "m_r", "user": None, "text": "hi"}


def test_when_it_was_sent_is_told_only_if_it_came_later() -> None:
    one = message()
    assert message_payload(table(), one, None, None, NOW).sent_at is msgspec.UNSET
    assert message_payload(table(), one, None, None, NOW + 5).sent_at == NOW


@pytest.mark.parametrize(
    ("user", "roles", "badges"),
    [
        (OWNER, ("owner",), ["Broadcaster"]),
        ("u_mod", ("moderator",), ["Moderator"]),
        ("u_ann", (), []),
        ("g_gus", ("guest",), []),
    ],
)
def test_an_author_wears_his_role(user: str, roles: tuple[str, ...], badges: list[str]) -> None:
    found = author(table(), user)
    assert found is not None
    assert (found.roles, found.kind) == (roles, PEOPLE[user].kind)
    assert found.badges is not msgspec.UNSET
    assert [badge.title for badge in found.badges] == badges


def test_a_name_is_the_one_of_today() -> None:
    entry = Entry(ROOM, 7, NOW, Said("m_1", "u_ann", 0), message())
    renamed = {**PEOPLE, "u_ann": Named("anna", "Anna", "user")}
    found = msgspec.json.decode(encode_entry(joins(Room().state, renamed), entry))
    assert found["d"]["user"]["name"] == "anna"


@pytest.mark.parametrize(("event", "stream", "t", "d"), SHOWN, ids=lambda value: str(value)[:40])
def test_every_kind_of_event(event: Stored, stream: StreamKey, t: str, d: dict[str, Any]) -> None:
    found = shown(event, stream)
    expected: dict[str, Any] = {"t": t, "s": stream.kind, "pos": ["k9", 7], "ts": NOW, "d": d}
    if stream.kind != "me":
        expected["ch"] = CH
    assert found == expected
    (spec,) = [spec for spec in EVENTS if (spec.s, spec.t) == (stream.kind, t)]
    assert spec.durable
    msgspec.convert(found["d"], spec.d)


def test_every_stored_kind_is_shown_here() -> None:
    kinds = {type(event) for event, *_ in SHOWN} | {Said}
    assert kinds == set(Stored.__args__)


@pytest.mark.parametrize(("event", "stream"), [(event, stream) for event, stream, *_ in SHOWN], ids=str)
def test_whoever_is_named_was_asked_for_in_advance(event: Stored, stream: StreamKey) -> None:
    entry = Entry(stream, 7, NOW, event)
    asked: set[str] = set()

    def named(user: str) -> Named | None:
        asked.add(user)
        return PEOPLE.get(user)

    encode_entry(table()._replace(named=named), entry)
    assert asked <= people_in(entry, None)


def test_the_author_and_whom_he_answers_are_asked_for() -> None:
    entry = Entry(ROOM, 7, NOW, Said("m_1", "u_ann", 0), message(reply="m_0"))
    assert people_in(entry, message("m_0", user="u_bob")) == {"u_ann", "u_bob"}
    assert people_in(entry, message("m_0", user=None)) == {"u_ann"}
    assert people_in(Entry(ROOM, 7, NOW, Said("m_1", "u_ann", 0)), None) == set()


def test_people_unknown_by_now_have_empty_names_where_one_must_be() -> None:
    found = shown(Sanctioned("u_unknown", "ban", None, "a_5"), ROOM)
    assert found["d"]["user"] == {"id": "u_unknown", "name": "", "displayName": ""}
    action = shown(Acted("a_5", "ban", "u_unknown", "owner", "rest", {}, "u_unknown"), MOD)["d"]
    assert (action["actor"], action["target"]["user"]) == (None, None)
