"""Owns the sub-commands that look after an installation: migrate, doctor, backup, config.

Refuses to know accounts and rooms; what the tables mean is the migrations' business.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from chatcore.log.migrate import SchemaTooNew, migrations
from chatcore.log.migrate import migrate as migrate_connection
from web import settings as own
from web.cli_parts import Failed, say
from web.setting_sources import env_of, flag_of

_MIB: Final = 1024 * 1024
_LITTLE_SPACE: Final = 512 * _MIB
_OLDEST_SQLITE: Final = (3, 35, 0)
#: 2026-01-01: no copy of this program has run before it, so an earlier clock is wrong.
_RELEASED: Final = 1_767_225_600


def prepare_data(folder: Path) -> None:
    """Make the data folder, for its owner alone, and see that it can be written. Raises Failed."""
    remedy = "Choose another with --data, or make it writable for the user who runs cascade."
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Failed(f"data: the folder {folder} can't be written ({error.strerror}). {remedy}") from None


def migrate(arguments: argparse.Namespace, settings: own.Settings) -> int:
    """Run the migrations that the database has not seen."""
    del arguments
    prepare_data(settings.data)
    with closing(sqlite3.connect(settings.database_path, isolation_level=None, timeout=5)) as connection:
        try:
            applied = migrate_connection(connection)
        except SchemaTooNew as error:
            raise Failed(str(error)) from None
    for name in applied:
        say(f"applied {name}")
    say(f"The database {settings.database_path} is at schema {migrations()[-1].number}.")
    return 0


def backup_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `backup`."""
    parser.add_argument("file", type=Path, help="where to write the copy; it must not exist yet")


def backup(arguments: argparse.Namespace, settings: own.Settings) -> int:
    """Copy the database as of one moment with SQLite's online backup, check the copy, then give it its name."""
    source, target = settings.database_path, arguments.file
    if not source.exists():
        raise Failed(f"There is no database at {source}; say where with --data.")
    if target.exists():
        raise Failed(f"{target} is there already; choose another name, a backup is never written over.")
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as original,
            closing(sqlite3.connect(unfinished)) as copy,
        ):
            unfinished.chmod(0o600)
            original.backup(copy)
            (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise Failed(f"The copy is damaged ({verdict}); run `cascade doctor`.")
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)
    say(f"Wrote {target} ({target.stat().st_size / _MIB:.1f} MiB). To restore, stop the server and put it in")
    say(f"place of {source} (without the -wal and -shm files beside it).")
    return 0


# -- config ------------------------------------------------------------------------------------------------


def config_show(arguments: argparse.Namespace, settings: own.Settings) -> int:
    """Print each setting in force as TOML, and in a comment where it comes from unless it is the default."""
    del arguments
    section = ""
    for name, about in own.declared().items():
        own_section, _, short = name.rpartition(".")
        if own_section != section:
            section = own_section
            say(f"\n[{section}]")
        value = _value(settings, name)
        standard = about.default_in(settings.mode)
        note = "" if value == standard else f"  # {flag_of(name, about)}, {env_of(name, about)} or the file"
        say(f"{short} = {about.kind.show(value)}{note}")
    return 0


def config_check(arguments: argparse.Namespace, settings: own.Settings) -> int:
    """The settings were loaded to get here, so they are good."""
    del arguments, settings
    say("The settings are good.")
    return 0


def config_sample(arguments: argparse.Namespace, settings: own.Settings) -> int:
    """Print the sample file."""
    del arguments, settings
    sys.stdout.write(own.sample_file())
    return 0


def _value(settings: own.Settings, name: str) -> Any:
    found: Any = settings
    for part in name.split("."):
        found = getattr(found, part)
    return found


# -- doctor ------------------------------------------------------------------------------------------------

Finding = tuple[str, str]
"""("ok" | "warn" | "bad", what was found and what to do about it)."""


def doctor(arguments: argparse.Namespace, settings: own.Settings) -> int:
    """Print what was found; exit code 1 if something would keep the server from running."""
    del arguments
    worst = 0
    for check in (_python, _sqlite, _data, _database, _port, _clock, _files, _outside):
        for grade, text in check(settings):
            say(f"{grade:<5}{text}")
            worst = max(worst, int(grade == "bad"))
    return worst


def _python(settings: own.Settings) -> Iterator[Finding]:
    del settings
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield "ok", f"Python {version}"


def _sqlite(settings: own.Settings) -> Iterator[Finding]:
    del settings
    good = sqlite3.sqlite_version_info >= _OLDEST_SQLITE
    wanted = ".".join(str(part) for part in _OLDEST_SQLITE)
    yield (
        ("ok" if good else "bad"),
        f"SQLite {sqlite3.sqlite_version}" + ("" if good else f"; {wanted} is needed"),
    )


def _data(settings: own.Settings) -> Iterator[Finding]:
    try:
        prepare_data(settings.data)
    except Failed as failed:
        yield "bad", str(failed)
        return
    free = shutil.disk_usage(settings.data).free
    yield "ok", f"the data folder {settings.data.resolve()} can be written"
    if free < _LITTLE_SPACE:
        yield "warn", f"only {free // _MIB} MiB are free there; a full disk stops all writing"
    if settings.data.stat().st_mode & 0o007:
        yield "warn", f"every user of this machine may look into it; `chmod o= {settings.data}` prevents that"


def _database(settings: own.Settings) -> Iterator[Finding]:
    if not settings.database_path.exists():
        yield "ok", "no database yet; the first start makes one"
        return
    try:
        with closing(sqlite3.connect(f"file:{settings.database_path}?mode=ro", uri=True)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        yield "bad", f"the database can't be read ({error}); restore a backup"
        return
    newest = migrations()[-1].number
    if verdict != "ok":
        yield "bad", f"the database is damaged ({verdict}); restore a backup"
    elif version > newest:
        yield "bad", f"the database has schema {version}, this version knows {newest}; run the newer version"
    else:
        later = "" if version == newest else f"; the next start brings it to {newest}"
        yield "ok", f"the database is whole and at schema {version}{later}"


def _port(settings: own.Settings) -> Iterator[Finding]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        problem = error.strerror or str(error)
        yield (
            "warn",
            f"port {settings.port} on {settings.host} can't be had ({problem}): is a server running?",
        )
        return
    yield "ok", f"port {settings.port} on {settings.host} is free"


def _clock(settings: own.Settings) -> Iterator[Finding]:
    now = time.time()
    newest = settings.database_path.stat().st_mtime if settings.database_path.exists() else 0
    if now < _RELEASED:
        yield "bad", "the clock is years slow; set it, for sign-ins and times depend on it"
    elif now < newest - 2:
        yield "bad", "the clock is behind the last write of the database; set it (NTP does it by itself)"
    else:
        yield "ok", f"the clock says {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(now))}"


def _files(settings: own.Settings) -> Iterator[Finding]:
    del settings
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096 and hard != resource.RLIM_INFINITY:
        yield "warn", f"{hard} open files are allowed, so about {hard - 100} connections; raise LimitNOFILE"
    else:
        yield (
            "ok",
            f"{soft} open files allowed, {'any number' if hard == resource.RLIM_INFINITY else hard} at most",
        )


def _outside(settings: own.Settings) -> Iterator[Finding]:
    if not settings.production:
        yield "ok", 'development mode; for others to use it, set mode = "production"'
        return
    if not settings.public_url.startswith("https://"):
        yield "warn", "public_url is no https address; sign-ins and chat would be readable on the way"
    if not settings.trusted_proxies and settings.host in ("127.0.0.1", "::1", "localhost"):
        yield "warn", "trusted_proxies is empty; behind a proxy everybody would count as one address"
    yield "ok", "production mode"
