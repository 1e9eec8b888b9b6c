"""Starting and stopping the process: clear words, the application first, nobody holds the exit."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.wire.rig import REQUEST
from web.server import ListenError, serve

ROOT = Path(__file__).resolve().parents[3]


class Process:
    """A running stopping_app; its lines are read as they come."""

    def __init__(self, drain_s: float, bound_s: float) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.wire.stopping_app", str(drain_s), str(bound_s)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.port = int(self.line("http://127.0.0.1:").rpartition(":")[2])

    def line(self, start: str) -> str:
        """The next line, which has to begin like this."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline().rstrip()
        assert line.startswith(start), line
        return line

    def connect(self, path: bytes) -> socket.socket:
        sock = socket.socket()
        sock.settimeout(10)
        if path == b"/stuck":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", self.port))
        sock.sendall(REQUEST.replace(b"/ws", path))
        self.line("connected")
        return sock

    def terminate(self) -> None:
        self.popen.send_signal(signal.SIGTERM)

    def exit_after(self, began: float) -> float:
        self.popen.wait(15)
        return time.monotonic() - began


@contextmanager
def process(drain_s: float, bound_s: float) -> Generator[Process]:
    running = Process(drain_s, bound_s)
    try:
        yield running
    finally:
        running.popen.kill()
        running.popen.wait()
        if running.popen.stdout is not None:
            running.popen.stdout.close()


def rest(sock: socket.socket) -> bytes:
    data = b""
    try:
        while more := sock.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return data


def test_sigterm_with_a_stuck_reader_ends_within_three_seconds() -> None:
    with process(0, 5) as running, closing(running.connect(b"/stuck")):
        began = time.monotonic()
        running.terminate()
        for line in ("draining", "drained", "lifespan over"):
            running.line(line)
        assert running.exit_after(began) < 3.0


def test_the_application_speaks_before_its_sockets_close() -> None:
    with process(0.2, 5) as running, closing(running.connect(b"/ws")) as sock:
        running.terminate()
        running.line("draining")
        data = rest(sock)
        assert data.index(b"goaway") < data.index((4001).to_bytes(2, "big") + b"draining")


def test_new_connections_are_taken_while_the_application_drains_and_refused_after() -> None:
    with process(1.0, 5) as running:
        running.terminate()
        running.line("draining")
        with closing(running.connect(b"/ws")):
            running.line("drained")
        assert running.popen.wait(15) == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running.port))


def test_a_drain_has_a_bound_and_a_second_signal_ends_it() -> None:
    with process(60, 0.3) as running:
        began = time.monotonic()
        running.terminate()
        running.line("draining")
        running.line("lifespan over")
        assert running.exit_after(began) < 3.0
    with process(60, 60) as running:
        began = time.monotonic()
        running.terminate()
        running.line("draining")
        running.terminate()
        running.line("lifespan over")
        assert running.exit_after(began) < 3.0


def test_a_port_in_use_is_said_with_the_remedy() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=rf"port {port} is in use: .* --port"):
            serve(None, host="127.0.0.1", port=port)


def test_a_host_that_is_not_here_is_said_with_the_remedy() -> None:
    with pytest.raises(ListenError, match=r"host '192\.0\.2\.1' is no address of this machine.*--host"):
        serve(None, host="192.0.2.1", port=0)
    with pytest.raises(ListenError, match=r"host 'no\.such\.name\.invalid' is not a name.*--host"):
        serve(None, host="no.such.name.invalid", port=0)


@pytest.mark.skipif(os.name != "posix", reason="low ports are free for all elsewhere")
def test_a_port_that_needs_more_rights_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(sock: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")

    class Refusing(socket.socket):
        bind = refuse

    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises(ListenError, match=r"port 80 needs more rights.*--port"):
        serve(None, host="127.0.0.1", port=80)


def test_a_name_that_has_an_address_this_machine_lacks_is_served_at_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def both(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        ]

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "enough is known"})

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(SystemExit):
        serve(failing, host="localhost", port=0)
