"""Health: the worst check decides, a hanging probe is down, and asking often costs one look."""

import asyncio

import pytest

from web import health
from web.health import Health, State


class Probed:
    """A probe that answers what it is told and counts."""

    def __init__(self, state: State = "ok") -> None:
        self.state: State = state
        self.calls = 0

    async def __call__(self) -> State:
        self.calls += 1
        return self.state


async def broken() -> State:
    raise OSError("disk gone")


async def hanging() -> State:
    await asyncio.Event().wait()
    return "ok"


@pytest.mark.parametrize(
    ("states", "worst"),
    [((), "ok"), (("ok", "ok"), "ok"), (("ok", "degraded"), "degraded"), (("down", "degraded"), "down")],
)
async def test_the_worst_check_decides(states: tuple[State, ...], worst: State) -> None:
    report = await Health("1", {str(n): Probed(state) for n, state in enumerate(states)}).report()
    assert report["status"] == worst
    assert [check["status"] for check in report["checks"].values()] == list(states)
    assert all(check["ms"] >= 0 for check in report["checks"].values())


async def test_a_broken_and_a_hanging_probe_are_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "DEADLINE", 0.01)
    report = await Health("1", {"a": broken, "b": hanging, "c": Probed()}).report()
    assert {name: check["status"] for name, check in report["checks"].items()} == {
        "a": "down",
        "b": "down",
        "c": "ok",
    }


async def test_many_who_ask_cost_one_look_a_second() -> None:
    now = [0.0]
    probe = Probed()
    watched = Health("1", {"a": probe}, clock=lambda: now[0])
    await asyncio.gather(*(watched.report() for _ in range(50)))
    assert probe.calls == 1
    now[0] += health.FRESH
    await watched.report()
    assert probe.calls == 2
