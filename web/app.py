"""The composition root: from settings to a running application, top to bottom. Plugs the siblings together (law 1)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette

from chatcore.community.channels import Channels
from chatcore.fanout.duty import DutyRules
from chatcore.fanout.hub import FanoutLimits, Hub
from chatcore.limits import Spec
from chatcore.log.committer import Committer
from chatcore.log.database import Database
from chatcore.log.sqlite import SqliteLog
from chatcore.people.config import PeopleConfig
from chatcore.people.service import People
from chatcore.people.store_sqlite import SqliteStore
from chatcore.room.drafts import Bucket
from chatcore.session.chat import Chat
from chatcore.session.notices import Notices
from chatcore.session.ports import FLOOD, SessionConfig
from chatcore.session.rooms import Rooms
from chatcore.session.sessions import Sessions
from schemas.codec import encode_bye
from schemas.errors import Disconnect
from schemas.ids import new_id
from web import __version__
from web.demo import play
from web.door import Door
from web.errors import exception_handlers
from web.health import Health, health_routes
from web.metrics import Metrics, metrics_routes
from web.pages import page_routes
from web.rest import api_routes
from web.security import middleware
from web.services import Services
from web.settings import Settings
from web.socket import SocketDoor

_LOG = logging.getLogger("cascade")

Scope = dict[str, Any]


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Application:
    """The ASGI application: sockets go straight to the session layer, all else through Starlette."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.http = Starlette(
            routes=[*api_routes(), *health_routes(), *metrics_routes(), *page_routes()],
            middleware=middleware(settings, self.metrics),
            exception_handlers=exception_handlers,
            lifespan=self._lifespan,
        )
        # A redirect would name the host as the client wrote it; an address with a slash too many is a 404.
        self.http.router.redirect_slashes = False
        self.state = self.http.state
        self.state.drain = self.drain
        self._socket: SocketDoor | None = None
        self._services: Services | None = None
        self._demo: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """ASGI."""
        if scope["type"] != "websocket":
            await self.http(scope, receive, send)
        elif scope["path"] == "/ws" and self._socket is not None:
            await self._socket(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.http.response.start", "status": 404, "headers": []})
            await send({"type": "websocket.http.response.body", "body": b"The socket is at /ws.\n"})

    async def drain(self) -> None:
        """The server is told to stop: not ready any more, and everybody is asked to come back."""
        if self._services is not None:
            self._services.health.drain()
            # The server gives up at drain_seconds: the byes have to be said before.
            seconds = self.settings.drain_seconds
            await self._services.sessions.drain(max(seconds - 1.0, seconds / 2))

    def play_demo(self, address: str) -> None:
        """Bring the demo channel to life, until the server stops."""
        if self._services is not None:
            self._demo = asyncio.get_running_loop().create_task(play(self._services, address))

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncGenerator[None]:
        async with running(self.settings, self.metrics) as services:
            app.state.services = self._services = services
            self._socket = SocketDoor(self.settings, services.sessions, services.people.authenticate)
            yield
            if self._demo is not None:
                self._demo.cancel()


def build(settings: Settings) -> Application:
    """The application for these settings; its parts start with its lifespan. Raises AssetsMissing."""
    return Application(settings)


@contextlib.asynccontextmanager
async def running(settings: Settings, metrics: Metrics) -> AsyncGenerator[Services]:
    """All parts, started in the order of their needs and stopped in the reverse. Raises DatabaseUnavailable."""
    async with contextlib.AsyncExitStack() as stack:
        raise_open_files()
        database = await Database.open(settings.database_path)
        stack.push_async_callback(database.close)
        log = await SqliteLog.open(database, now=now_ms, fresh=new_id("x_", now_ms(), os.urandom(8))[-8:])
        people = People(
            SqliteStore(database), clock=now_ms, entropy=os.urandom, config=_people_config(settings)
        )
        await people.start()
        stack.push_async_callback(people.close)
        sessions, chat, rooms, channels = _real_time(settings, database, log, people)
        people.owns_channels = channels.owns_any
        people.forget_messages = _forgetting(chat)
        channels.on_deleted = sessions.room_deleted
        people.on_revoked.append(sessions.revoked)
        people.on_renamed.append(lambda name: rooms.renamed(name.id))
        sessions.start()
        stack.push_async_callback(sessions.stop)
        health = Health(__version__, {"database": _probe(database)})
        services = Services(settings, people, channels, Door(chat, rooms), sessions, health, metrics)
        _measure(metrics, services, rooms, database)
        _announce(people, settings)
        yield services


def raise_open_files() -> None:
    """As many open files as the system lets this process have: one per connection is needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(
            ValueError, OSError
        ):  # some systems name a hard limit that they do not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _real_time(
    settings: Settings, database: Database, log: SqliteLog, people: People
) -> tuple[Sessions, Chat, Rooms, Channels]:
    config = _session_config(settings)
    bye = encode_bye(Disconnect(4003, after_ms=500))
    hub = Hub.on_loop(asyncio.get_running_loop(), bye=bye, limits=_fanout_limits(settings))

    async def find(slug: str) -> str | None:
        return await channels.find(slug)

    rooms = Rooms(log, hub, people, find, now_ms)
    committer = Committer(
        log, room_of=rooms.state_of, follow=rooms.follow, viewers=config.viewers, staff=config.staff
    )
    chat = Chat(rooms, committer, people, config, now_ms, os.urandom)
    channels = Channels(
        database,
        rooms,
        chat,
        people,
        clock=now_ms,
        entropy=os.urandom,
        everyone=settings.accounts.channels == "everyone",
    )
    sessions = Sessions(
        log=log,
        hub=hub,
        rooms=rooms,
        committer=committer,
        people=people,
        chat=chat,
        notices=Notices(log, now_ms, rooms.follow),
        config=config,
        clock=now_ms,
        entropy=os.urandom,
    )
    return sessions, chat, rooms, channels


def _session_config(settings: Settings) -> SessionConfig:
    on, socket, limits = settings.limits.enabled, settings.socket, settings.limits

    def spec(of: Spec) -> Spec | None:
        return of if on else None

    def bucket(of: Spec) -> Bucket | None:
        return Bucket(of.limit, of.window_ms) if on else None

    return SessionConfig(
        server=f"cascade/{__version__}",
        ping_ms=socket.ping_ms,
        pong_ms=socket.pong_ms,
        auth_ms=socket.auth_ms,
        frame=socket.frame_bytes,
        in_flight=socket.in_flight,
        channels=socket.channels,
        resume_events=settings.fanout.resume_events,
        flood=FLOOD if on else None,
        viewers=bucket(limits.send),
        staff=bucket(limits.send_staff),
        refused=spec(limits.attempts),
        join=spec(limits.join),
        query=spec(limits.query),
        mod=spec(replace(limits.query, name="mod")),
        check=spec(replace(limits.query, name="check")),
    )


def _fanout_limits(settings: Settings) -> FanoutLimits:
    return FanoutLimits(
        budget=settings.fanout.recent_mib * 1024 * 1024,
        backlog=settings.socket.backlog_bytes,
        unread_s=settings.socket.backlog_ms / 1000,
        duty=DutyRules(cap=settings.fanout.loop_share),
    )


def _people_config(settings: Settings) -> PeopleConfig:
    accounts = settings.accounts
    signup: Any = accounts.signup  # one of the two words, checked by the settings
    return PeopleConfig(limits=settings.limits.enabled, signup=signup, session_days=accounts.session_days)


def _forgetting(chat: Chat) -> Callable[[str, str], Awaitable[None]]:
    async def forget(user: str, how: str) -> None:
        await chat.forget(user, texts=how == "erase")

    return forget


def _probe(database: Database) -> Callable[[], Awaitable[Any]]:
    async def probe() -> str:
        await database.query("SELECT 1")
        return "ok"

    return probe


def _measure(metrics: Metrics, services: Services, rooms: Rooms, database: Database) -> None:
    hub = services.sessions.hub
    metrics.gauge("cascade_connections", "WebSocket connections.", lambda: len(services.sessions.connections))
    metrics.gauge("cascade_rooms", "Rooms in memory.", lambda: len(rooms.all()))
    metrics.counter("cascade_database_reads", "Reads of the database.", lambda: database.reads)
    metrics.counter("cascade_commits", "Commits of the database.", lambda: database.commits)
    metrics.counter("cascade_deliveries", "Events delivered to connections.", lambda: hub.stats.deliveries)
    metrics.counter("cascade_flushes", "Writes that delivered them.", lambda: hub.stats.flushes)
    metrics.counter("cascade_merged", "Ephemeral events replaced by newer ones.", lambda: hub.stats.merged)
    metrics.counter("cascade_gaps", "Slow readers served from the log.", lambda: hub.stats.gaps)
    metrics.counter(
        "cascade_shed",
        "Readers let go because they did not read.",
        lambda: {"age": hub.stats.shed_age, "bytes": hub.stats.shed_bytes},
        label="why",
    )
    metrics.gauge("cascade_recent_bytes", "Bytes of recent frames in memory.", lambda: hub.stats.ring_bytes)


def _announce(people: People, settings: Settings) -> None:
    code = people.first_run_code()
    if code is not None:
        where = settings.public_url or "the page"
        _LOG.warning("No account yet. The first one, made at %s with this code, administers: %s", where, code)
