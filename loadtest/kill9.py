"""kill -9 under load, again and again: what was acknowledged must be in the log, once, and in order.

Owns the harness: senders with `idem` that resend what was not answered, watchers that resume by position, a
server that is killed at random moments (now and then while it starts), and the final reading of the whole
log. Refuses to know the server's inside: it sees the socket, the REST door and the process id.

SIGKILL takes the process, not the machine: what the kernel has, it writes. Whether `fsync` keeps its word when
the power goes is not shown here.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.client import Body, Client
from loadtest.crowd import Crowd, allow_files
from loadtest.digest import Run
from loadtest.link import DEAD, Plan
from loadtest.server import Process, Rest, cascade
from loadtest.verdict import Ack, Report, text_of

_SENDERS = 6  # half of them accounts, half guests
_WATCHERS = 2
_ROOMS = 2
_WINDOW = 4
_PAGE = 200
_EARLY = 0.1  # share of kills that hit a server which is still starting


@dataclass(slots=True)
class Sender:
    """Says 1, 2, 3… in one room, and says again, with the same `idem`, what a crash left unanswered."""

    name: str
    client: Client
    room: str
    faults: Counter[str]
    said: int = 0
    unanswered: dict[int, str] = field(default_factory=dict[int, str])
    acknowledged: dict[int, Ack] = field(default_factory=dict[int, Ack])
    duplicates: int = 0
    identity: str = ""
    resting: bool = False

    def begin(self) -> None:
        """After (re)connecting: first what is owed, in its order, then new messages."""
        if self.identity and self.client.user != self.identity:
            self.faults[f"{self.name} came back as somebody else"] += 1
        self.identity = self.client.user
        for number in list(self.unanswered):
            self._send(number)
        self._fill()

    def _fill(self) -> None:
        while not self.resting and len(self.unanswered) < _WINDOW:
            self.said += 1
            self.unanswered[self.said] = f"{self.name}-{self.said}"
            self._send(self.said)

    def _send(self, number: int) -> None:
        idem = self.unanswered[number]
        d: Body = {"text": text_of(self.name, number), "idem": idem}
        self.client.command("msg.send", self.room, d, lambda body, _now: self._replied(number, body))

    def _replied(self, number: int, body: Body) -> None:
        if not body["ok"]:
            self.faults[f"refused: {body['err']['code']}"] += 1
            return
        d = body["d"]
        if d["outcome"] not in ("published", "duplicate"):
            self.faults[f"outcome {d['outcome']}"] += 1
            return
        self.duplicates += d["outcome"] == "duplicate"
        epoch, n = d["pos"]
        self.acknowledged[number] = Ack(str(epoch), int(n), str(d["mid"]))
        self.unanswered.pop(number, None)
        self._fill()


@dataclass(slots=True)
class Harness:
    """One server on one data folder, its senders and watchers, through many deaths."""

    data: Path
    source: random.Random
    report: Report
    process: Process = field(init=False)
    crowd: Crowd = field(init=False)
    senders: list[Sender] = field(default_factory=list[Sender])
    watchers: list[Client] = field(default_factory=list[Client])
    rooms: list[str] = field(default_factory=list[str])
    rest: Rest = field(init=False)
    seen: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])

    def prepare(self) -> None:
        """First start: an administrator, rooms, accounts; the clients are planned, not connected."""
        self.process = cascade(self.data)
        self.report.slowest_start_s = self.process.start()
        self.rest = Rest(self.process.port)
        self.rest.sign_up("owner")
        self.rooms = [self.rest.channel(f"kill-{n}") for n in range(_ROOMS)]
        self.crowd = Crowd(self.process.address)
        for n in range(_SENDERS):
            name, room = f"sender{n}", self.rooms[n % _ROOMS]
            token = str(self.rest.sign_up(name)["token"]) if n < _SENDERS // 2 else None
            plan = Plan(guest=None if token else name, token=token, rooms=(room,), urgent=True)
            self.senders.append(Sender(name, self.crowd.add(plan), room, self.crowd.faults))
        for n in range(_WATCHERS):
            watcher = self.crowd.add(Plan(guest=f"watcher {n}", rooms=tuple(self.rooms)))
            watcher.on_run = self._saw
            self.watchers.append(watcher)

    def _saw(self, run: Run) -> None:
        for n, mid in run.mids:
            self.seen[run.stream[0], n] = mid

    def live(self, seconds: float) -> None:
        """Everybody comes (back) and speaks for `seconds`."""
        self.crowd.open([sender.client for sender in self.senders] + self.watchers, within=30)
        for sender in self.senders:
            sender.begin()
        self.crowd.run(seconds)

    def die(self) -> None:
        """SIGKILL, and everybody notices."""
        self.process.kill()
        clients = [sender.client for sender in self.senders] + self.watchers
        if not self.crowd.run(10.0, lambda: all(client.state == DEAD for client in clients)):
            raise RuntimeError("a connection outlived its server")
        expected = ("closed", "read: ECONNRESET", "write: EPIPE", "write: ECONNRESET")
        for reason in expected:
            self.crowd.faults.pop(reason, None)
        self.report.points += 1

    def rise(self) -> None:
        """Starts the server again; now and then it is killed while starting, and started once more."""
        if self.source.random() < _EARLY:
            self.process.launch()
            time.sleep(self.source.uniform(0.0, 0.6))
            self.process.kill()
            self.report.early += 1
        self.report.slowest_start_s = max(self.report.slowest_start_s, self.process.start())

    def finish(self) -> None:
        """Everybody returns once more and every send is answered; then the whole log is read and judged."""
        for sender in self.senders:
            sender.resting = True
        self.crowd.open([sender.client for sender in self.senders] + self.watchers, within=30)
        for sender in self.senders:
            sender.begin()
        if not self.crowd.run(10.0, lambda: not any(sender.unanswered for sender in self.senders)):
            self.crowd.faults["sends without an answer at the end"] += 1
        for room in self.rooms:
            acknowledged = {s.name: s.acknowledged for s in self.senders if s.room == room}
            seen = {n: mid for (channel, n), mid in self.seen.items() if channel == room}
            self.report.judge(self._log(room), acknowledged, seen)
        self.report.watcher_lost += self.crowd.lost
        self.report.watcher_twice += self.crowd.twice
        self.report.resent_duplicates += sum(sender.duplicates for sender in self.senders)
        for fault, count in self.crowd.faults.items():
            self.report.faults[fault] = self.report.faults.get(fault, 0) + count

    def _log(self, room: str) -> list[Body]:
        """All events of the room's stream, by pages, from the first to the head of now."""
        events: list[Body] = []
        after, more = 0, True
        while more:
            d = {"s": "room", "after": after, "limit": _PAGE}
            page = self.rest.call("POST", "/api/commands/history", {"ch": room, "d": d})
            events += page["events"]
            more = bool(page["more"]) and bool(page["events"])
            after = int(events[-1]["pos"][1]) if events else 0
        return events

    def close(self) -> None:
        """Ends the server and the crowd."""
        self.crowd.close()
        self.process.stop()


def run(points: int, seed: int, *, per_folder: int = 50, longest_s: float = 0.6) -> Report:
    """Kills a server `points` times; a fresh data folder after each `per_folder`. Repeatable but for timing."""
    report, begin = Report(), time.monotonic()
    source = random.Random(seed)
    left = points
    while left > 0:
        data = Path(tempfile.mkdtemp(prefix="kill9-"))
        harness = Harness(data, source, report)
        try:
            harness.prepare()
            for _ in range(min(left, per_folder)):
                harness.live(source.uniform(0.02, longest_s))
                harness.die()
                harness.rise()
            harness.finish()
        finally:
            harness.close()
            shutil.rmtree(data, ignore_errors=True)
        left -= per_folder
    report.seconds = time.monotonic() - begin
    return report


def main(argv: Sequence[str] | None = None) -> int:
    """The long mode by hand; 0 if every promise was kept."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.kill9", description="Kills a server under load."
    )
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-folder", type=int, default=50)
    options = parser.parse_args(argv)
    allow_files()
    report = run(options.points, options.seed, per_folder=options.per_folder)
    print(json.dumps(dataclasses.asdict(report), indent=1))
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
