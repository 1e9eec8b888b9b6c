"""Percentiles and process usage."""

from __future__ import annotations

import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import measure
from loadtest.tally import Tally


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.5, 50), (0.9, 90), (0.99, 99), (1, 100)])
def test_percentiles_of_a_hundred_values(share: float, value: float) -> None:
    assert measure.percentile(list(range(1, 101)), share) == value


@given(st.lists(st.integers(), min_size=1), st.floats(min_value=0, max_value=1))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(values: list[int], share: float) -> None:
    values.sort()
    found = measure.percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) * (1 - 1e-12)
    below = [value for value in values if value < found]
    assert not below or len(below) < share * len(values)


def test_nothing_measured_has_no_percentile() -> None:
    assert math.isnan(measure.percentile([], 0.5))
    assert math.isnan(measure.Spread.of_ns([]).max)


def test_a_spread_is_in_milliseconds() -> None:
    spread = measure.Spread.of_ns([3_000_000, 1_000_000, 2_000_000])
    assert (spread.count, spread.p50, spread.p99, spread.max) == (3, 2.0, 3.0, 3.0)


def test_this_process_uses_memory_and_is_its_own_family() -> None:
    assert os.getpid() in measure.family(os.getpid())
    assert measure.usage(os.getpid()).rss_kib > 1000


def test_the_machine_was_busy_at_least_as_long_as_this_process() -> None:
    assert measure.busy_s() >= measure.usage(os.getpid()).cpu_s > 0


def test_a_process_that_is_gone_uses_nothing() -> None:
    assert measure.usage(2**22 + 1) == measure.Usage(0.0, 0)


def test_a_tally_counts_and_times_only_what_is_recent_enough() -> None:
    tally = Tally()
    tally.add((100, 200), 350)
    tally.add((300,), 400)
    assert tally.total == 3
    assert tally.count(since=200) == 2
    assert tally.latencies(since=200) == [150, 100]


def test_a_long_tally_is_sampled_by_whole_runs() -> None:
    tally = Tally()
    for at in range(100):
        tally.add((0, 0), at)
    assert tally.latencies(at_most=50) == [at for at in range(0, 100, 4) for _ in range(2)]
