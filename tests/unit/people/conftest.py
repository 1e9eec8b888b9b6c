"""The world of people, fresh for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.people.world import World, a_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as fresh:
        yield fresh
