"""The bench runs from its command line and writes what it promises; its figures are no test.

Owns a quick look at each scenario that a short run can show. Nothing here asks how fast anything is: a busy
machine may not fail a build.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench import SCENARIOS

pytestmark = pytest.mark.slow
_ROOT = Path(__file__).resolve().parent.parent.parent


def bench(tmp_path: Path, *what: str) -> dict[str, Any]:
    """The JSON of a quick run of `what`; its output is shown if it fails."""
    file = tmp_path / "results.json"
    command = [sys.executable, "-m", "loadtest", *what, "--quick", "--seconds", "1", "--json", str(file)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(file.read_text())


def figures(found: dict[str, Any], name: str) -> dict[str, Any]:
    (result,) = [each for each in found["results"] if each["name"] == name]
    return result["figures"]


def test_a_quick_run_describes_the_machine_and_loses_nothing(tmp_path: Path) -> None:
    found = bench(tmp_path, "fanout", "durable", "idle", "comeback")
    assert not found["failures"]
    assert found["quick"]
    assert {"processor", "cores", "memoryMiB", "python", "fsyncMs"} <= set(found["machine"])
    said = json.dumps(found)
    assert str(_ROOT) not in said, "results hold no paths of this machine"
    assert str(tmp_path) not in said
    for rate in (50, 500):
        fan_out = figures(found, f"fanout 100x{rate}")
        assert fan_out["delivered"] > 0
        assert (fan_out["lost"], fan_out["twice"]) == (0, 0)
    assert figures(found, "durable 1000/s")["acknowledged"] > 0
    assert figures(found, "idle")["connections"] == 200
    back = figures(found, "comeback")
    assert (back["resumed"], back["lost"], back["twice"]) == (back["clients"], 0, 0)


def test_peers_meet_the_same_crowd(tmp_path: Path) -> None:
    found = bench(tmp_path, "peers")
    servers = {result["server"] for result in found["results"]}
    assert {"cascade", "starlette", "websockets", "cascade : peers"} <= servers
    for result in found["results"]:
        if result["server"] != "cascade : peers":
            assert result["figures"]["delivered"] > 0, result


def test_every_scenario_has_a_name_on_the_command_line() -> None:
    assert set(SCENARIOS) == {"fanout", "peers", "crowd8k", "durable", "idle", "comeback", "stalled"}
