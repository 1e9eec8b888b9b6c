"""Commands typed as chat: what is one, what it means, what is posted instead (protocol 6)."""

import pytest

from chatcore.session.slash import is_command, literal, parse
from schemas import commands as c
from schemas.values import Payload
from tests.unit.room.world import refused


@pytest.mark.parametrize(
    ("text", "command", "posted"),
    [
        ("/ban bob", True, "/ban bob"),
        ("  /ban bob", True, "  /ban bob"),
        ("\u202e/ban bob", True, "\u202e/ban bob"),
        ("\u3000/ban bob", True, "\u3000/ban bob"),
        ("/", True, "/"),
        ("//ban bob", False, "/ban bob"),
        ("  //x ", False, "/x"),
        ("\u2066//x", False, "/x"),
        ("///x", False, "//x"),
        ("hi /ban bob", False, "hi /ban bob"),
        ("see https://a.example", False, "see https://a.example"),
        ("", False, ""),
    ],
)
def test_what_is_a_command_and_what_is_posted(text: str, command: bool, posted: str) -> None:
    assert is_command(text) == command
    assert literal(text) == posted


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/timeout bob", c.ModTimeout("@bob", 600)),
        ("/timeout @bob 10m stop it", c.ModTimeout("@bob", 600, "stop it")),
        ("/timeout u_9 30", c.ModTimeout("u_9", 30)),
        ("/timeout g_4 2H", c.ModTimeout("g_4", 7200)),
        ("/timeout   bob   1d", c.ModTimeout("@bob", 86_400)),
        ("/timeout bob 52w", c.ModTimeout("@bob", 31_449_600)),
        ("/TimeOut bob 1s", c.ModTimeout("@bob", 1)),
        ("/untimeout bob", c.ModUntimeout("@bob")),
        ("/ban bob", c.ModBan("@bob")),
        ("/ban bob selling coins", c.ModBan("@bob", reason="selling coins")),
        ("/unban @bob", c.ModUnban("@bob")),
        ("/slow", c.ModeSet("slow", 30)),
        ("/slow 5", c.ModeSet("slow", 5)),
        ("/slow 1h", c.ModeSet("slow", 3600)),
        ("/slowoff", c.ModeSet("slow", 0)),
        ("/mod bob", c.RoleGrant("@bob", "moderator")),
        ("/vip bob", c.RoleGrant("@bob", "vip")),
        ("/unmod bob", c.RoleRevoke("@bob")),
        ("/unvip bob", c.RoleRevoke("@bob")),
    ],
)
def test_what_a_command_means(text: str, command: Payload) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    ("text", "word"), [("/dance now", "dance"), ("/", ""), ("/ ban bob", ""), ("/ban! bob", "ban!")]
)
def test_an_unknown_one_is_not_found_and_says_which_there_are(text: str, word: str) -> None:
    refusal = refused(lambda: parse(text))
    assert (refusal.code, refusal.field) == ("not_found", "d.text")
    assert refusal.d == {"what": "command", "command": word}
    assert "/timeout" in refusal.message


@pytest.mark.parametrize(
    "text",
    [
        "/timeout",
        "/timeout bob soon",
        "/timeout bob 0",
        "/timeout bob -5",
        "/timeout bob 53w",
        "/timeout bob 10y",
        "/timeout bob 999999999",
        "/untimeout",
        "/ban",
        "/unban",
        "/slow 2h",
        "/slow 0",
        "/slow fast",
        "/mod",
        "/vip",
        "/unmod",
        "/unvip",
    ],
)
def test_a_wrong_use_is_told_the_right_one(text: str) -> None:
    refusal = refused(lambda: parse(text))
    assert (refusal.code, refusal.field, refusal.d) == ("bad_request", "d.text", {"reason": "usage"})
    assert refusal.message.startswith(f"Use it as {text.split(maxsplit=1)[0]}")
