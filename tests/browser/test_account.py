"""Signing up and in, the account page, the control center and the directory, as a newcomer meets them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import PASSWORD, Person

pytestmark = pytest.mark.slow

New = Callable[..., Person]


def test_from_nothing_to_a_channel_in_the_directory(new_person: New) -> None:
    ann = new_person("Ann")
    page = ann.page
    page.goto("/")
    expect(page.get_by_role("heading", name="No channels yet")).to_be_visible()
    ann.sign_up()
    key = ann.make_channel("Night sky", "night_sky")
    assert len(key) > 15
    page.reload()
    expect(page.get_by_role("heading", name="Night sky")).to_be_visible()
    assert key not in page.content()
    page.get_by_label("Title").fill("Night sky over the hills")
    page.get_by_label("Tags").fill("stars, quiet")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Saved")
    page.goto("/")
    expect(page.get_by_role("link", name="Night sky over the hills")).to_be_visible()
    page.get_by_role("searchbox").fill("nothing like it")
    expect(page.get_by_role("heading", name="Nothing fits")).to_be_visible()
    assert "q=nothing" in page.url
    page.goto("/?tag=stars")
    expect(page.locator(".card")).to_have_count(1)


def test_faults_are_said_at_their_field(new_person: New) -> None:
    ann = new_person("Ann")
    ann.sign_up()
    ann.make_channel("One", "lobby")
    page = ann.page
    page.goto("/studio#new")
    page.get_by_label("Title").fill("Two")
    page.get_by_label("Address").fill("lobby")
    page.get_by_role("button", name="Make a channel").click()
    expect(page.locator(".fault, .notice-danger")).to_be_visible()
    other = new_person("Bob")
    other.page.goto("/login")
    other.page.get_by_label("E-mail or name").fill("ann")
    other.page.get_by_label("Password").fill("not the password")
    other.page.locator("form").get_by_role("button", name="Sign in").click()
    expect(other.page.get_by_text("Name or password is wrong.")).to_be_visible()


def test_the_account_page_changes_name_and_password_and_ends_sessions(new_person: New) -> None:
    ann, elsewhere = new_person("Ann"), new_person("Ann")
    ann.sign_up()
    elsewhere.page.goto("/login?next=/account")
    elsewhere.page.get_by_label("E-mail or name").fill("ann@example.com")
    elsewhere.page.get_by_label("Password").fill(PASSWORD)
    elsewhere.page.locator("form").get_by_role("button", name="Sign in").click()
    expect(elsewhere.page.get_by_role("heading", name="Account", exact=True)).to_be_visible()
    page = ann.page
    page.goto("/account")
    page.get_by_label("Your name", exact=True).fill("Ann of the hills")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Saved")
    expect(page.locator(".row")).to_have_count(2)
    page.get_by_role("button", name="That’s not me").click()
    expect(page.locator(".row")).to_have_count(1)
    elsewhere.page.reload()
    expect(elsewhere.page.get_by_role("heading", name="Sign in to go on")).to_be_visible()
    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password").fill("another long sentence")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator(".fault")).to_contain_text("not your current password")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.locator(".toast").last).to_contain_text("Password changed")


def test_the_pages_speak_the_browsers_language(new_person: New) -> None:
    someone = new_person("Ann", locale="de-DE")
    someone.page.goto("/")
    expect(someone.page.get_by_role("heading", name="Noch keine Kanäle")).to_be_visible()
    someone.page.get_by_role("button", name="Einstellungen dieses Browsers").click()
    someone.page.get_by_label("Español").click()
    expect(someone.page.get_by_role("heading", name="Aún no hay canales")).to_be_visible()
