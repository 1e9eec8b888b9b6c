"""Puts the browser's libraries into a build: the same code as `dev.py run`, called by hatchling.

Knows hatchling; which files there are, and where they come from, stands in dev.py alone.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))  # hatchling loads this file by path

import dev


class BrowserLibraries(BuildHookInterface[Any]):
    """Fetches by npm lock file what is not there yet, before the files of a wheel or an sdist are chosen."""

    def dependencies(self) -> list[str]:
        """node and npm as a wheel, in the locked version, where they are needed and the machine has none."""
        return (
            [] if dev.assets_current() or dev.npm_on_path() else [dev.locked(dev.NODE_PACKAGE).split(" ")[0]]
        )

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Runs before each target is built."""
        dev.ensure_assets(dev.npm_on_path() or dev.npm_of(sys.executable))
