"""Results: goals beside figures, in the table and in JSON."""

from __future__ import annotations

import math

import pytest

from loadtest.bench import SCENARIOS, main
from loadtest.result import GOALS, Goal, Result, ratios, table


@pytest.mark.parametrize(
    ("sense", "value", "met"), [("≥", 10, True), ("≥", 11, False), ("≤", 10, True), ("≤", 9, False)]
)
def test_a_goal_is_reached_or_missed(sense: str, value: float, met: bool) -> None:
    goal = Goal("x", "≥" if sense == "≥" else "≤", value)
    assert goal.met({"x": 10}) is met


@pytest.mark.parametrize("figures", [{}, {"x": None}, {"x": math.nan}, {"x": "fast"}])
def test_what_was_not_measured_is_neither_reached_nor_missed(figures: dict[str, float | str | None]) -> None:
    assert Goal("x", "≥", 1).met({**figures}) is None


def test_the_table_says_goal_and_verdict_beside_the_figure() -> None:
    text = table(
        [Result("idle", {"kibPerConnection": 31.0, "cpuUsPerConnection": 800.0}, notes=["cold start"])]
    )
    assert "31.00  goal ≤ 30: MISSED" in text
    assert "800.00  goal ≤ 900: reached" in text
    assert "! cold start" in text


def test_peers_are_held_against_no_goal() -> None:
    assert Result("idle", {}, server="starlette").as_json()["goals"] == []
    assert len(Result("idle", {}).as_json()["goals"]) == len(GOALS["idle"])


def test_json_has_null_for_what_is_not_a_number() -> None:
    assert Result("x", {"p99Ms": math.nan, "n": 3, "big": 123456.7}).as_json()["figures"] == {
        "p99Ms": None,
        "n": 3,
        "big": 123457,
    }


def test_ratios_say_how_many_times_each_peer() -> None:
    ours = Result("fanout", {"deliveriesPerCpuSecond": 300})
    peer = Result("fanout", {"deliveriesPerCpuSecond": 100}, server="ws")
    assert ratios(ours, [peer]).figures == {"times ws": 3.0}


def test_an_unknown_scenario_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["warp"])
    said = capsys.readouterr().err
    assert "warp" in said
    assert all(name in said for name in SCENARIOS)
