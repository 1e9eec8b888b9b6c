"""dev.py's promises that need no installing: plain words for wrong use, and a skip that fails in CI."""

import ast
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


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
@pytest.mark.parametrize(
    "body",
    [
        "import pytest\ndef test_part():\n    pytest.skip('no browser here')\ndef test_other(): pass\n",
        "import pytest\n@pytest.mark.skip(reason='later')\ndef test_part(): pass\n",
        "import pytest\npytest.skip('no browser here', allow_module_level=True)\n",
    ],
    ids=["in a test", "by mark", "a whole module"],
)
def test_a_skip_is_a_failure_in_ci(tmp_path: Path, body: str, ci: str, code: int) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_skips.py").write_text(body + "\n")
    (tmp_path / "test_passes.py").write_text("def test_passes(): pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == bool(code), done.stdout
    assert ("skipped, which is a failure in CI" in done.stdout) == bool(code)
