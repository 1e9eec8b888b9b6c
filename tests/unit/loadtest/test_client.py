"""One client of the crowd, over a socket pair: what it says, and what it notices about positions."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from loadtest import frames
from loadtest.client import Client
from loadtest.digest import Reader
from loadtest.link import DEAD, OPEN, READY, Address, Link, Plan
from loadtest.tally import Tally
from tests.unit.loadtest.test_digest import chunk, message
from tests.unit.loadtest.test_frames import server_frame


class World:
    """What a crowd is to a client, without a loop."""

    def __init__(self) -> None:
        self.tally: Tally | None = Tally()
        self.faults: Counter[str] = Counter()
        self.lost = 0
        self.twice = 0
        self.settled_clients: list[Link] = []

    def watch(self, client: Link, *, writing: bool) -> None:
        """Nobody wakes this client but the test."""

    def forget(self, descriptor: int) -> None:
        """Nothing was remembered."""

    def settled(self, client: Link) -> None:
        self.settled_clients.append(client)


class Pair:
    """A client on one end of a socket pair, the test as its server on the other."""

    def __init__(self, plan: Plan) -> None:
        self.world = World()
        self.client = Client(self.world, Address("127.0.0.1", 1), plan, Reader())
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        self.theirs.settimeout(5)
        self.client.sock, self.client.state = ours, OPEN

    def tell(self, *bodies: dict[str, Any]) -> None:
        self.client.receive(chunk(*bodies), now=100)

    def heard(self) -> list[dict[str, Any]]:
        """All that the client said since the last call."""
        data = self.theirs.recv(65536)
        said: list[dict[str, Any]] = []
        while data:
            size, head = data[1] & 0x7F, 2
            if size == 126:
                size, head = int.from_bytes(data[2:4], "big"), 4
            mask, data = data[head : head + 4], data[head + 4 :]
            said.append(json.loads(frames.masked(data[:size], mask)))
            data = data[size:]
        return said

    def join(self, head: int = 10) -> None:
        """Greets, authenticates and joins `lobby`, which is c_1 at `head`."""
        self.tell({"t": "hello", "d": {}})
        (auth,) = self.heard()
        user = {"id": "g_1"}
        self.tell({"re": auth["id"], "ok": True, "d": {"user": user, "guestToken": "cgt_1", "resumed": []}})
        (join,) = self.heard()
        assert (auth["t"], join["t"], join["ch"]) == ("auth", "room.join", "@lobby")
        self.tell({"re": join["id"], "ok": True, "d": {"ch": "c_1", "pos": ["k", head]}})


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair(Plan(guest="Ann", rooms=("@lobby",)))
    yield made
    made.client.close()
    made.theirs.close()


def test_it_authenticates_joins_and_is_ready(pair: Pair) -> None:
    pair.join()
    assert pair.client.state == READY
    assert pair.world.settled_clients == [pair.client]
    assert (pair.client.user, pair.client.heads) == ("g_1", {("c_1", "room"): 10})


def test_events_in_order_are_delivered_and_nothing_is_wrong(pair: Pair) -> None:
    pair.join()
    pair.tell(message(11, 40), message(12, 50))
    assert (pair.world.lost, pair.world.twice) == (0, 0)
    assert pair.world.tally is not None
    assert pair.world.tally.latencies() == [60, 50]


@pytest.mark.parametrize(
    ("positions", "lost", "twice"),
    [((11, 13), 1, 0), ((11, 11), 0, 1), ((15,), 4, 0), ((11, 12, 9, 13), 0, 1), ((9, 10, 11), 0, 2)],
)
def test_a_gap_is_lost_and_a_step_back_is_twice(
    pair: Pair, positions: tuple[int, ...], lost: int, twice: int
) -> None:
    pair.join()
    pair.tell(*(message(n) for n in positions))
    assert (pair.world.lost, pair.world.twice) == (lost, twice)


def test_a_frame_in_two_pieces_is_one(pair: Pair) -> None:
    pair.join()
    whole = chunk(message(11), message(12))
    for cut in (1, 3, 100):
        pair.client.receive(whole[:cut], 100)
        pair.client.receive(whole[cut:], 100)
        assert pair.client.heads["c_1", "room"] == 12
        pair.client.heads["c_1", "room"] = 10
    assert (pair.world.lost, pair.world.twice) == (0, 0)


def test_pings_of_both_kinds_are_answered(pair: Pair) -> None:
    pair.join()
    pair.tell({"t": "ping", "d": {"now": 1}})
    assert pair.heard() == [{"t": "pong"}]
    pair.client.receive(server_frame(b"{}", frames.PING), 100)
    assert pair.theirs.recv(1) == bytes((0x80 | frames.PONG,))


def test_it_comes_back_with_its_positions_and_its_guest_token(pair: Pair) -> None:
    pair.join()
    pair.tell(message(11))
    pair.client.state = OPEN
    pair.tell({"t": "hello", "d": {}})
    (auth,) = pair.heard()
    assert auth["d"]["guest"] == {"name": "Ann", "token": "cgt_1"}
    assert auth["d"]["resume"] == [{"ch": "c_1", "s": "room", "pos": ["k", 11]}]
    resumed = [{"ch": "c_1", "s": "room", "ok": True}]
    pair.tell({"re": auth["id"], "ok": True, "d": {"user": {"id": "g_1"}, "resumed": resumed}})
    assert pair.client.state == OPEN, "not ready before the missed events came"
    pair.tell(message(12), {"t": "resume.done", "ch": "c_1", "s": "room", "d": {"pos": ["k", 13]}})
    assert pair.client.state == READY
    assert (pair.world.lost, pair.client.resumed) == (1, 1), "13 was promised and did not come"


def test_bye_is_remembered_and_the_end_is_counted(pair: Pair) -> None:
    pair.join()
    pair.tell({"t": "bye", "d": {"close": 4003}})
    pair.theirs.close()
    pair.client.readable()
    assert pair.client.state == DEAD
    assert pair.world.faults == {"bye 4003": 1}


def test_a_refused_join_and_a_broken_frame_are_faults(pair: Pair) -> None:
    pair.tell({"t": "hello", "d": {}})
    (auth,) = pair.heard()
    pair.tell({"re": auth["id"], "ok": False, "err": {"code": "rate_limited"}})
    assert pair.world.faults == {"auth: rate_limited": 1}
    assert pair.client.state == DEAD
