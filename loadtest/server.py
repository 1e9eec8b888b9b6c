"""The servers under load: starts them on a core of their own, finds out when they answer, ends them.

Owns processes, the pinning to cores and the setting up of accounts and channels over REST. Refuses to know
the crowd. A server gets a fresh data folder, which is removed with it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from loadtest.link import Address

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
Body = dict[str, Any]


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def on_cores(cores: set[int]) -> Generator[None]:
    """Runs the block, and what it starts, on `cores`, whatever this process is pinned to itself.

    No effect where none of them may be used.
    """
    before = os.sched_getaffinity(0)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(slots=True)
class Process:
    """A server process: `command` is run in the repository with `environment` added."""

    name: str
    command: Sequence[str]
    port: int
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    core: int = 0
    child: subprocess.Popen[bytes] | None = None
    output: Path | None = None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self.child is not None, "the server was started"
        return self.child.pid

    @property
    def address(self) -> Address:
        """Where its socket is."""
        return Address(HOST, self.port)

    def start(self, *, within: float = 20.0) -> float:
        """Starts it; seconds until it takes connections. Raises RuntimeError with its last words otherwise."""
        begin = time.monotonic()
        child = self.launch()
        while not self._answers():
            if child.poll() is not None or time.monotonic() - begin > within:
                raise RuntimeError(f"{self.name} does not start: {self.last_words()}")
            time.sleep(0.005)
        return time.monotonic() - begin

    def launch(self) -> subprocess.Popen[bytes]:
        """Starts it and does not wait."""
        handle, name = tempfile.mkstemp(prefix="server-", suffix=".log")
        self.forget_output()
        self.output = Path(name)
        with on_cores({self.core}), os.fdopen(handle, "wb") as out:
            self.child = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self._environment(),
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )
        return self.child

    def _environment(self) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("CASCADE_")}
        return {**inherited, "PYTHONPATH": str(ROOT), **self.environment}

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((HOST, self.port)) == 0

    def last_words(self) -> str:
        """The end of what it printed."""
        text = self.output.read_text(errors="replace") if self.output else ""
        return text[-2000:] or "it said nothing"

    def kill(self) -> None:
        """SIGKILL: the process has no time for anything."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            self.child = None

    def stop(self, *, within: float = 10.0) -> None:
        """SIGTERM, and SIGKILL if it does not end within `within` seconds."""
        if self.child is not None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(within)
            except subprocess.TimeoutExpired:
                self.kill()
            self.child = None
        self.forget_output()

    def forget_output(self) -> None:
        """Removes the file with what it printed."""
        if self.output is not None:
            self.output.unlink(missing_ok=True)
            self.output = None


def cascade(data: Path, *, port: int | None = None, core: int = 0) -> Process:
    """The server of this repository, without rate limits, with its data in `data`."""
    port = port or free_port()
    command = [sys.executable, "-m", "web", "serve", "--host", HOST, "--port", str(port), "--data", str(data)]
    environment = {"CASCADE_LIMITS": "off", "CASCADE_MODE": "development"}
    return Process("cascade", command, port, environment, core)


class Rest:
    """The few REST calls that set a run up. Each raises RuntimeError if it is not answered by 2xx."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token: str | None = None

    def sign_up(self, name: str) -> Body:
        """A new account (the first one is the administrator); its token is used from then on."""
        body = {
            "displayName": name,
            "name": name,
            "email": f"{name}@example.com",
            "password": "correct horse 7",
        }
        reply = self.call("POST", "/api/auth/signup", body)
        self.token = self.token or str(reply["token"])
        return reply

    def channel(self, slug: str) -> str:
        """A new channel; its id."""
        return str(self.call("POST", "/api/channels", {"title": slug, "slug": slug})["id"])

    def call(self, method: str, path: str, body: Body | None = None) -> Body:
        """One request with a JSON body and the Bearer token."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=20)
        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {text[:400].decode(errors='replace')}")
        return cast("Body", json.loads(text)) if text else {}
