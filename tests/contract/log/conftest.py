"""Gives the suite each implementation of the port in turn, with one channel in it."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.contract.log.places import CH, PLACES, Place


@pytest.fixture(params=sorted(PLACES))
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Place]:
    async with PLACES[request.param](tmp_path) as made:
        await made.create(CH)
        yield made
