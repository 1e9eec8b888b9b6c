"""The folded form: what is the same name, and what is not."""

import pytest

from chatcore.people.folding import fold_name


@pytest.mark.parametrize(
    "looks_like_ann",
    [
        "ann",
        "ANN",
        "Ánn",
        "Аnn",
        "А\u200bnn",
        "Ａｎｎ",
        "Ⓐⓝⓝ",
        "🅰🅽🅽",
        "🇦🇳🇳",
        "A n n",
        "ann\ufe0f",
        "𝒜𝓃𝓃",
        "a\u0301nn",
        "ᴀɴɴ",
        "aɲƞ",
    ],
)
def test_look_alikes_are_the_same_name(looks_like_ann: str) -> None:
    assert fold_name(looks_like_ann) == "ann"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann", "anna"),
        ("bob", "b0b"),
        ("日本", "日木"),
        ("กา", "ก่า"),
        ("कि", "कु"),
        ("ann", "ann_"),
        ("ann-1", "ann1"),
    ],
)
def test_other_names_stay_other_names(one: str, other: str) -> None:
    assert fold_name(one) != fold_name(other)


@pytest.mark.parametrize("nothing", ["", " ", "\u200b\u2060", "\u3164", "\u2800", "\ufe0f", "\u00ad"])
def test_what_shows_nothing_folds_to_nothing(nothing: str) -> None:
    assert fold_name(nothing) == ""


@pytest.mark.parametrize(
    ("name", "folded"), [("Straße", "strasse"), ("ﬁsh", "fish"), ("İnci", "inci"), ("SØREN", "soren")]
)
def test_case_folds_as_unicode_says(name: str, folded: str) -> None:
    assert fold_name(name) == folded
