"""The bots of examples/ against a real server: they answer, and after a restart they answer what they missed.

It runs the files as a reader of them would, and knows nothing of their inside.
"""

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.client import Client
from tests.support.rest import Rest
from tests.support.server import ROOT, CascadeServer, clean_environment, serving
from tests.support.waiting import eventually

EXAMPLES = ROOT / "examples"


@pytest.fixture
def server(tmp_path: Path) -> Generator[CascadeServer]:
    """A server of its own, because it is restarted."""
    with serving(tmp_path, flags=["--drain-seconds", "2"]) as running:
        yield running


def test_the_python_bot_is_short_and_needs_websockets_only() -> None:
    lines = (EXAMPLES / "bot.py").read_text("utf-8").splitlines()
    assert len(lines) < 40
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import", "from"))}
    assert imported - set(sys.stdlib_module_names) == {"websockets"}


async def test_the_python_bot_answers_and_resumes_after_a_restart(server: CascadeServer) -> None:
    await answers_and_resumes(server, [sys.executable, str(EXAMPLES / "bot.py")])


async def test_the_javascript_bot_answers_and_resumes_after_a_restart(
    server: CascadeServer, node: str
) -> None:
    await answers_and_resumes(server, [node, str(EXAMPLES / "bot.mjs")])


async def test_without_a_token_the_bot_comes_as_a_guest(server: CascadeServer) -> None:
    rest, channel = Rest(server.url), "@lobby"
    boss = rest.signup("boss")
    ch = rest.call("POST", "/api/channels", {"title": "Lobby", "slug": "lobby"}, token=boss.token)["id"]
    command = [sys.executable, str(EXAMPLES / "bot.py")]
    with running(server, command, channel, token=None):
        client = await entered(server, boss.token, ch)
        await hello(client, ch, "boss")
        await client.close()
    rest.close()


async def answers_and_resumes(server: CascadeServer, command: list[str]) -> None:
    """A bot with a token greets, is cut off by a restart, and greets once whoever said hello meanwhile."""
    rest = Rest(server.url)
    boss = rest.signup("boss")
    ch = rest.call("POST", "/api/channels", {"title": "Lobby", "slug": "lobby"}, token=boss.token)["id"]
    made = {"kind": "bot", "name": "hello", "channels": [ch], "scopes": ["msg.send"]}
    token = rest.call("POST", "/api/tokens", made, token=boss.token)["token"]
    with running(server, command, "@lobby", token=token):
        client = await entered(server, boss.token, ch)
        await hello(client, ch, "boss")
        await asyncio.to_thread(server.restart)
        client = await entered(server, boss.token, ch)
        await hello(client, ch, "boss")
        greetings = [
            event["d"]["text"] for event in (await client.history(ch))["events"] if event["t"] == "msg.new"
        ]
        assert greetings == ["!hello", "Hello, boss!"] * 2
        await client.close()
    rest.close()


async def entered(server: CascadeServer, token: str, ch: str) -> Client:
    """A connection that has joined the room."""
    client = await Client.connect(server.url)
    await client.auth(token=token)
    await client.join(ch)
    return client


async def hello(client: Client, ch: str, name: str) -> None:
    """Say hello when the bot is there (or was, and will resume), and see its answer."""

    async def bot_is_known() -> bool:
        page = await client.ask("room.who", {}, ch)
        said = await client.history(ch, kinds=["msg.new"])
        return len(page["items"]) > 1 or bool(said["events"])

    await eventually(bot_is_known, "the bot joins", deadline=20)
    mark = client.mark()
    await client.say(ch, "!hello")
    await client.event("msg.new", start=mark, text=f"Hello, {name}!", deadline=30)


@contextmanager
def running(server: CascadeServer, command: list[str], channel: str, *, token: str | None) -> Generator[None]:
    """The bot as a child process; it must still run at the end."""
    env = clean_environment({"CASCADE_TOKEN": token} if token else None)
    address = f"{server.url.replace('http', 'ws', 1)}/ws"
    log = server.folder / "bot.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, address, channel], env=env, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield
        assert process.poll() is None, log.read_text("utf-8")
    except AssertionError as failed:
        raise AssertionError(f"{failed}\nbot: {log.read_text('utf-8')[-2000:]}") from None
    finally:
        process.terminate()
        process.wait(10)
