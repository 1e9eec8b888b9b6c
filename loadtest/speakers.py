"""Clients that say something: publishers on a schedule, a closed loop of senders, a probe.

Owns sending and the bookkeeping of acknowledgements. Refuses to know how replies are read (client.py) and
what the figures are for (scenarios/).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from loadtest import stamps
from loadtest.client import Body, Client
from loadtest.crowd import SECOND, Crowd
from loadtest.link import READY

_IN_FLIGHT = 60  # the server's default is 64 commands of a connection


@dataclass(slots=True)
class Acks:
    """What became of commands: latencies (ns, from the moment they were due) and refusals by code."""

    latencies: list[int] = field(default_factory=list[int])
    refused: Counter[str] = field(default_factory=Counter[str])
    sent: int = 0
    head: int = 0  # the highest position of a published message

    def reply(self, body: Body, took_ns: int) -> None:
        """One reply came."""
        if body["ok"]:
            self.latencies.append(took_ns)
            position = body["d"].get("pos")
            if position is not None and position[1] > self.head:
                self.head = position[1]
        else:
            self.refused[body["err"]["code"]] += 1


@dataclass(slots=True)
class Pump:
    """Open loop: sends texts of `size` characters at `offsets` (ns from `start`), in turn by `clients`.

    A message that is late because the server owes replies to every client is sent when one is free, and its
    latency counts from when it was due: a slow server cannot slow the measurement down.
    """

    crowd: Crowd
    clients: Sequence[Client]
    channels: Sequence[str]
    offsets: Sequence[int]
    size: int = 120
    acks: Acks = field(default_factory=Acks)
    held_back: int = 0
    _at: int = 0
    _turn: int = 0
    _start: int = 0

    def start(self, start_ns: int) -> None:
        """Begins at `start_ns` of the monotonic clock."""
        self._start = start_ns
        self._arm()

    @property
    def finished(self) -> bool:
        """Everything was sent, and every reply came."""
        return self._at == len(self.offsets) and not any(client.pending for client in self.clients)

    def _arm(self) -> None:
        if self._at < len(self.offsets):
            self.crowd.at(self._start + self.offsets[self._at], self._send)

    def _send(self, now: int) -> None:
        while self._at < len(self.offsets) and self._start + self.offsets[self._at] <= now:
            client = self._free()
            if client is None:
                self.held_back += 1
                self.crowd.at(now + 1_000_000, self._send)
                return
            self._say(client, self._start + self.offsets[self._at])
            self._at += 1
            now = time.monotonic_ns()
        self._arm()

    def _free(self) -> Client | None:
        for _ in self.clients:
            client = self.clients[self._turn % len(self.clients)]
            self._turn += 1
            if client.state == READY and len(client.pending) < _IN_FLIGHT:
                return client
        return None

    def _say(self, client: Client, due: int) -> None:
        text = stamps.stamped(time.monotonic_ns(), self.size, self._at)
        channel = self.channels[self._at % len(self.channels)]
        client.publish(channel, text, lambda body, now: self.acks.reply(body, now - due))
        self.acks.sent += 1


@dataclass(slots=True)
class ClosedLoop:
    """Each client keeps `window` sends unanswered: the most that the server will acknowledge."""

    clients: Sequence[Client]
    channel: str
    window: int
    size: int = 120
    acks: Acks = field(default_factory=Acks)
    acknowledged_ns: list[int] = field(default_factory=list[int])
    running: bool = False

    def start(self) -> None:
        """Fills every client's window."""
        self.running = True
        for client in self.clients:
            for _ in range(self.window):
                self._say(client)

    def _say(self, client: Client) -> None:
        sent = time.monotonic_ns()
        self.acks.sent += 1

        def replied(body: Body, now: int) -> None:
            self.acks.reply(body, now - sent)
            self.acknowledged_ns.append(now)
            if self.running:
                self._say(client)

        client.publish(self.channel, stamps.stamped(sent, self.size, self.acks.sent), replied)

    def best(self, window_s: float = 1.0) -> float:
        """Acknowledged a second in the best stretch of `window_s` seconds."""
        width, times, best, low = int(window_s * SECOND), self.acknowledged_ns, 0, 0
        for high, at in enumerate(times):
            while times[low] <= at - width:
                low += 1
            best = max(best, high - low + 1)
        return best / window_s


@dataclass(slots=True)
class Probe:
    """One client that sends a command, waits for its reply, waits `gap_ns`, and so on, in its own room.

    Every other command is a `msg.send` (durable) and every other a `room.state` (read).
    """

    crowd: Crowd
    client: Client
    channel: str
    gap_ns: int = 20_000_000
    writes: Acks = field(default_factory=Acks)
    reads: Acks = field(default_factory=Acks)
    running: bool = True
    _turn: int = 0

    def start(self) -> None:
        """Begins at once; ends when `running` is False."""
        self.crowd.at(time.monotonic_ns(), self._ask)

    def _ask(self, now: int) -> None:
        if not self.running or self.client.state != READY:
            return
        self._turn += 1
        acks = self.writes if self._turn % 2 else self.reads
        acks.sent += 1

        def replied(body: Body, at: int) -> None:
            acks.reply(body, at - now)
            self.crowd.at(at + self.gap_ns, self._ask)

        if self._turn % 2:
            self.client.publish(self.channel, f"probe {self._turn}", replied)
        else:
            self.client.command("room.state", self.channel, {}, replied)
