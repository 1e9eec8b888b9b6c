"""Writes what follows from the tables: `python -m schemas.generate`, or `--check` to fail on drift.

Owns which files are generated and where they lie. Refuses to be imported by anything that serves: it is a
developer's tool, and the only module here that touches files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.generators.asyncapi import asyncapi
from schemas.generators.constants import constants_js
from schemas.generators.openapi import openapi
from schemas.generators.tables import fill

HERE = Path(__file__).parent
VERSION = "1.0.0"
"""Version of the descriptions; they change with the protocol, not with each release of the server."""


def generated(here: Path = HERE) -> dict[Path, str]:
    """Every generated file with the text that it should have; PROTOCOL.md keeps its own prose."""
    out, protocol = here / "generated", here / "PROTOCOL.md"
    return {
        out / "openapi.json": _json(openapi(VERSION)),
        out / "asyncapi.json": _json(asyncapi(VERSION)),
        out / "constants.js": constants_js(),
        protocol: fill(protocol.read_text(encoding="utf-8")),
    }


def stale(here: Path = HERE) -> list[Path]:
    """The generated files that differ from what the tables say."""
    return [
        path
        for path, text in generated(here).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str]) -> int:
    """Write the files, or with `--check` name the stale ones; the exit status."""
    if list(arguments) == ["--check"]:
        for path in (old := stale()):
            print(f"{path.relative_to(HERE.parent)} is stale; run `python -m schemas.generate`")
        return 1 if old else 0
    if arguments:
        print("usage: python -m schemas.generate [--check]")
        return 2
    for path, text in generated().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
