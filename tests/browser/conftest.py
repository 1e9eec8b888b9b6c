"""A real server and a real Chromium for the browser tests; each person has a browser context of his own.

Knows where Chromium is and how a person signs up; refuses to know what is tested.
"""

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.people import Person
from tests.support.server import CascadeServer, serving

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium_path() -> str | None:
    """Where Chromium is: as dev.py found it, else on PATH."""
    return os.environ.get("CASCADE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium here; `dev.py test` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def server(tmp_path: Path) -> Generator[CascadeServer]:
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def new_person(browser: Browser, server: CascadeServer) -> Generator[Callable[..., Person]]:
    """Makes people; a page error or a broken policy of any of them fails the test."""
    contexts: list[BrowserContext] = []
    people: list[Person] = []

    def make(name: str = "", **context: object) -> Person:
        made = browser.new_context(base_url=server.url, **context)  # pyright: ignore[reportArgumentType] # options by name
        contexts.append(made)
        page: Page = made.new_page()
        people.append(Person(name, page))
        return people[-1]

    yield make
    faults = [fault for person in people for fault in person.faults]
    for context in contexts:
        context.close()
    assert faults == []
