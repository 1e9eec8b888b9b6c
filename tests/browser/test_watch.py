"""The watch page as people use it: replies, mentions, deletion, slow mode, reading further up, the keyboard."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import Person

pytestmark = pytest.mark.slow

New = Callable[..., Person]


@pytest.fixture
def room(new_person: New) -> tuple[Person, Person]:
    """The owner, and a guest."""
    ann, kim = new_person("Ann"), new_person("Kim")
    ann.sign_up()
    ann.make_channel("River Rafting", "lobby")
    ann.enter("lobby")
    kim.enter("lobby")
    kim.become_guest()
    return ann, kim


def test_replies_mentions_and_deletion(room: tuple[Person, Person]) -> None:
    ann, kim = room
    kim.page.locator("#say").press_sequentially("hi @an")
    kim.page.keyboard.press("Escape")
    kim.page.locator("#say").fill("")
    ann.say("who is here?")
    expect(kim.line("who is here?")).to_be_visible()
    kim.page.locator("#say").press_sequentially("me, @an")
    expect(kim.page.get_by_role("option")).to_have_count(1)
    kim.page.keyboard.press("Tab")
    expect(kim.page.locator("#say")).to_have_value("me, @ann ")
    kim.page.keyboard.press("Enter")
    expect(ann.page.locator(".line-mention .mention-me")).to_have_text("@ann")
    ann.reply_to("me, @ann", "welcome")
    reply = kim.line("welcome")
    expect(reply.locator(".quote")).to_contain_text("me, @ann")
    kim.choose("me, @ann", "Delete")
    expect(ann.page.locator(".line-gone")).to_contain_text("Kim")
    expect(ann.line("welcome").locator(".quote")).to_contain_text("removed message")
    assert "me, @ann" not in ann.page.locator(".log").inner_text()


def test_a_name_typed_in_full_is_sent_by_one_enter(room: tuple[Person, Person]) -> None:
    ann, kim = room
    ann.say("here")
    expect(kim.line("here")).to_be_visible()
    kim.page.locator("#say").press_sequentially("hi @ann")
    expect(kim.page.get_by_role("option")).to_have_count(1)
    kim.page.keyboard.press("Enter")
    expect(ann.line("hi @ann")).to_be_visible()


def test_slow_mode_counts_down_on_the_button(room: tuple[Person, Person]) -> None:
    ann, kim = room
    ann.page.goto("/studio#lobby")
    ann.page.get_by_label("Slow mode").select_option("30")
    expect(kim.page.locator(".line-note")).to_contain_text("30 s")
    kim.say("one")
    expect(kim.line("one")).to_be_visible()
    expect(kim.page.locator(".send")).to_contain_text(" s")
    expect(kim.page.locator(".send")).to_have_attribute("aria-disabled", "true")
    ann.enter("lobby")
    ann.say("the owner is exempt")
    ann.say("and says so")
    expect(kim.line("and says so")).to_be_visible()


def test_a_refused_message_says_why_and_can_be_edited(room: tuple[Person, Person]) -> None:
    _, kim = room
    kim.say("/nosuchcommand")
    refused = kim.page.locator(".line-refused")
    expect(refused).to_contain_text("There is no command")
    refused.get_by_role("button", name="Edit").click()
    expect(kim.page.locator("#say")).to_have_value("/nosuchcommand")
    expect(kim.page.locator("#say")).to_be_focused()
    expect(refused).to_have_count(0)


def test_guests_are_told_what_they_would_need(room: tuple[Person, Person]) -> None:
    ann, kim = room
    ann.page.goto("/studio#lobby")
    ann.page.get_by_role("switch", name="Guests may write").uncheck()
    expect(ann.page.locator(".toast")).to_contain_text("Saved")
    kim.page.reload()
    expect(kim.page.locator(".entry")).to_contain_text("Only people with an account")


def test_text_is_text_and_links_are_careful(room: tuple[Person, Person]) -> None:
    ann, kim = room
    kim.say('<img src=x onerror=alert(1)> <b>bold</b> javascript:alert(1) https://example.com/?a="b')
    line = ann.line("<b>bold</b>")
    expect(line).to_be_visible()
    assert line.locator("img, b, script").count() == 0
    link = line.locator("a")
    assert link.get_attribute("rel") == "noopener nofollow ugc"
    assert link.get_attribute("target") == "_blank"
    assert (link.get_attribute("href") or "").startswith("https://example.com/")


def test_the_place_is_kept_while_reading_further_up(room: tuple[Person, Person]) -> None:
    ann, kim = room
    for i in range(70):
        ann.send_directly(f"line {i}")
    expect(kim.line("line 69")).to_be_visible()
    kim.page.locator(".log").hover()
    kim.page.mouse.wheel(0, -600)
    expect(kim.page.locator(".jump")).to_be_visible()
    top = "document.querySelector('.log').getBoundingClientRect().top"
    first = f"[...document.querySelectorAll('.line')].find((l) => l.getBoundingClientRect().top > {top})"
    before = kim.page.evaluate(f"(() => {{ const l = {first}; return [l.dataset.mid, l.offsetTop] }})()")
    place = f"document.querySelector('[data-mid=\"{before[0]}\"]').getBoundingClientRect().top"
    was = kim.page.evaluate(place)
    for i in range(5):
        ann.say(f"new {i}")
        expect(ann.line(f"new {i}")).to_be_visible()
    expect(kim.page.locator(".jump")).to_contain_text("5 new")
    assert abs(kim.page.evaluate(place) - was) < 2
    kim.page.locator(".jump").click()
    expect(kim.line("new 4")).to_be_in_viewport()
    expect(kim.page.locator(".jump")).to_have_count(0)


def test_the_keyboard_alone_is_enough(room: tuple[Person, Person]) -> None:
    ann, kim = room
    ann.say("first")
    ann.say("second")
    expect(kim.line("second")).to_be_visible()
    kim.page.locator("#say").press("Escape")
    kim.page.keyboard.press("/")
    expect(kim.page.locator("#say")).to_be_focused()
    kim.page.keyboard.type("typed")
    kim.page.keyboard.press("Enter")
    expect(kim.line("typed")).to_be_visible()
    kim.page.keyboard.press("ArrowUp")
    expect(kim.page.locator("#say")).to_have_value("typed")
    kim.page.locator("#say").fill("")
    kim.page.locator(".log").focus()
    for key in ("ArrowUp", "ArrowUp", "Enter"):
        kim.page.keyboard.press(key)
    expect(kim.page.get_by_role("menuitem", name="Reply")).to_be_focused()
    kim.page.keyboard.press("Enter")
    expect(kim.page.locator(".replying")).to_contain_text("second")
    expect(kim.page.locator("#say")).to_be_focused()
    kim.page.keyboard.press("Escape")
    expect(kim.page.locator(".replying")).to_have_count(0)


def test_a_muted_person_is_not_shown_and_can_be_shown_again(room: tuple[Person, Person]) -> None:
    ann, kim = room
    kim.say("noise")
    ann.choose("noise", "Mute Kim for me")
    expect(ann.line("noise")).to_have_count(0)
    ann.page.get_by_role("button", name="Settings of this browser").click()
    ann.page.get_by_role("button", name="Unmute").click()
    ann.page.keyboard.press("Escape")
    expect(ann.line("noise")).to_be_visible()


def test_a_screen_reader_hears_of_new_messages(room: tuple[Person, Person]) -> None:
    ann, kim = room
    status = kim.page.locator(".chat [aria-live=polite]")
    ann.say("good evening")
    expect(status).to_contain_text("Ann: good evening")
    assert kim.page.get_by_role("log").get_attribute("aria-live") == "off"


def test_a_deleted_channel_says_so_at_once(room: tuple[Person, Person]) -> None:
    ann, kim = room
    kim.say("still readable")
    expect(ann.line("still readable")).to_be_visible()
    ann.change_channel("DELETE")
    for person in room:
        stage = person.page.locator(".stage")
        expect(stage.get_by_role("heading")).to_have_text("This channel is gone")
        expect(stage.get_by_role("link", name="All channels")).to_be_visible()
        expect(person.page.locator("#say")).to_have_count(0)
        expect(person.line("still readable")).to_be_visible()
    kim.page.locator(".stage").get_by_role("link", name="All channels").click()
    kim.page.wait_for_url("**/")


def test_a_new_title_is_shown_at_once(room: tuple[Person, Person]) -> None:
    ann, kim = room
    ann.change_channel("PATCH", {"title": "Lake Crossing"})
    expect(kim.page.locator(".about h1")).to_have_text("Lake Crossing")
    expect(kim.page).to_have_title("Lake Crossing · Cascade")


def test_equal_display_names_are_told_apart(room: tuple[Person, Person], new_person: New) -> None:
    ann, kim = room
    bob = new_person("Bob")
    bob.sign_up()
    bob.rename("ANN")
    bob.enter("lobby")
    bob.say("send me your password")
    fake = kim.line("send me your password")
    expect(fake.locator(".line-handle")).to_have_text("@bob")
    expect(fake.locator(".line-name")).to_have_attribute("title", "@bob")
    ann.say("that was not me")
    expect(kim.line("that was not me").locator(".line-handle")).to_have_count(0)
    fake.hover()
    fake.locator(".line-more").click()
    expect(kim.page.get_by_role("menu")).to_contain_text("@bob")
