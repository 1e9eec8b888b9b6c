"""Owns the fixtures of the conformance tier: one server for all (or that at --url), a world for each test.

It knows how to get a server, and nothing of what is tested.
"""

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager

import pytest

from tests.conformance.patience import Patience
from tests.conformance.world import Target, World
from tests.support.rest import Rest
from tests.support.server import CascadeServer, serving


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--url` and `--admin-token`: judge a running server instead of an own one."""
    group = parser.getgroup("conformance")
    group.addoption("--url", default=None, help="base URL of a running server (or CASCADE_URL)")
    group.addoption("--admin-token", default=None, help="its administrator's token (or CASCADE_ADMIN_TOKEN)")


def _option(config: pytest.Config, name: str, variable: str) -> str | None:
    return config.getoption(name, default=None) or os.environ.get(variable)


@pytest.fixture(scope="session")
def given_url(request: pytest.FixtureRequest) -> str | None:
    """The URL to judge, None for an own server."""
    return _option(request.config, "--url", "CASCADE_URL")


@pytest.fixture(scope="session")
def target(
    request: pytest.FixtureRequest, given_url: str | None, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Target]:
    """The server under test, without rate limits."""
    if given_url is not None:
        token = _option(request.config, "--admin-token", "CASCADE_ADMIN_TOKEN")
        assert token, "--url needs --admin-token (or CASCADE_ADMIN_TOKEN)"
        rest = Rest(given_url, token)
        yield Target(given_url.rstrip("/"), rest)
        rest.close()
        return
    with serving(tmp_path_factory.mktemp("target"), limits=False) as server, making_target(server) as made:
        yield made


@contextmanager
def making_target(server: CascadeServer) -> Generator[Target]:
    """A target over an own, empty server: its first account is the administrator."""
    rest = Rest(server.url)
    rest.token = rest.signup("admin_of_tests").token
    yield Target(server.url, rest, server)
    rest.close()


@pytest.fixture(scope="session")
def patience(request: pytest.FixtureRequest, target: Target) -> Generator[Patience]:
    """The slow observations, begun when the session begins."""
    watcher = Patience(target)
    watcher.start()
    yield watcher
    watcher.join()


@pytest.fixture(scope="session", autouse=True)
def _begin_early(request: pytest.FixtureRequest) -> None:
    if any("patience" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("patience")


@pytest.fixture
async def world(target: Target) -> AsyncGenerator[World]:
    """Connections, people and channels for one test."""
    async with World(target) as made:
        yield made


@pytest.fixture(scope="session")
def own_server(given_url: str | None, tmp_path_factory: pytest.TempPathFactory) -> Generator[CascadeServer]:
    """A second server of our own with its rate limits on; left out when a URL is judged."""
    if given_url is not None:
        pytest.skip("needs a server of its own")
    with serving(tmp_path_factory.mktemp("limited")) as server:
        yield server


@pytest.fixture(scope="session")
def limited_target(own_server: CascadeServer) -> Generator[Target]:
    """The server whose rate limits are on."""
    with making_target(own_server) as made:
        yield made
