"""What axe finds on each page, in light, dark and high contrast, wide and on a phone: nothing serious."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.people import Person

pytestmark = pytest.mark.slow

New = Callable[..., Person]
BAD = {"serious", "critical"}
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
LOOKS: list[dict[str, Any]] = [
    {"viewport": WIDE, "color_scheme": "light"},
    {"viewport": PHONE, "color_scheme": "dark"},
    {"viewport": {"width": 320, "height": 640}, "color_scheme": "light"},
]


def serious(page: Page) -> list[str]:
    """The faults of impact serious or critical, with the elements they are on."""
    axe: Any = Axe()
    found: list[dict[str, Any]] = axe.run(page).response["violations"]
    return [
        f"{page.url} {fault['id']}: {node['html'][:200]}"
        for fault in found
        if fault["impact"] in BAD
        for node in fault["nodes"]
    ]


def settled(page: Page) -> None:
    """Nothing is being loaded any more."""
    page.locator("h1").first.wait_for(state="attached")
    expect(page.locator(".skeleton")).to_have_count(0)


def no_sideways(page: Page) -> None:
    """No page scrolls sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"


@pytest.mark.parametrize("look", LOOKS, ids=["wide-light", "phone-dark", "small-light"])
def test_nothing_serious_on_any_page(new_person: New, look: dict[str, Any]) -> None:
    ann = new_person("Ann", **look)
    faults: list[str] = []

    def visit(*paths: str) -> None:
        for path in paths:
            ann.page.goto(path)
            settled(ann.page)
            faults.extend(serious(ann.page))
            no_sideways(ann.page)

    visit("/", "/signup", "/login", "/account", "/studio", "/@nobody", "/nothing")
    ann.sign_up()
    ann.make_channel("River Rafting", "lobby")
    faults.extend(serious(ann.page))
    ann.enter("lobby")
    ann.say("hello @ann, look at https://example.com")
    expect(ann.line("hello")).to_be_visible()
    faults.extend(serious(ann.page))
    no_sideways(ann.page)
    visit("/", "/studio#lobby", "/studio#new", "/account")
    kim = new_person("Kim", **look)
    kim.enter("lobby")
    faults.extend(serious(kim.page))
    assert faults == []


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
def test_every_look_of_a_full_chat_can_be_read(new_person: New, theme: str) -> None:
    ann, kim = new_person("Ann"), new_person("Kim")
    ann.sign_up()
    ann.make_channel("River Rafting", "lobby")
    ann.page.context.add_cookies([{"name": "ui_theme", "value": theme, "url": ann.page.url}])
    ann.enter("lobby")
    kim.enter("lobby")
    kim.become_guest()
    kim.say("hi @ann")
    expect(ann.line("hi")).to_be_visible()
    ann.reply_to("hi", "hello yourself")
    ann.say("x" * 501)
    kim.say("one to be removed")
    ann.choose("one to be removed", "Delete")
    expect(ann.page.locator(".line-gone")).to_be_visible()
    ann.page.get_by_role("button", name="Settings of this browser").click()
    faults = serious(ann.page)
    ann.page.keyboard.press("Escape")
    assert faults + serious(ann.page) == []
