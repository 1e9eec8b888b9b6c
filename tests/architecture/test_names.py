"""Our top-level names are plain words; no stranger's package may bring one of them, too."""

import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT


@pytest.mark.parametrize("package", PACKAGES)
def test_the_name_is_ours_alone(package: str) -> None:
    owners = set(importlib.metadata.packages_distributions().get(package, []))
    assert owners <= {"cascade-live"}  # none at all while the working tree itself is on the path
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT)
