"""Owns `cascade serve`: from good settings to a running server, and what is said on the way.

Refuses to know what the application is made of (`app`) and how sockets are served (`server`).
"""

from __future__ import annotations

import argparse
import asyncio
import logging

from chatcore.log.database import Database, DatabaseUnavailable
from web import __version__, logs
from web.app import Application, build
from web.cli_care import prepare_data
from web.cli_parts import Failed
from web.pages import AssetsMissing
from web.server import ListenError
from web.server import serve as run_server
from web.settings import Settings

log = logging.getLogger("cascade")


def serve(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to stop. Failed if the data folder or the port can't be had."""
    logs.configure(settings.log.level, settings.log.format)
    prepare_data(settings.data)
    if not settings.limits.enabled:
        log.warning(
            "RATE LIMITS ARE OFF (CASCADE_LIMITS=off): for load tests only, anybody can flood this server"
        )
    try:
        asyncio.run(_open_once(settings))
        app = build(settings)
        run_server(
            app,
            host=settings.host,
            port=settings.port,
            drain=app.state.drain,
            drain_seconds=float(settings.drain_seconds),
            on_listening=lambda address: _listening(app, address, settings, demo=arguments.demo),
        )
    except (ListenError, DatabaseUnavailable, AssetsMissing) as error:
        raise Failed(str(error)) from None
    return 0


async def _open_once(settings: Settings) -> None:
    """Have the database in hand once before serving: what is wrong with it is then one line and no traceback."""
    await (await Database.open(settings.database_path)).close()


def add_demo(parser: argparse.ArgumentParser) -> None:
    """The flag that is no setting: it makes things up."""
    parser.add_argument(
        "--demo", action="store_true", help="add a channel @demo with a few scripted chatters"
    )


def _listening(app: Application, address: str, settings: Settings, *, demo: bool) -> None:
    log.info("Cascade %s (%s) is at %s", __version__, settings.mode, settings.public_url or address)
    if demo:
        app.play_demo(address)
