"""Owns the command `cascade`: its sub-commands, how faults are told, and the exit codes.

Refuses to do the work of any: `cli_serve`, `cli_care` and `cli_people` do, once the settings are good.
Exit codes: 0 done, 1 could not be done (the reason is on standard error), 2 called wrongly.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import Refused
from web import __version__, cli_care, cli_people, cli_serve
from web import settings as own
from web.cli_parts import Command, Failed, add_commands, say
from web.setting_sources import SettingsFault

_EPILOG = """\
`cascade COMMAND --help` says more of a command. Settings come from flags, else from CASCADE_* variables of the
environment, else from cascade.toml; `cascade config sample` prints that file with all of them explained."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return the exit code. Only help and wrong usage raise SystemExit."""
    parser = argparse.ArgumentParser(
        prog="cascade",
        description="A self-hosted live-streaming community server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=_version())
    add_commands(parser, COMMANDS)
    arguments, rest = parser.parse_known_args(argv)
    strange = [word for word in rest if not word.startswith("--")]
    if rest and (arguments.settings == "none" or (strange and len(strange) == len(rest))):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return arguments.run(arguments, _settings(arguments, rest))
    except SettingsFault as fault:
        return _tell_faults(fault)
    except Refused as refused:
        where = f"{refused.field}: " if refused.field else ""
        print(f"cascade: {where}{refused.message}", file=sys.stderr)
    except BrokenPipeError:  # whoever read the output has seen enough
        sys.stderr.close()
    except (Failed, sqlite3.Error, OSError) as failed:
        print(f"cascade: {failed}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _settings(arguments: argparse.Namespace, rest: list[str]) -> own.Settings:
    """The settings of this call. Flags that argparse does not know are handed on, to be told with the rest."""
    if arguments.settings == "none":
        return own.defaults()
    environ = own.environment()
    known = own.declared()
    flags = {name: value for name, value in vars(arguments).items() if name in known and value is not None}
    flags |= {word.partition("=")[0]: word for word in rest if word.startswith("--")}
    return own.load(flags, environ, own.find_file(arguments.config, environ, Path.cwd()))


def _tell_faults(fault: SettingsFault) -> int:
    what = "A setting" if len(fault.faults) == 1 else f"{len(fault.faults)} settings"
    print(f"cascade: {what} can't be used:", file=sys.stderr)
    for each in fault.faults:
        print(f"  {each}", file=sys.stderr)
    return 2


def _version() -> str:
    python = ".".join(str(part) for part in sys.version_info[:3])
    return f"cascade {__version__} (Python {python}, SQLite {sqlite3.sqlite_version})"


def _say_version(arguments: argparse.Namespace, settings: own.Settings) -> int:
    del arguments, settings
    say(_version())
    return 0


COMMANDS = (
    Command(
        "serve",
        "Run the server until it is told to stop (Ctrl-C, SIGTERM).",
        cli_serve.serve,
        "all",
        cli_serve.add_demo,
    ),
    Command("migrate", "Bring the database to this version's schema.\nThe server does so itself when it starts; "
            "this is for doing it beforehand.", cli_care.migrate),
    Command("doctor", "Look for what would keep the server from running well here.", cli_care.doctor, "all"),
    Command(
        "backup",
        "Copy the database to a file, while the server runs or not.\nThe copy is one moment's state and checked.",
        cli_care.backup,
        more=cli_care.backup_arguments,
    ),
    Command(
        "config",
        "Show and check settings.",
        children=(
            Command("show", "Print the settings in force and where each comes from.", cli_care.config_show, "all"),
            Command("check", "Check the settings and say all that is wrong with them.", cli_care.config_check, "all"),
            Command("sample", "Print a settings file with every setting explained.", cli_care.config_sample, "none"),
        ),
    ),
    cli_people.USER,
    cli_people.TOKEN,
    Command("version", "Print the version.", _say_version, "none"),
)  # fmt: skip
