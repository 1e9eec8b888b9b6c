"""Owns what all sub-commands share: how one is declared, how it says it failed, how it asks for a password.

Refuses to know which sub-commands there are.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from web import settings as own
from web.setting_sources import flag_of

Run = Callable[[argparse.Namespace, own.Settings], int]
Arguments = Callable[[argparse.ArgumentParser], None]


class Failed(Exception):
    """The command could not do its work; the text says why and what to do about it."""


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command, or a group of them.

    `settings`: a flag for "all" of them, for the "few" that say where the data is, or for none (then `run`
    gets the defaults). `more` adds the command's own arguments.
    """

    name: str
    text: str
    run: Run | None = None
    settings: Literal["all", "few", "none"] = "few"
    more: Arguments | None = None
    children: tuple[Command, ...] = ()


_FEW = ("mode", "data")


def add_commands(parser: argparse.ArgumentParser, commands: tuple[Command, ...]) -> None:
    """Give `parser` these sub-commands, groups with theirs."""
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in commands:
        short = command.text.partition("\n")[0].rstrip(".")
        child = subparsers.add_parser(
            command.name,
            help=short[0].lower() + short[1:],
            description=command.text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if command.children:
            add_commands(child, command.children)
            continue
        child.set_defaults(run=command.run, settings=command.settings, config=None)
        if command.settings == "all":
            child.usage = f"{child.prog} [SETTING …]"
        if command.more:
            command.more(child)
        _add_settings(child, command.settings)


def _add_settings(parser: argparse.ArgumentParser, which: str) -> None:
    if which == "none":
        return
    text = "the settings file (default: CASCADE_CONFIG, else ./cascade.toml where there is one)"
    parser.add_argument("--config", metavar="FILE", help=text)
    groups: dict[str, argparse._ArgumentGroup] = {}  # pyright: ignore[reportPrivateUsage] # argparse names no other
    for name, about in own.declared().items():
        if which == "few" and name not in _FEW:
            continue
        section = name.rpartition(".")[0] or "server"
        group = groups.get(section)
        if group is None:
            group = groups[section] = parser.add_argument_group(section)
        shown = about.kind.show(about.default)
        if about.production is not None:
            shown += f"; in production {about.kind.show(about.production)}"
        text = f"{about.doc} [{shown}]".replace("%", "%%")
        group.add_argument(flag_of(name, about), dest=name, metavar="…", help=text)


def ask_password(from_stdin: bool) -> str:
    """A password typed twice at the terminal, or the first line of standard input. Never a flag: `ps` shows those."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Failed("There is no terminal to ask for the password; pipe it in with --password-stdin.")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise Failed("The two passwords differ; nothing was changed.")
    return first


def say(text: str) -> None:
    """A line for the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
