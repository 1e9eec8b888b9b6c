"""Stamps: what is written into a text is found again, whatever stands around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import stamps

moments = st.integers(min_value=0, max_value=10**19 - 1)


@given(
    moments, st.integers(min_value=stamps.LENGTH, max_value=500), st.integers(min_value=0, max_value=10**6)
)
def test_a_stamped_text_has_its_size_and_its_stamp(moment: int, size: int, number: int) -> None:
    text = stamps.stamped(moment, size, number)
    assert len(text) == size
    assert text == text.strip()
    assert not set(text) & set('"\\')
    assert stamps.find(text.encode("ascii")) == (moment,)


@given(st.lists(moments, max_size=20))
def test_all_stamps_of_a_chunk_are_found_in_order(moments: list[int]) -> None:
    chunk = b"".join(b'{"text":"' + stamps.stamped(moment, 60).encode() + b'"}' for moment in moments)
    assert stamps.find(chunk) == tuple(moments)


def test_half_a_stamp_is_none() -> None:
    assert stamps.find(b"~T123456789012345678") == ()


def test_a_text_too_short_for_a_stamp_is_refused() -> None:
    with pytest.raises(ValueError, match="21"):
        stamps.stamped(1, 20)
