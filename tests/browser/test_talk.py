"""People and a bot in one room, through a restart of the server: nothing lost, nothing twice."""

import json
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from tests.browser.people import Person
from tests.support.server import CascadeServer

pytestmark = pytest.mark.slow

New = Callable[..., Person]


class Bot:
    """A bot with a token of its own, by the wire's own words; it comes back after a restart."""

    def __init__(self, server: CascadeServer, token: str) -> None:
        self._url = f"ws://127.0.0.1:{server.port}/ws"
        self._token = token
        self._connection = ExitStack()
        self.come_back()

    def come_back(self) -> None:
        self.leave()
        self._socket = self._connection.enter_context(connect(self._url))
        self._id = 0
        self._ask("auth", {"token": self._token})
        self._ch = self._ask("room.join", {}, ch="@lobby")["ch"]

    def say(self, text: str) -> None:
        self._ask("msg.send", {"text": text}, ch=self._ch)

    def leave(self) -> None:
        self._connection.close()

    def _ask(self, t: str, d: dict[str, object], ch: str | None = None) -> dict[str, str]:
        self._id += 1
        self._socket.send(json.dumps({"id": self._id, "t": t, "d": d, **({"ch": ch} if ch else {})}))
        while True:
            frame = json.loads(self._socket.recv(timeout=10))
            if frame.get("re") == self._id:
                assert frame["ok"], frame
                return frame["d"]


@pytest.fixture
def room(new_person: New, server: CascadeServer) -> tuple[Person, Person]:
    ann, kim = new_person("Ann"), new_person("Kim")
    ann.sign_up()
    ann.make_channel("River Rafting", "lobby")
    ann.enter("lobby")
    kim.enter("lobby")
    kim.become_guest()
    return ann, kim


def test_two_people_and_a_bot_talk_through_a_restart(
    room: tuple[Person, Person], server: CascadeServer
) -> None:
    ann, kim = room
    bot = Bot(server, ann.make_bot("Botty"))
    said: list[str] = []

    def round_of(part: str) -> None:
        for i in range(5):
            for say, who in ((ann.say, "ann"), (kim.say, "kim"), (bot.say, "bot")):
                said.append(f"{part} {i} {who}")
                say(said[-1])
        for person in room:
            expect(person.line(said[-1])).to_be_visible()
            expect(person.page.locator(".line-pending")).to_have_count(0)

    round_of("before")
    server.kill9()
    expect(ann.page.locator(".connection")).to_contain_text("Reconnecting")
    ann.say("written while the server was away")
    said.append("written while the server was away")
    expect(ann.page.locator(".line-pending")).to_have_count(1)
    server.start()
    for person in room:
        expect(person.line("written while")).to_be_visible(timeout=30_000)
        expect(person.page.locator(".connection")).to_be_empty(timeout=30_000)
    bot.come_back()
    round_of("after")
    for person in room:
        texts = person.texts()
        assert sorted(texts) == sorted(said)
    assert ann.texts() == kim.texts()
    bot.leave()


def test_a_planned_restart_loses_nothing_either(room: tuple[Person, Person], server: CascadeServer) -> None:
    ann, kim = room
    ann.say("one")
    expect(kim.line("one")).to_be_visible()
    server.restart()
    kim.say("two")
    expect(ann.line("two")).to_be_visible(timeout=30_000)
    assert ann.texts() == kim.texts() == ["one", "two"]
