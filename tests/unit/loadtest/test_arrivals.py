"""Schedules of arrival: how many, how far apart, and the same again from the same seed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import arrivals

rates = st.floats(min_value=0.5, max_value=3000)
lengths = st.floats(min_value=0.05, max_value=2)


@given(rates, lengths)
def test_even_arrivals_begin_at_once_and_keep_their_distance(rate: float, seconds: float) -> None:
    offsets = arrivals.even(rate, seconds)
    assert len(offsets) == round(rate * seconds)
    gaps = {later - earlier for earlier, later in itertools.pairwise(offsets)}
    assert all(abs(gap - arrivals.SECOND / rate) <= 1 for gap in gaps)
    assert offsets[:1] in ([], [0])


@given(rates, lengths, st.integers())
def test_poisson_arrivals_ascend_within_the_run_and_repeat(rate: float, seconds: float, seed: int) -> None:
    offsets = arrivals.poisson(rate, seconds, seed)
    assert offsets == sorted(offsets)
    assert all(0 <= offset < seconds * arrivals.SECOND for offset in offsets)
    assert offsets == arrivals.poisson(rate, seconds, seed)


def test_poisson_arrivals_have_the_rate_in_the_long_run() -> None:
    offsets = arrivals.poisson(1000, 20, seed=7)
    assert 19_000 < len(offsets) < 21_000


@pytest.mark.parametrize(("rate", "seconds"), [(0, 1), (-1, 1), (1, 0)])
def test_a_schedule_needs_a_rate_and_a_length(rate: float, seconds: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        arrivals.even(rate, seconds)
    with pytest.raises(ValueError, match="positive"):
        arrivals.poisson(rate, seconds, 1)
