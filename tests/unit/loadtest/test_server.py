"""Servers under load: the core they get."""

from __future__ import annotations

import os

import pytest

from loadtest.server import on_cores


@pytest.fixture
def both_cores() -> list[int]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        cores *= 2
    return cores


def test_a_server_gets_its_core_even_if_the_crowd_is_pinned_to_another(both_cores: list[int]) -> None:
    for_server, for_crowd, *_ = both_cores
    before = os.sched_getaffinity(0)
    with on_cores({for_crowd}):
        with on_cores({for_server}):
            assert os.sched_getaffinity(0) == {for_server}
        assert os.sched_getaffinity(0) == {for_crowd}
    assert os.sched_getaffinity(0) == before


def test_a_core_that_is_not_there_changes_nothing() -> None:
    before = os.sched_getaffinity(0)
    with on_cores({4095}):
        assert os.sched_getaffinity(0) == before
