"""dev.py's promises that need no installing: plain words for wrong use, and a skip that fails in CI."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT


def dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dev.py from the root."""
    command = [sys.executable, "dev.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_names_every_command() -> None:
    done = dev("--help")
    assert done.returncode == 0
    assert all(f"\n  {command} " in done.stdout for command in ("run", "test", "check", "bench", "lock"))


def test_an_unknown_command_says_which_there_are() -> None:
    done = dev("serve")
    assert done.returncode == 2
    assert "no command `serve`" in done.stderr
    assert "run [flags]" in done.stderr


def test_an_unknown_part_of_the_check_says_which_there_are() -> None:
    done = dev("check", "spelling")
    assert done.returncode == 1
    assert "types, unit, import" in done.stderr


def test_it_uses_the_standard_library_only() -> None:
    body = ast.parse((ROOT / "dev.py").read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(body)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) == set()


SKIPS = {
    "inside": "import pytest\ndef test_part():\n    pytest.skip('no browser here')\n",
    "by_mark": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_part(): pass\n",
    "whole": "import pytest\npytest.skip('no browser here', allow_module_level=True)\n",
    "expected": "import pytest\n@pytest.mark.xfail(reason='known')\ndef test_part(): raise ValueError\n",
    "passing": "def test_part(): pass\n",
}


@pytest.mark.parametrize(
    ("ci", "counts"),
    [
        ("true", {"passed": 1, "failed": 1, "error": 2, "skipped": 0, "xfailed": 1}),
        ("", {"passed": 1, "failed": 0, "error": 0, "skipped": 3, "xfailed": 1}),
    ],
)
def test_a_skip_is_a_failure_in_ci(tmp_path: Path, ci: str, counts: dict[str, int]) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    for name, body in SKIPS.items():
        (tmp_path / f"test_{name}.py").write_text(body)
    report = tmp_path / "counts.json"
    command = [sys.executable, "-m", "pytest", "--continue-on-collection-errors", str(tmp_path)]
    environment = {**os.environ, "CI": ci, "CASCADE_TEST_REPORT": str(report)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert json.loads(report.read_text()) == counts, done.stdout
    assert (done.returncode != 0) == bool(ci)
