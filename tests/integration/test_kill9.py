"""kill -9 under load: nothing acknowledged is lost, nothing is there twice, nothing is out of order.

Owns the length of the run: 200 points under CI, 20 otherwise, or as many as KILL9_POINTS says (the long mode).
"""

from __future__ import annotations

import os

import pytest

from loadtest import kill9

_IN_CI = os.environ.get("CI", "").lower() == "true"


@pytest.mark.slow
def test_what_was_acknowledged_survives_every_kill() -> None:
    points = int(os.environ.get("KILL9_POINTS", "200" if _IN_CI else "20"))
    seed = int(os.environ.get("KILL9_SEED", "1"))
    report = kill9.run(points, seed)
    assert not report.broken, f"seed {seed}: {report}"
    assert report.points == points
    assert report.acknowledged >= points, "the server was killed without being under load"
