"""What a scenario found, beside the goals: the shape that is printed and written as JSON.

Owns the goals as data and their comparison. Pure; refuses to know how anything was measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Figure = float | int | str | None


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that a scenario is to reach: at least or at most `value`."""

    figure: str
    sense: Literal["≥", "≤"]
    value: float

    def met(self, figures: Mapping[str, Figure]) -> bool | None:
        """Whether it is reached; None if the figure was not measured."""
        have = figures.get(self.figure)
        if not isinstance(have, int | float) or math.isnan(have):
            return None
        return have >= self.value if self.sense == "≥" else have <= self.value


GOALS: Mapping[str, tuple[Goal, ...]] = {
    "fanout 1000x50": (Goal("deliveriesPerCpuSecond", "≥", 110_000), Goal("p99Ms", "≤", 50)),
    "fanout 1000x500": (Goal("deliveriesPerCpuSecond", "≥", 900_000), Goal("p99Ms", "≤", 60)),
    "fanout 1000x2000": (Goal("deliveriesPerCpuSecond", "≥", 2_500_000), Goal("p99Ms", "≤", 100)),
    "crowd8k one room": (
        Goal("deliveriesPerCpuSecond", "≥", 2_000_000),
        Goal("p99Ms", "≤", 400),
        Goal("probeP99Ms", "≤", 30),
    ),
    "crowd8k ten rooms": (
        Goal("deliveriesPerCpuSecond", "≥", 2_000_000),
        Goal("p99Ms", "≤", 400),
        Goal("probeP99Ms", "≤", 30),
    ),
    "durable best": (Goal("acknowledgedPerSecond", "≥", 8_000),),
    "durable 1000/s": (Goal("p50Ms", "≤", 3), Goal("p99Ms", "≤", 10)),
    "idle": (Goal("kibPerConnection", "≤", 30), Goal("cpuUsPerConnection", "≤", 900)),
    "comeback": (
        Goal("allBackSeconds", "≤", 5),
        Goal("lost", "≤", 0),
        Goal("twice", "≤", 0),
        Goal("readsPerClient", "≤", 0.1),
    ),
    "stalled": (
        Goal("p99Ratio", "≤", 1.05),
        Goal("shedSecondsMax", "≤", 5),
        Goal("unreadKibMax", "≤", 1024),
        Goal("resumed", "≥", 1),
    ),
}


@dataclass(slots=True)
class Result:
    """One measured thing: `figures` by name, the names of what was run, and doubts (`notes`)."""

    name: str
    figures: dict[str, Figure]
    server: str = "cascade"
    notes: list[str] = field(default_factory=list[str])
    quick: bool = False  # of a shrunken crowd: held against no goal

    def as_json(self) -> dict[str, Any]:
        """As it stands in the JSON file; only our own server is held against the goals."""
        goals = [
            {"figure": goal.figure, "sense": goal.sense, "value": goal.value, "met": goal.met(self.figures)}
            for goal in self.goals
        ]
        figures = {name: _rounded(value) for name, value in self.figures.items()}
        return {
            "name": self.name,
            "server": self.server,
            "figures": figures,
            "goals": goals,
            "notes": self.notes,
        }

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The goals of this result."""
        return GOALS.get(self.name, ()) if self.server == "cascade" and not self.quick else ()


def _rounded(value: Figure) -> Figure:
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return round(value, 3) if abs(value) < 1000 else round(value)
    return value


def table(results: Sequence[Result]) -> str:
    """All results for people: one line a figure, the goal beside it, and a mark where it is missed."""
    lines: list[str] = []
    for result in results:
        lines.append(f"\n{result.name} · {result.server}")
        goals = {goal.figure: goal for goal in result.goals}
        for name, value in result.figures.items():
            goal = goals.get(name)
            mark = _mark(goal, result.figures) if goal else ""
            lines.append(f"  {name:<28}{_shown(value):>14}  {mark}".rstrip())
        lines.extend(f"  ! {note}" for note in result.notes)
    return "\n".join(lines)


def _mark(goal: Goal, figures: Mapping[str, Figure]) -> str:
    met = goal.met(figures)
    verdict = {True: "reached", False: "MISSED", None: "not measured"}[met]
    return f"goal {goal.sense} {goal.value:,g}: {verdict}"


def _shown(value: Figure) -> str:
    value = _rounded(value)
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def ratios(ours: Result, peers: Sequence[Result]) -> Result:
    """How many times the deliveries per CPU second of each peer, in the same run and with the same crowd."""
    mine = ours.figures["deliveriesPerCpuSecond"]
    figures: dict[str, Figure] = {}
    for peer in peers:
        theirs = peer.figures["deliveriesPerCpuSecond"]
        if isinstance(mine, int | float) and isinstance(theirs, int | float) and theirs:
            figures[f"times {peer.server}"] = mine / theirs
    return Result(f"{ours.name} ratios", figures, "cascade : peers")
