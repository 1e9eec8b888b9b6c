"""The locks name one version and its hashes for everything that pyproject.toml and package.json ask for."""

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT
from tests.support import third_party

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize(
    ("lock", "asked"),
    [
        ("requirements.lock", PROJECT["project"]["dependencies"]),
        ("requirements-dev.lock", PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_a_lock_answers_what_is_asked(lock: str, asked: list[str]) -> None:
    versions = third_party.locked(ROOT / lock)
    for text in asked:
        wanted = Requirement(text)
        assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), text


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_entry_of_a_lock_has_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", re.sub(r"\n *#.*", "", (ROOT / lock).read_text()))
    assert len(entries) > 10
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_two_locks_agree() -> None:
    runtime = third_party.locked(ROOT / "requirements.lock")
    development = third_party.locked(ROOT / "requirements-dev.lock")
    assert runtime.items() <= development.items()


def test_the_browser_lock_has_hashes_and_no_addresses() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    asked = json.loads((ROOT / "package.json").read_text())
    for name, version in {**asked["dependencies"], **asked["devDependencies"]}.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for path, package in packages.items():
        assert not path or package["integrity"].startswith("sha512-")
        assert "resolved" not in package


def test_the_third_party_list_is_current() -> None:
    assert third_party.TARGET.read_text() == third_party.document(), "run: python3 dev.py lock"


def test_the_pins_of_the_build_agree() -> None:
    (builder,) = PROJECT["build-system"]["requires"]
    assert builder in PROJECT["dependency-groups"]["dev"]
