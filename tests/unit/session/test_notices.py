"""Whom a message concerns (protocol 11)."""

from typing import Any

from chatcore.room.events import Message, Noticed
from chatcore.session.notices import MENTIONS_MOST, notices_of

CH = "c_1"


def message(user: str | None, *mentioned: str) -> Message:
    link: dict[str, Any] = {"k": "link", "start": 0, "end": 1, "href": "https://a.example"}
    mentions: list[dict[str, Any]] = [
        {"k": "mention", "start": 0, "end": 1, "user": one} for one in mentioned
    ]
    return Message("m_1", 1, user, 0, "text", (link, *mentions), "m_0")


def test_those_mentioned_hear_once() -> None:
    found = notices_of(CH, message("u_ann", "u_bob", "u_cat", "u_bob"), None)
    assert found == [
        ("u_bob", Noticed("mention", CH, "m_1", "u_ann")),
        ("u_cat", Noticed("mention", CH, "m_1", "u_ann")),
    ]


def test_an_answer_is_no_mention_as_well() -> None:
    found = notices_of(CH, message("u_ann", "u_bob"), message("u_bob"))
    assert found == [("u_bob", Noticed("reply", CH, "m_1", "u_ann"))]


def test_nobody_hears_of_himself() -> None:
    assert notices_of(CH, message("u_ann", "u_ann"), message("u_ann")) == []


def test_nobody_hears_of_an_erased_author_nor_an_erased_one_of_an_answer() -> None:
    assert notices_of(CH, message(None, "u_bob"), message("u_bob")) == []
    assert notices_of(CH, message("u_ann"), message(None)) == []


def test_five_mentions_at_most() -> None:
    crowd = [f"u_{n}" for n in range(9)]
    found = notices_of(CH, message("u_ann", *crowd), None)
    assert [user for user, _ in found] == crowd[:MENTIONS_MOST]
    assert len(notices_of(CH, message("u_ann", *crowd), message("u_bob"))) == MENTIONS_MOST + 1
