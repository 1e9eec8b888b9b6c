"""The upper half of a client of the crowd: hello, auth, join, resume, positions, replies.

Owns the client's side of the protocol (schemas/PROTOCOL.md, session and rooms) as far as a crowd needs it.
Refuses to know sockets (link.py), the loop (crowd.py) and what the scenario is about. The hot path is a known
chunk of one room's events: one position check for all of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from loadtest import frames
from loadtest.digest import Control, Digest, Notice, Reader, Run
from loadtest.link import OPEN, READY, Address, Link, Plan, World

Body = dict[str, Any]
OnReply = Callable[[Body, int], None]


class Client(Link):
    """A connection and what it knows; positions and the guest's identity outlive it, as in a browser.

    `heads` is the position by (channel, stream), `lost` and `twice` are counted in its world.
    """

    __slots__ = (
        "_next", "_waiting", "channels", "epochs", "goodbye", "guest_token", "heads", "on_run", "pending", "ready_ns",
        "refused", "resumed", "user",
    )  # fmt: skip

    def __init__(self, world: World, address: Address, plan: Plan, reader: Reader) -> None:
        self.heads: dict[tuple[str, str], int] = {}
        self.epochs: dict[str, str] = {}  # by channel
        self.channels: dict[str, str] = {}  # room as planned -> channel id
        self.on_run: Callable[[Run], None] | None = None
        self.guest_token: str | None = None
        self.user = ""
        super().__init__(world, address, plan, reader)

    def _fresh(self) -> None:
        super()._fresh()
        self._next = 0
        self._waiting = 0  # joins and resumes that are not answered yet
        self.pending: dict[int, OnReply] = {}
        self.goodbye: Body | None = None
        self.ready_ns = 0
        self.resumed = self.refused = 0

    def farewell(self) -> str:
        """`bye` and its code, if the server said it."""
        return "closed" if self.goodbye is None else f"bye {self.goodbye.get('close')}"

    def take(self, digest: Digest, now: int) -> None:
        """Deals with the frames of a chunk, in order."""
        for item in digest.items:
            if type(item) is Run:
                self._run(item, now)
            elif type(item) is Notice:
                self._notice(item.body, now)
            elif type(item) is Control:
                self._control(item)

    def _run(self, run: Run, now: int) -> None:
        head = self.heads.get(run.stream)
        if head is None:
            return
        if run.first == head + 1:
            self.heads[run.stream] = run.last
        else:
            self.world.lost += max(0, run.first - head - 1)
            self.world.twice += max(0, min(run.last, head) - run.first + 1)
            self.heads[run.stream] = max(head, run.last)
        tally = self.world.tally
        if tally is not None and run.stamps and self.plan.counted:
            tally.add(run.stamps, now)
        if self.on_run is not None:
            self.on_run(run)

    def _notice(self, body: Body, now: int) -> None:
        if "re" in body:
            waiting = self.pending.pop(body["re"], None)
            if waiting is not None:
                waiting(body, now)
            else:
                self.world.faults[f"reply to nothing: {body.get('err', {}).get('code')}"] += 1
            return
        kind = body["t"]
        if kind == "ping":
            self.say(b'{"t":"pong"}')
        elif kind == "hello":
            self._authenticate()
        elif kind == "bye":
            self.goodbye = body["d"]
        elif kind == "resume.done" and body.get("s") == "room":
            self._passed(body["ch"], int(body["d"]["pos"][1]))
            self._arrived()
        elif kind == "room.snapshot":
            self._stands(body["ch"], body["d"]["pos"])
            self._arrived()

    def _control(self, item: Control) -> None:
        if item.opcode == frames.PING:
            self.say(item.payload, opcode=frames.PONG)
        elif item.opcode == frames.CLOSE and self.goodbye is None:
            self.goodbye = {"close": int.from_bytes(item.payload[:2], "big")}

    def _authenticate(self) -> None:
        d: Body = {"client": {"name": "loadtest", "ver": "1"}, "want": list(self.plan.want)}
        if self.plan.token is not None:
            d["token"] = self.plan.token
        elif self.plan.guest is not None:
            d["guest"] = {"name": self.plan.guest}
            if self.guest_token is not None:
                d["guest"]["token"] = self.guest_token
        resume = [{"ch": ch, "s": s, "pos": [self.epochs[ch], n]} for (ch, s), n in self.heads.items()]
        if resume:
            d["resume"] = resume
        self.command("auth", None, d, self._authenticated)

    def _authenticated(self, body: Body, _now: int) -> None:
        if not body["ok"]:
            self.die(f"auth: {body['err']['code']}")
            return
        d = body["d"]
        self.user = str(d["user"]["id"]) if d.get("user") else ""
        self.guest_token = d.get("guestToken") or self.guest_token
        answered = {entry["ch"]: entry for entry in d.get("resumed", ()) if entry["s"] == "room"}
        for entry in answered.values():
            self._waiting += 1
            if entry["ok"]:
                self.resumed += 1
            else:
                self.refused += 1
                self.world.faults[f"resume refused: {entry.get('reason')}"] += 1
        for room in self.plan.rooms:
            if self.channels.get(room, room) not in answered:
                self._waiting += 1
                self.command("room.join", room, {}, self._joined(room))
        if not self._waiting:
            self._ready()

    def _joined(self, room: str) -> OnReply:
        def joined(body: Body, _now: int) -> None:
            if not body["ok"]:
                self.die(f"join: {body['err']['code']}")
                return
            self.channels[room] = body["d"]["ch"]
            self._stands(body["d"]["ch"], body["d"]["pos"])
            self._arrived()

        return joined

    def _stands(self, channel: str, position: list[Any]) -> None:
        """What comes next in `channel` comes after `position`."""
        self.epochs[channel], self.heads[channel, "room"] = str(position[0]), int(position[1])

    def _passed(self, channel: str, n: int) -> None:
        """A resume ended at `n`: what it did not bring up to there was lost."""
        head = self.heads.get((channel, "room"), 0)
        if n > head:
            self.world.lost += n - head
            self.heads[channel, "room"] = n

    def _arrived(self) -> None:
        self._waiting -= 1
        if self._waiting == 0 and self.state == OPEN:
            self._ready()

    def _ready(self) -> None:
        self.state = READY
        self.ready_ns = time.monotonic_ns()
        self.world.settled(self)

    def command(self, kind: str, channel: str | None, d: Body, on_reply: OnReply) -> None:
        """Sends a command; `on_reply(body, now ns)` gets its reply."""
        self._next += 1
        body: Body = {"id": self._next, "t": kind, "d": d}
        if channel is not None:
            body["ch"] = channel
        self.pending[self._next] = on_reply
        self.say(json.dumps(body, separators=(",", ":")).encode())

    def publish(self, channel: str, text: str, on_reply: OnReply) -> None:
        """`msg.send` of `text` (ASCII without quotes and backslashes), with no detour through a dict."""
        number = self._next = self._next + 1
        self.pending[number] = on_reply
        self.say(f'{{"id":{number},"t":"msg.send","ch":"{channel}","d":{{"text":"{text}"}}}}'.encode())
