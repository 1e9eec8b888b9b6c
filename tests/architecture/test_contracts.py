"""Laws 1 and 2 hold, and the contracts bite: a forbidden import is named, an indirect one too."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

HOUSE = ("chatcore", "media_bridge", "moderation", "schemas", "web")
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts over the packages in `folder`."""
    return subprocess.run(
        [sys.executable, "-P", "-c", LINT],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("moderation/intruder.py", "import chatcore.log", "Law 1: web wires"),
        ("media_bridge/intruder.py", "import moderation", "Law 1: web wires"),
        ("schemas/intruder.py", "import chatcore", "Law 1: web wires"),
        ("chatcore/fanout/intruder.py", "import starlette", "Law 1: only web"),
        ("chatcore/room/intruder.py", "import time", "Law 2"),
        ("chatcore/room/intruder.py", "import chatcore.log.database", "Law 2"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path: Path, module: str, line: str, contract: str) -> None:
    for package in HOUSE:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("ui", "__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / module).write_text(f'"""Breaks a law on purpose."""\n\n{line}\n')

    done = lint(tmp_path)

    assert done.returncode != 0
    broken = [text for text in done.stdout.splitlines() if text.endswith("BROKEN")]
    assert any(text.startswith(contract) for text in broken), done.stdout


def test_every_module_is_a_decision_or_a_named_shell() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = {contract["id"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}
    decisions: list[str] = contracts["law-2"]["source_modules"]
    shells: list[str] = settings["tool"]["cascade"]["shells"]

    def covered(module: str, names: list[str]) -> bool:
        return any(module == name or module.startswith(f"{name}.") for name in names)

    homeless = [
        module for module in modules() if not covered(module, decisions) and not covered(module, shells)
    ]
    both = [module for module in modules() if covered(module, decisions) and covered(module, shells)]
    assert homeless == [], "name it in pyproject.toml: as a decision (law-2) or among the shells"
    assert both == []


def modules() -> list[str]:
    """The dotted names of the modules below the siblings and schemas; packages' __init__ are left out."""
    return [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for package in HOUSE
        if package != "web"
        for file in sorted((ROOT / package).rglob("*.py"))
        if file.name != "__init__.py"
    ]
