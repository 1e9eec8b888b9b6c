"""Writes THIRD_PARTY.md: whose work the project stands on, with versions and licences, from the lock files.

Versions come from the locks alone. The licence of a Python package comes from its installed metadata, or,
when it is not installed on this machine, from the list as it stands; a browser library's
from package-lock.json.
"""

import argparse
import json
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from packaging.markers import Marker

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "THIRD_PARTY.md"
PLATFORMS = ({"sys_platform": "linux", "os_name": "posix"}, {"sys_platform": "darwin", "os_name": "posix"})

# Licences that the metadata gives as a whole text, or not at all; read from the packages' own files.
STATED = {"axe-playwright-python": "MIT AND MPL-2.0"}  # it bundles axe-core
CLASSIFIER = re.compile(r"License :: (?:OSI Approved :: )?(.*)")

HEAD = """\
# Third-party software

Made by `python3 dev.py lock` from requirements.lock, requirements-dev.lock and package-lock.json; not to be
edited by hand. None of it is part of this repository. The browser libraries are copied into the built wheel
as they are, each with its licence beside it (`web/ui/vendor/*.LICENSE`).
"""


@dataclass(frozen=True, order=True)
class Work:
    """One package: its name, the locked version, the name of its licence."""

    name: str
    version: str
    licence: str


def locked(file: Path) -> dict[str, str]:
    """Name -> version of what a lock file asks for on the supported platforms."""
    found: dict[str, str] = {}
    for line in file.read_text().splitlines():
        entry = re.match(r"([A-Za-z0-9._-]+)==(\S+)(?: ; (.*?))? \\$", line)
        if entry and wanted(entry[3]):
            found[entry[1]] = entry[2]
    return found


def wanted(marker: str | None) -> bool:
    """Whether an environment marker holds on a supported platform."""
    return marker is None or any(Marker(marker).evaluate(dict(platform)) for platform in PLATFORMS)


def licence_of(name: str, version: str, before: dict[tuple[str, str], str]) -> str:
    """The licence's name. Raises SystemExit when nothing tells it."""
    if name in STATED:
        return STATED[name]
    try:
        told = licence_in(metadata(name))
    except PackageNotFoundError:
        told = None
    told = told or before.get((name, version))
    if not told:
        sys.exit(f"{name} {version}: no licence found in its metadata; read it and add it to STATED.")
    return told


def licence_in(data: PackageMetadata) -> str | None:
    """The licence as a package states it: expression, else classifier, else a short `License` field."""
    fields: dict[str, Any] = data.json
    if expression := fields.get("license_expression"):
        return expression
    named = [found[1] for line in fields.get("classifier", []) if (found := CLASSIFIER.fullmatch(line))]
    if named:
        return ", ".join(named)
    short: str = fields.get("license", "")
    return short if short and "\n" not in short else None


def browser_works(*, development: bool) -> list[Work]:
    """The packages of package-lock.json: what the page loads, or what only development uses."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    return [
        Work(path.removeprefix("node_modules/"), package["version"], package["license"])
        for path, package in packages.items()
        if path and package.get("dev", False) is development
    ]


def python_works(versions: dict[str, str], before: dict[tuple[str, str], str]) -> list[Work]:
    """The packages of a lock with their licences."""
    return [Work(name, version, licence_of(name, version, before)) for name, version in versions.items()]


def table(title: str, works: list[Work]) -> str:
    """One section with a row for each package, by name."""
    rows = "\n".join(f"| {work.name} | {work.version} | {work.licence} |" for work in sorted(works))
    return f"\n## {title}\n\n| package | version | licence |\n|---|---|---|\n{rows}\n"


def document() -> str:
    """The whole text of THIRD_PARTY.md."""
    before: dict[tuple[str, str], str] = {}
    if TARGET.exists():
        rows = re.findall(r"^\| (\S+) \| (\S+) \| (.+) \|$", TARGET.read_text(), re.MULTILINE)
        before = {(name, version): licence for name, version, licence in rows}
    runtime = locked(ROOT / "requirements.lock")
    tools = {name: v for name, v in locked(ROOT / "requirements-dev.lock").items() if name not in runtime}
    return (
        HEAD
        + table("In the browser", browser_works(development=False))
        + table("In the server", python_works(runtime, before))
        + table("In development only", python_works(tools, before) + browser_works(development=True))
    )


def main() -> int:
    """Write the file, or with --check say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when it would change")
    if not parser.parse_args().check:
        TARGET.write_text(document())
        return 0
    if TARGET.exists() and TARGET.read_text() == document():
        return 0
    print("THIRD_PARTY.md is not current; run: python3 dev.py lock")
    return 1


if __name__ == "__main__":
    sys.exit(main())
