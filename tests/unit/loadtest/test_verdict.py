"""The judge of the crash tests: it must see every promise that is broken, or its zeros mean nothing."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.verdict import Ack, Report, text_of


def event(n: int, sender: str = "a", number: int | None = None, epoch: str = "k") -> dict[str, Any]:
    d = {"mid": f"m_{n}", "text": text_of(sender, number or n)}
    return {"t": "msg.new", "pos": [epoch, n], "d": d}


GOOD = [event(1), event(2), event(3)]
ACKS = {"a": {n: Ack("k", n, f"m_{n}") for n in (1, 2, 3)}}
SEEN = {1: "m_1", 3: "m_3"}


def broken(log: list[dict[str, Any]], acks: dict[str, dict[int, Ack]] = ACKS) -> dict[str, Any]:
    report = Report()
    report.judge(log, acks, SEEN)
    return report.broken


def test_a_log_that_keeps_its_promises_is_not_blamed() -> None:
    report = Report()
    report.judge([*GOOD, event(4, number=4)], ACKS, SEEN)
    assert not report.broken
    assert (report.acknowledged, report.in_log) == (3, 4)


@pytest.mark.parametrize(
    ("log", "promises"),
    [
        pytest.param(GOOD[:2], {"lost", "elsewhere", "seen_and_lost"}, id="the end is missing"),
        pytest.param([event(1), event(3)], {"lost", "elsewhere", "gaps"}, id="a hole"),
        pytest.param([*GOOD, event(4, number=2)], {"twice"}, id="twice"),
        pytest.param(
            [event(1), event(2, number=3), event(3, number=2)], {"elsewhere", "out_of_order"}, id="order"
        ),
        pytest.param([*GOOD, event(4, number=4, epoch="other")], {"epochs"}, id="a new epoch"),
        pytest.param([event(1, "b"), *GOOD[1:]], {"lost", "elsewhere"}, id="somebody else's"),
    ],
)
def test_each_broken_promise_is_named(log: list[dict[str, Any]], promises: set[str]) -> None:
    assert set(broken(log)) == promises


def test_faults_of_the_clients_count_as_broken() -> None:
    assert Report(faults={"refused: internal": 1}).broken == {"faults": {"refused: internal": 1}}
