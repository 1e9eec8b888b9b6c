"""The browser's modules without a browser: the protocol client, the room store and the small pure parts."""

import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent / "js"


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_modules(node: str, name: str) -> None:
    done = subprocess.run(
        [node, "--test", str(HERE / name)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
