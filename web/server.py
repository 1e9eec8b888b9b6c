"""The server process: listening, running, and stopping in order.

Owns: uvicorn with our WebSocket protocol, clear words when a port can't be had, and the planned stop: the
application speaks first, then the listeners close, then the sockets, and no stuck one holds the exit.
Refuses to know: what the application is, and where settings come from.
"""

import asyncio
import contextlib
import errno
import gc
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import uvicorn

from web.http_protocol import PatientHttp
from web.ws_upgrade import configured

_log = logging.getLogger(__name__)

_PENDING_CONNECTIONS = 4096
"""Connections that the kernel may hold for us: five thousand come back at once after a restart."""
_ACCEPTS_PER_TURN = 64
"""Connections accepted in one turn of the loop; asyncio would take as many as may be pending."""
_COLLECTOR = (10_000, 10, 20)
"""Thresholds of the garbage collector: cycles are rare here (failed requests), passes are not free."""
_REQUESTS_S = 2
"""What requests in progress have when the server stops."""


class ListenError(Exception):
    """No socket to listen on. The message names the fault and the remedy, for a person at a terminal."""


def serve(
    app: Any,
    *,
    host: str,
    port: int,
    drain: Callable[[], Awaitable[None]] | None = None,
    drain_seconds: float = 30.0,
    send_buffer: int = 64 * 1024,
    max_message: int = 64 * 1024,
    on_listening: Callable[[str], None] | None = None,
) -> None:
    """Serve an ASGI application until SIGINT or SIGTERM, then stop in order.

    `drain` is awaited first at a stop, at most `drain_seconds`; a second signal cuts it short. Port 0 takes
    any free port; `on_listening` is told the address ("http://127.0.0.1:8080") once requests are answered.
    `send_buffer` is SO_SNDBUF of a WebSocket, `max_message` the bytes of an inbound message (1009 above).
    Raises ListenError before the application starts, SystemExit(3) if its start-up fails.
    """
    with contextlib.closing(_Sockets(host, port)) as listening:
        server = make_server(
            app,
            drain=drain,
            drain_seconds=drain_seconds,
            send_buffer=send_buffer,
            max_message=max_message,
        )

        def started() -> None:
            _settle_memory()
            if on_listening is not None:
                on_listening(listening.address)

        server.on_listening = started
        server.run(sockets=listening.sockets)
    if not server.started:
        raise SystemExit(3)


def make_server(
    app: Any,
    *,
    drain: Callable[[], Awaitable[None]] | None = None,
    drain_seconds: float = 30.0,
    send_buffer: int = 64 * 1024,
    max_message: int = 64 * 1024,
) -> "DrainingServer":
    """The server that `serve` runs, for whoever has a loop and bound sockets of his own."""
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=PatientHttp,
        ws=configured(send_buffer=send_buffer),
        ws_max_size=max_message,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_ACCEPTS_PER_TURN,
        timeout_graceful_shutdown=_REQUESTS_S,
    )
    return DrainingServer(config, drain, drain_seconds)


class DrainingServer(uvicorn.Server):
    """uvicorn's server with an order to its end."""

    def __init__(
        self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]] | None, drain_seconds: float
    ) -> None:
        super().__init__(config)
        self._drain = drain
        self._drain_seconds = drain_seconds
        self._hurry = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.on_listening: Callable[[], None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn: start the application, then listen."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        for sock in sockets or ():
            # asyncio passes one number to listen() and to its accept loop. The first may be large, the
            # second must not: it is how long everybody else waits in a storm of reconnects.
            sock.listen(_PENDING_CONNECTIONS)
        if self.started and self.on_listening is not None:
            self.on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn: the stop. The application first, while its sockets still work."""
        if self._drain is not None and not self.force_exit:
            await self._let_drain(self._drain)
        await super().shutdown(sockets=sockets)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """uvicorn: a signal came; the second one ends the drain, a further Ctrl+C everything."""
        stopping = self.should_exit
        super().handle_exit(sig, frame)
        # uvicorn would raise them again when it is done, and what follows `serve` would never run.
        self._captured_signals.clear()
        if stopping and self._loop is not None:
            # From a signal handler: without a word to the loop it would sleep until the bound is reached.
            self._loop.call_soon_threadsafe(self._hurry.set)

    async def _let_drain(self, drain: Callable[[], Awaitable[None]]) -> None:
        _log.info(
            "stopping: connections have up to %g s to move; signal again to stop now", self._drain_seconds
        )
        work = asyncio.ensure_future(drain())
        hurry = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait((work, hurry), timeout=self._drain_seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, hurry):
            task.cancel()
        results = await asyncio.gather(work, hurry, return_exceptions=True)
        if isinstance(results[0], Exception):
            _log.error("the drain failed", exc_info=results[0])


def _settle_memory() -> None:
    """What start-up made lives until the end: keep the collector from walking it again and again. Each
    connection adds some twenty objects that live long, so full passes are what a busy node would wait for."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR)


class _Sockets:
    """Bound sockets for one host and port: one for each address family the name has."""

    def __init__(self, host: str, port: int) -> None:
        self.sockets: list[socket.socket] = []
        self._host = host
        try:
            self._bind_all(host, port)
        except OSError as fault:
            self.close()
            raise ListenError(_words(fault, host, port)) from fault

    def _bind_all(self, host: str, port: int) -> None:
        absent: OSError | None = None
        for family, address in _addresses(host, port):
            # Port 0: all families share the port that the first one got.
            taken = self.sockets[0].getsockname()[1] if self.sockets and port == 0 else address[1]
            try:
                self.sockets.append(_bind(family, (address[0], taken, *address[2:])))
            except OSError as fault:
                # "localhost" is ::1 too, also where the machine has no IPv6.
                if fault.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                absent = fault
        if not self.sockets and absent is not None:
            raise absent

    @property
    def address(self) -> str:
        """How a browser on this machine reaches us."""
        port = self.sockets[0].getsockname()[1]
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._host, self._host)  # noqa: S104 - compared, not bound
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{port}"

    def close(self) -> None:
        for sock in self.sockets:
            sock.close()


def _addresses(host: str, port: int) -> Iterable[tuple[int, tuple[Any, ...]]]:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return dict.fromkeys((family, address) for family, _, _, _, address in found)


def _bind(family: int, address: tuple[Any, ...]) -> socket.socket:
    # Named as TCP, since asyncio switches Nagle off only on sockets that say so.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        # Two servers may bind one port as long as neither listens: the second is told here, not later.
        sock.listen(_ACCEPTS_PER_TURN)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def _words(fault: OSError, host: str, port: int) -> str:
    if isinstance(fault, socket.gaierror):
        return f"host {host!r} is not a name or address of this machine: use --host 127.0.0.1"
    if fault.errno == errno.EADDRINUSE:
        return f"port {port} is in use: stop what listens there, or use --port with another number"
    if fault.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has: use --port with a number above 1023"
    if fault.errno == errno.EADDRNOTAVAIL:
        return f"host {host!r} is no address of this machine: use --host 127.0.0.1, or 0.0.0.0 for all"
    return f"cannot listen on {host}:{port}: {fault.strerror or fault}"
