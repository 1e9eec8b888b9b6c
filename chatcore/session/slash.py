"""Owns commands typed as chat: what `/word …` means as a command of the protocol. Pure (protocol 6)."""

from __future__ import annotations

import re
from collections.abc import Callable

from chatcore.room.messages import bare
from schemas import commands as c
from schemas.errors import Refused
from schemas.values import Payload

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def is_command(text: str) -> bool:
    """Whether a sent text is a command, which is never posted. Blanks before it make no difference."""
    shown = bare(text)
    return shown.startswith("/") and not shown.startswith("//")


def literal(text: str) -> str:
    """The text to post: `//x` is the text `/x`."""
    if "//" not in text:
        return text
    shown = bare(text)
    return shown[1:] if shown.startswith("//") else text


def parse(text: str) -> Payload:
    """The command that a text beginning with `/` stands for. Raises Refused not_found, bad_request."""
    word, _, rest = text[1:].partition(" ")
    make = _COMMANDS.get(word.lower())
    if make is None:
        known = ", ".join(f"/{name}" for name in sorted(_COMMANDS))
        raise Refused(
            "not_found",
            f"There is no command /{word}; there are {known}. Begin with // to post it.",
            field="d.text",
            d={"what": "command", "command": word},
        )
    return make(rest.split())


def _user(words: list[str], usage: str) -> str:
    if not words:
        raise _usage(usage)
    return words[0] if words[0].startswith(("@", "u_", "g_")) else f"@{words[0]}"


def _seconds(word: str, usage: str) -> int:
    match = re.fullmatch(r"(\d{1,8})([smhdw]?)", word.lower())
    if match is None or not 1 <= int(match[1]) * _UNITS[match[2] or "s"] <= 31_536_000:
        raise _usage(usage)
    return int(match[1]) * _UNITS[match[2] or "s"]


def _usage(usage: str) -> Refused:
    return Refused("bad_request", f"Use it as {usage}.", field="d.text", d={"reason": "usage"})


def _reason(words: list[str]) -> str | None:
    return " ".join(words) or None


def _timeout(words: list[str]) -> Payload:
    usage = "/timeout @name 10m reason"
    user = _user(words, usage)
    seconds = _seconds(words[1], usage) if len(words) > 1 else 600
    return c.ModTimeout(user=user, seconds=seconds, reason=_reason(words[2:]))


def _ban(words: list[str]) -> Payload:
    return c.ModBan(user=_user(words, "/ban @name reason"), reason=_reason(words[1:]))


def _slow(words: list[str]) -> Payload:
    seconds = _seconds(words[0], "/slow 30") if words else 30
    if seconds > 3600:
        raise _usage("/slow 30 (at most an hour)")
    return c.ModeSet(name="slow", value=seconds)


def _role(role: str) -> Callable[[list[str]], Payload]:
    def make(words: list[str]) -> Payload:
        return c.RoleGrant(user=_user(words, f"/{role[:3]} @name"), role=role)  # pyright: ignore[reportArgumentType] - from the table below

    return make


def _unrole(word: str) -> Callable[[list[str]], Payload]:
    return lambda words: c.RoleRevoke(user=_user(words, f"/{word} @name"))


_COMMANDS: dict[str, Callable[[list[str]], Payload]] = {
    "timeout": _timeout,
    "untimeout": lambda words: c.ModUntimeout(user=_user(words, "/untimeout @name")),
    "ban": _ban,
    "unban": lambda words: c.ModUnban(user=_user(words, "/unban @name")),
    "slow": _slow,
    "slowoff": lambda _: c.ModeSet(name="slow", value=0),
    "mod": _role("moderator"),
    "vip": _role("vip"),
    "unmod": _unrole("unmod"),
    "unvip": _unrole("unvip"),
}
