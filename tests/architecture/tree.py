"""What the architecture tests look at: the files git tracks, and the packages of the house.

Reads the tree and git's index; judges nothing.
"""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("chatcore", "loadtest", "media_bridge", "moderation", "schemas", "web")
TEXT = {"", ".cfg", ".css", ".html", ".js", ".json", ".md", ".py", ".sql", ".svg", ".toml", ".txt", ".yml"}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository, as paths relative to its root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).exists())


def texts(*suffixes: str) -> list[Path]:
    """The tracked text files, or those with one of `suffixes`."""
    return [file for file in tracked() if file.suffix in (suffixes or TEXT)]


def read(file: Path) -> str:
    """A tracked file's text."""
    return (ROOT / file).read_text(encoding="utf-8")
