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


# An intruding module, what it imports, and the words in which the broken contract must name it.
INTRUDERS = {
    "moderation/borrows.py": ("import chatcore.log", "moderation is not allowed to import chatcore"),
    "media_bridge/borrows.py": ("import moderation", "media_bridge is not allowed to import moderation"),
    "schemas/borrows.py": ("import chatcore", "schemas is not allowed to import chatcore"),
    "chatcore/fanout/frames_on_starlette.py": (
        "import starlette",
        "chatcore is not allowed to import starlette",
    ),
    "chatcore/room/clock.py": ("import time", "chatcore.room is not allowed to import time"),
    "chatcore/room/storing.py": (
        "import chatcore.log.database",
        "chatcore.room is not allowed to import sqlite3",
    ),
    "chatcore/log/upward.py": (
        "import chatcore.session",
        "chatcore.log is not allowed to import chatcore.session",
    ),
}


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy of the house with every intruder in it."""
    folder = tmp_path_factory.mktemp("house")
    for package in HOUSE:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("ui", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for module, (line, _) in INTRUDERS.items():
        (folder / module).write_text(f'"""Breaks a law on purpose."""\n\n{line}\n')
    done = lint(folder)
    assert done.returncode != 0
    return done.stdout


@pytest.mark.parametrize("module", INTRUDERS)
def test_a_forbidden_import_is_found(verdict: str, module: str) -> None:
    words = INTRUDERS[module][1]
    name = module.removesuffix(".py").replace("/", ".")
    assert words in verdict
    complaint = verdict.split(words, 1)[-1].split(" is not allowed to import ", 1)[0]
    assert name in complaint, verdict


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
