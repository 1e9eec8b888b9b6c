"""For any text: folding is stable, derived names are legal, candidates fit the rules of protocol 4."""

import re
import unicodedata
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from chatcore.people.folding import fold_name
from chatcore.people.rules import (
    check_display_name,
    check_guest_name,
    derive_name,
    guest_candidates,
    name_candidates,
)
from schemas.errors import Refused

ENTROPY = st.binary(min_size=16, max_size=16)
TEXT = st.text(max_size=60)


def attempt(check: Callable[[str], str], text: str) -> str | Refused:
    """What the check returns or raises."""
    try:
        return check(text)
    except Refused as refused:
        return refused


@given(TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_name(fold_name(text)) == fold_name(text)


@given(TEXT)
def test_case_and_form_never_matter(text: str) -> None:
    assert fold_name(unicodedata.normalize("NFD", text)) == fold_name(unicodedata.normalize("NFC", text))
    assert fold_name(text.casefold()) == fold_name(text)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"])))
def test_the_short_way_gives_what_the_long_way_gives(text: str) -> None:
    assert fold_name(text) == fold_name(text + "é")[:-1]


@given(TEXT, ENTROPY)
def test_a_derived_name_is_always_legal(display_name: str, entropy: bytes) -> None:
    for name in name_candidates(derive_name(display_name), entropy):
        assert re.fullmatch(r"[a-z0-9_]{3,25}", name)
        assert fold_name(name) == name


@given(TEXT, ENTROPY)
def test_what_a_guest_is_called_follows_the_rules(text: str, entropy: bytes) -> None:
    name = attempt(check_guest_name, text)
    if isinstance(name, Refused):
        assert (name.code, name.field) == ("bad_request", "d.guest.name")
        assert name.d["reason"]
        return
    for candidate in guest_candidates(name, entropy):
        assert 2 <= len(candidate) <= 25
        assert candidate == name or re.search(r"-\d{2,4}$", candidate)
        assert check_guest_name(candidate) == candidate


@given(TEXT)
def test_a_display_name_that_passed_passes_again(text: str) -> None:
    shown = attempt(check_display_name, text)
    if isinstance(shown, Refused):
        assert (shown.code, shown.field) == ("bad_request", "displayName")
        return
    assert check_display_name(shown) == shown
    assert 1 <= len(shown) <= 40
