"""Owns `cascade serve`: from good settings to a running server, and what is said on the way.

Refuses to know what the application is made of (`app`) and how sockets are served (`server`).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from chatcore.log.database import Database, DatabaseUnavailable
from chatcore.log.port import Unavailable
from web import __version__, logs
from web.app import Application, build
from web.cli_care import prepare_data
from web.cli_parts import Failed
from web.pages import AssetsMissing
from web.server import ListenError
from web.server import serve as run_server
from web.settings import Settings

log = logging.getLogger("cascade")

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def serve(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to stop. Failed if the data folder or the port can't be had."""
    logs.configure(settings.log.level, settings.log.format)
    prepare_data(settings.data)
    if not settings.limits.enabled:
        log.warning(
            "RATE LIMITS ARE OFF (CASCADE_LIMITS=off): for load tests only, anybody can flood this server"
        )
    start = None
    try:
        asyncio.run(_open_once(settings))
        app = build(settings)
        start = Start(app)
        run_server(
            start,
            host=settings.host,
            port=settings.port,
            drain=app.state.drain,
            drain_seconds=float(settings.drain_seconds),
            on_listening=lambda address: _listening(app, address, settings, demo=arguments.demo),
        )
    except (ListenError, DatabaseUnavailable, AssetsMissing) as error:
        raise Failed(str(error)) from None
    except SystemExit:
        if start is None or start.failure is None:
            raise
        raise Failed(f"The server could not start: {start.failure}") from None
    return 0


class Start:
    """The application, but that an outside cause of a failed start is kept to be told in one sentence.

    uvicorn would print a traceback of it. Anything else than an outside cause is a bug, whose traceback is wanted.
    """

    def __init__(self, app: Application) -> None:
        self.failure: Exception | None = None
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """ASGI. A coroutine function: by that uvicorn knows which ASGI it is."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
        else:
            await self._live(scope, receive, send)

    async def _live(self, scope: Message, receive: Receive, send: Send) -> None:
        kept: list[Message] = []

        async def say(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                kept.append(message)  # sent below, with or without its traceback
            else:
                await send(message)

        try:
            await self._app(scope, receive, say)
        except (OSError, sqlite3.Error, DatabaseUnavailable, Unavailable) as error:
            self.failure = error
            await send({"type": "lifespan.startup.failed"})
        except Exception:
            for message in kept:
                await send(message)
            raise


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
