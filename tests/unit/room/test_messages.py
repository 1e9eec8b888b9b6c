"""The rules of a text (protocol 6): what is cleaned, what is refused, which parts are special."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatcore.room.messages import TEXT_MAX, bare, clean, fragments, mentioned, preview
from schemas.errors import Refused
from tests.unit.room.world import refused


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("hi", "hi"),
        ("  hi \t\n", "hi"),
        ("\u00a0\u3000hi\u2003", "hi"),
        ("a  b", "a  b"),
        ("e\u0301", "é"),
        ("\u1100\u1161\u11a8", "각"),
        ("\u212b", "Å"),
        ("ﬁ", "ﬁ"),  # compatibility forms are the author's choice
        ("a\u202eb\u202c", "ab"),
        ("\u2066x\u2069 \u2067y\u2069", "x y"),
        ("e\u202e\u0301", "é"),  # what is left is put together again
        (" \u202e ", None),
        ("a\u200db\u200cc\ufeff", "a\u200db\u200cc\ufeff"),  # other format characters pass
        ("\u200fשלום\u200e", "\u200fשלום\u200e"),
        ("", None),
        (" \n\t ", None),
    ],
)
def test_a_text_is_composed_trimmed_and_rid_of_bidi_controls(raw: str, kept: str | None) -> None:
    if kept is None:
        refusal = refused(lambda: clean(raw))
        assert (refusal.code, refusal.field) == ("empty", "d.text")
    else:
        assert clean(raw) == kept


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0xD800, 0xDFFF])
def test_control_characters_inside_are_refused(code: int) -> None:
    refusal = refused(lambda: clean(f"a{chr(code)}b"))
    assert (refusal.code, refusal.field, refusal.d) == (
        "bad_request",
        "d.text",
        {"reason": "control_character"},
    )
    assert f"U+{code:04X}" in refusal.message


@pytest.mark.parametrize("letter", ["x", "é", "👍", "字", "𝔘"])
def test_500_code_points_are_counted_and_not_bytes(letter: str) -> None:
    assert clean(letter * TEXT_MAX) == letter * TEXT_MAX
    refusal = refused(lambda: clean(letter * (TEXT_MAX + 1)))
    assert (refusal.code, refusal.field, refusal.d) == ("too_long", "d.text", {"max": 500, "have": 501})


def test_what_is_cleaned_away_does_not_count() -> None:
    assert len(clean("  " + "e\u0301" * 500 + "\n" * 50)) == 500
    assert len(clean("\u2066" * 600 + "x")) == 1


def test_a_family_is_as_many_code_points_as_it_has() -> None:
    family = "👨‍👩‍👧‍👦"
    assert len(family) == 7
    assert clean(family * 71) == family * 71
    assert refused(lambda: clean(family * 72)).d["have"] == 504


def test_a_channel_may_want_shorter_messages() -> None:
    assert clean("12345", 5) == "12345"
    assert refused(lambda: clean("123456", 5)).d == {"max": 5, "have": 6}


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_cleaning_twice_changes_nothing(raw: str) -> None:
    try:
        once = clean(raw)
    except Refused:
        assert not bare(raw) or any(unicodedata.category(c) == "Cc" for c in bare(raw))
        return
    assert clean(once) == once == bare(raw)
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()
    assert not any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in once)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@bob hi", ["bob"]),
        ("hi @bob, @ann!", ["bob", "ann"]),
        ("(@bob)", ["bob"]),
        ("@bob. @bob? @bob", ["bob"]),
        ("@Bob @bob", ["Bob", "bob"]),
        ("mail@bob.example", []),
        ("@@bob", []),
        ("https://a.example/@bob", []),
        ("@b", []),
        ("@Änn-42 @李雷", ["Änn-42", "李雷"]),
        ("no name @ all", []),
        ("👍@bob", ["bob"]),
    ],
)
def test_mentions(text: str, found: list[str]) -> None:
    assert mentioned(text) == found


def test_at_most_twenty_names_are_looked_at() -> None:
    assert len(mentioned(" ".join(f"@user{n}" for n in range(60)))) == 20


def test_fragments_are_in_order_and_count_code_points() -> None:
    text = "👍 @bob look https://a.example/x, @ann @nobody"
    found = fragments(text, {"bob": "u_9", "ann": "u_7"})
    assert found == (
        {"k": "mention", "start": 2, "end": 6, "user": "u_9"},
        {"k": "link", "start": 12, "end": 31, "href": "https://a.example/x"},
        {"k": "mention", "start": 33, "end": 37, "user": "u_7"},
    )
    assert [text[f["start"] : f["end"]] for f in found] == ["@bob", "https://a.example/x", "@ann"]


@pytest.mark.parametrize(
    ("text", "hrefs"),
    [
        ("see https://a.example.", ["https://a.example"]),
        ("(https://a.example/b)", ["https://a.example/b"]),
        ('"http://a.example?q=1&r=2#x"', ["http://a.example?q=1&r=2#x"]),
        ("HTTPS://A.example", ["HTTPS://A.example"]),
        ("https://a.example https://b.example!", ["https://a.example", "https://b.example"]),
        ("https:// https://. http://", []),
        ("javascript://a.example ftp://a.example", []),
        ("https://a.example<b>", ["https://a.example"]),
        ("a.example", []),
    ],
)
def test_links(text: str, hrefs: list[str]) -> None:
    found = fragments(text, {})
    assert [part["href"] for part in found] == hrefs
    assert [text[part["start"] : part["end"]] for part in found] == hrefs


def test_a_name_inside_a_link_is_no_mention() -> None:
    found = fragments("https://a.example/?q=,@bob @bob", {"bob": "u_9"})
    assert [part["k"] for part in found] == ["link", "mention"]


@given(st.text(alphabet="@abo :/.h tps👍é,()", max_size=80))
def test_fragments_never_overlap_and_lie_in_the_text(text: str) -> None:
    end = 0
    for part in fragments(text, dict.fromkeys(mentioned(text), "u_1")):
        assert end <= part["start"] < part["end"] <= len(text)
        shown = text[part["start"] : part["end"]]
        assert shown == part["href"] if part["k"] == "link" else shown.startswith("@")
        end = part["end"]


def test_a_preview_has_80_code_points_at_most() -> None:
    assert preview("é" * 80) == "é" * 80
    assert preview("👍" * 81) == "👍" * 79 + "…"


@pytest.mark.parametrize("text", ["\u200b", "\ufeff\u200d", "\u3164", "\u2800 \u2800", "\u00ad"])
def test_what_leaves_nothing_to_be_seen_is_empty(text: str) -> None:
    with pytest.raises(Refused) as caught:
        clean(text)
    assert caught.value.code == "empty"


def test_format_characters_beside_letters_pass() -> None:
    assert clean("👩\u200d👩\u200d👧") == "👩\u200d👩\u200d👧"
