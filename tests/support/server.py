"""Owns a real server as a child process: start, restart, kill, stop, and its log for a failed test.

It knows the command line and /livez, and refuses to know anything inside the server.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without `CASCADE_*`, so that only what a test sets reaches the server."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CASCADE_")}
    path = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **(extra or {})}


def serve_command(*flags: str) -> list[str]:
    """The command line of the server with this interpreter."""
    return [sys.executable, "-m", "web", "serve", *flags]


class CascadeServer:
    """`cascade serve` on a loopback port with its data in `folder`; the port stays the same over restarts."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: bool = True,
        flags: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.flags = list(flags)
        self.env = {**({} if limits else {"CASCADE_LIMITS": "off"}), **(env or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self._log_path = folder / "server.log"

    @property
    def url(self) -> str:
        """The base of REST and pages."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """All that the server has printed, over all its starts."""
        return self._log_path.read_text("utf-8", "replace") if self._log_path.exists() else ""

    def start(self) -> "CascadeServer":
        """Start and wait until /livez answers; AssertionError with the log if it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        flags = ["--host", "127.0.0.1", "--port", str(self.port), "--data", str(self.folder / "data")]
        with self._log_path.open("ab") as log:
            self.process = subprocess.Popen(
                serve_command(*flags, *self.flags),
                cwd=self.folder, env=clean_environment(self.env), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            wait_until(self._answers, "/livez answers", deadline=30.0)
        except AssertionError as late:
            self.kill9()
            raise AssertionError(f"{late}\n{self.log[-4000:]}") from None
        return self

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def restart(self) -> None:
        """Stop as an operator does (SIGTERM) and start again on the same port and data."""
        self.stop()
        self.start()

    def stop(self, *, deadline: float = 40.0) -> int:
        """SIGTERM, then wait; the exit code. AssertionError (and SIGKILL) if it does not end in time."""
        process = self.process
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"no end {deadline} s after SIGTERM\n{self.log[-4000:]}") from None
        finally:
            self.process = None

    def terminate(self) -> None:
        """Only send SIGTERM, for tests of what clients see meanwhile."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def kill9(self) -> None:
        """SIGKILL and reap: what a power cut looks like to the database."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def _answers(self) -> bool:
        if not self.alive():
            raise AssertionError("the server ended while starting")
        try:
            response = httpx2.get(f"{self.url}/livez", timeout=2.0, trust_env=False, verify=False)
        except httpx2.TransportError:
            return False
        return response.status_code == 200


@contextmanager
def serving(
    folder: Path, *, limits: bool = True, flags: Sequence[str] = (), env: Mapping[str, str] | None = None
) -> Generator[CascadeServer]:
    """A running server for the length of a `with`; a traceback in its log fails the test."""
    server = CascadeServer(folder, limits=limits, flags=flags, env=env).start()
    try:
        yield server
    finally:
        if server.process is not None:
            server.stop()
    assert "Traceback" not in server.log, server.log[-6000:]
