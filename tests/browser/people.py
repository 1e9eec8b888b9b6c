"""One person in front of a page, in the words of the interface: sign up, make a channel, say, read.

Owns the few selectors that tests share and the list of faults that the page reported. Refuses to know
servers and what is asserted.
"""

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

PASSWORD = "a long enough sentence"

#: A refused request is part of several tests; the browser reports each as an error of its own.
EXPECTED = "Failed to load resource"
#: What a browser says while the server is being restarted.
OFFLINE = ("WebSocket connection to", "net::ERR_")


class Person:
    """Someone at a page; `faults` are the page's uncaught errors and console errors."""

    def __init__(self, name: str, page: Page) -> None:
        self.name = name
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._console)

    def _console(self, message: ConsoleMessage) -> None:
        known = message.text.startswith(EXPECTED) or any(part in message.text for part in OFFLINE)
        if message.type == "error" and not known:
            self.faults.append(message.text)

    def sign_up(self) -> None:
        """By the page, as a newcomer does."""
        page = self.page
        page.goto("/signup")
        page.get_by_label("Your name", exact=True).fill(self.name)
        page.get_by_label("E-mail").fill(f"{self.name.lower()}@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("form.sheet").get_by_role("button", name="Sign up").click()
        page.wait_for_url("**/")

    def make_channel(self, title: str, slug: str) -> str:
        """Makes a channel in the control center; returns the stream key that it shows once."""
        page = self.page
        page.goto("/studio#new")
        page.get_by_label("Title").fill(title)
        page.get_by_label("Address").fill(slug)
        page.get_by_role("button", name="Make a channel").click()
        key = page.get_by_label("Stream key", exact=True).and_(page.locator("input"))
        expect(key).to_be_visible()
        return key.input_value()

    def make_bot(self, name: str) -> str:
        """Makes a bot for all own channels; returns its token."""
        body = {"kind": "bot", "name": name, "channels": ["*"], "scopes": ["msg.send"]}
        made = self.page.evaluate(
            """async (body) => (await fetch("/api/tokens", {
                method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body),
            })).json()""",
            body,
        )
        return made["token"]

    def change_channel(self, method: str, body: dict[str, str] | None = None) -> None:
        """PATCH or DELETE of the channel `lobby` by the page's own session."""
        self._ask(method, "/api/channels/@lobby", body)

    def rename(self, display_name: str) -> None:
        """Takes another display name, by the page's own session."""
        self._ask("PATCH", f"/api/users/@{self.name.lower()}", {"displayName": display_name})

    def _ask(self, method: str, path: str, body: dict[str, str] | None) -> None:
        status = self.page.evaluate(
            """async ([method, path, body]) => (await fetch(path, {
                method, ...(body && { headers: {"content-type": "application/json"}, body: JSON.stringify(body) }),
            })).status""",
            [method, path, body],
        )
        assert status < 300, (method, path, status)

    def enter(self, slug: str) -> None:
        """Opens a channel and waits until its room is there."""
        self.page.goto(f"/@{slug}")
        self.page.locator(".log").wait_for()

    def become_guest(self) -> None:
        """Gives a name in place of an account."""
        self.page.get_by_label("Your name as a guest").fill(self.name)
        self.page.get_by_role("button", name="Join the chat").click()
        expect(self.page.locator("#say")).to_be_focused()

    def say(self, text: str) -> None:
        """Types and sends, without waiting for the outcome."""
        self.page.locator("#say").fill(text)
        self.page.locator("#say").press("Enter")

    def send_directly(self, text: str) -> None:
        """One message by the page's own session but not by its composer: quicker, for filling a room."""
        self.page.evaluate(
            """async (text) => {
                const post = (path, body) => fetch(path, {
                    method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body),
                });
                const { id } = await (await fetch("/api/channels/@lobby")).json();
                await post(`/api/channels/${id}/chat`, { text });
            }""",
            text,
        )

    def choose(self, text: str, item: str) -> None:
        """Opens the menu of the line with `text` and takes one item."""
        line = self.line(text).last
        line.hover()
        line.locator(".line-more").click()
        self.page.get_by_role("menuitem", name=item).click()

    def reply_to(self, text: str, answer: str) -> None:
        """Replies to the line with `text`, by its menu."""
        self.choose(text, "Reply")
        expect(self.page.locator(".replying")).to_be_visible()
        self.say(answer)

    def line(self, text: str) -> Locator:
        """The lines of chat that say `text`; one that only quotes it is none."""
        return self.page.locator(".line[data-mid]").filter(has=self.page.locator(".line-text", has_text=text))

    def texts(self) -> list[str]:
        """All published lines, oldest first."""
        return self.page.locator(".line[data-mid] .line-text").all_inner_texts()
