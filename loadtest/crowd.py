"""The crowd: thousands of clients on one epoll loop, what is due when, and what went wrong.

Owns the loop. Publishers and probes are watched by an epoll of their own that is served between small slices
of the bulk, so that their latencies tell of the server and not of the crowd's own work. Refuses to know what
is measured: scenarios say who joins, who speaks and when. Linux only (epoll).
"""

from __future__ import annotations

import heapq
import resource
import select
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from loadtest.client import Client
from loadtest.digest import Reader
from loadtest.link import READY, Address, Link, Plan
from loadtest.tally import Tally

_SLICE = 32  # bulk clients read before urgent ones and the clock are looked at again
SECOND = 1_000_000_000


class Crowd:
    """Clients of one server. `tally` collects deliveries while it is not None."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.tally: Tally | None = None
        self.faults: Counter[str] = Counter()
        self.lost = 0
        self.twice = 0
        self.clients: list[Client] = []
        self.reader = Reader()
        self.lags: list[int] = []  # how late (ns) what was due was done: the crowd's own slowness
        self._urgent_reader = Reader()
        self._by_socket: dict[int, Link] = {}
        self._bulk = select.epoll()
        self._urgent = select.epoll()
        self._bulk.register(self._urgent.fileno(), select.EPOLLIN)
        self._due: list[tuple[int, int, Callable[[int], None]]] = []
        self._serial = 0
        self._opening: list[Client] = []
        self._in_flight: set[Link] = set()
        self._parallel = 0

    def add(self, plan: Plan) -> Client:
        """A new client, not connected yet."""
        reader = self._urgent_reader if plan.urgent else self.reader
        client = Client(self, self.address, plan, reader)
        self.clients.append(client)
        return client

    def open(self, clients: Iterable[Client], *, parallel: int = 64, within: float = 60.0) -> float:
        """Connects `clients`, at most `parallel` on their way at once; seconds until all were ready.

        Raises RuntimeError if one failed or the time (`within` s) ran out.
        """
        waiting = list(clients)
        self._opening = waiting[::-1]
        self._parallel = parallel
        start = time.monotonic_ns()
        self._open_more()
        self.run(within, lambda: not self._opening and not self._in_flight)
        self._opening = []
        self._in_flight.clear()
        ready = sum(client.state == READY for client in waiting)
        if ready < len(waiting):
            raise RuntimeError(
                f"{len(waiting) - ready} of {len(waiting)} clients are not there: {self.why()}"
            )
        return (time.monotonic_ns() - start) / SECOND

    def why(self) -> str:
        """The commonest faults, in words."""
        return ", ".join(f"{reason} ({count})" for reason, count in self.faults.most_common(4)) or "no fault"

    def _open_more(self) -> None:
        while self._opening and len(self._in_flight) < self._parallel:
            client = self._opening.pop()
            self._in_flight.add(client)
            client.open()

    def settled(self, client: Link) -> None:
        """A client became ready or died: the next one may come."""
        if client in self._in_flight:
            self._in_flight.discard(client)
            self._open_more()

    def watch(self, client: Link, *, writing: bool) -> None:
        """Wakes `client` for reading, and for writing if `writing`."""
        sock = client.sock
        assert sock is not None, "a client without a socket asks for nothing"
        mask = 0 if client.stalled else select.EPOLLIN
        if writing:
            mask |= select.EPOLLOUT
        epoll = self._urgent if client.plan.urgent else self._bulk
        if self._by_socket.get(sock.fileno()) is client:
            epoll.modify(sock.fileno(), mask)
        else:
            self._by_socket[sock.fileno()] = client
            epoll.register(sock.fileno(), mask)

    def forget(self, descriptor: int) -> None:
        """Closing a socket takes it out of epoll by itself."""
        self._by_socket.pop(descriptor, None)

    def stall(self, client: Client) -> None:
        """From now on `client` reads nothing; it still notices when the connection is reset."""
        client.stalled = True
        self.watch(client, writing=False)

    def unstall(self, client: Client) -> None:
        """`client` reads again, if it is still connected."""
        client.stalled = False
        if client.sock is not None:
            self.watch(client, writing=False)

    def at(self, due_ns: int, action: Callable[[int], None]) -> None:
        """Runs `action(now ns)` at `due_ns` of the monotonic clock, or as soon after as the loop can."""
        self._serial += 1
        heapq.heappush(self._due, (due_ns, self._serial, action))

    def run(self, seconds: float, done: Callable[[], bool] | None = None) -> bool:
        """Serves all for `seconds`, or until `done()`; whether `done` ended it."""
        until = time.monotonic_ns() + int(seconds * SECOND)
        while True:
            now = self._act()
            if done is not None and done():
                return True
            if now >= until:
                return False
            self._serve(self._urgent.poll(0, 64))
            wake = min(until, self._due[0][0]) if self._due else until
            self._serve(self._bulk.poll(max(0.0, min(0.05, (wake - now) / SECOND)), _SLICE))

    def _act(self) -> int:
        """Does what is due; the time."""
        now = time.monotonic_ns()
        while self._due and self._due[0][0] <= now:
            due, _, action = heapq.heappop(self._due)
            if self.tally is not None:
                self.lags.append(now - due)
            action(now)
            now = time.monotonic_ns()
        return now

    def _serve(self, events: Sequence[tuple[int, int]]) -> None:
        for descriptor, mask in events:
            client = self._by_socket.get(descriptor)
            if client is None:
                continue
            if client.stalled:
                client.die("reset while stalled")
                continue
            if mask & select.EPOLLOUT:
                client.writable()
            if mask & ~select.EPOLLOUT:
                client.readable()

    def close(self) -> None:
        """Closes all connections and the loop."""
        for client in self.clients:
            client.close()
        self._urgent.close()
        self._bulk.close()

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def allow_files() -> int:
    """Raises the limit of open files as far as the system allows; the limit then in force."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
