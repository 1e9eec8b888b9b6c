"""One WebSocket client of the crowd: handshake, hello, auth, join, positions, replies.

Owns a socket and the client's side of the protocol (schemas/PROTOCOL.md, transport and session) as far as a
crowd needs it. Refuses to know the loop that wakes it and what the scenario is about. The hot path is
`receive` with a known chunk: one comparison and one position check for all the events in it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from loadtest import frames
from loadtest.digest import Control, Notice, Reader, Run
from loadtest.tally import Tally

Body = dict[str, Any]
OnReply = Callable[[Body, int], None]
_ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the answer to the key below, RFC 6455, section 1.3
_SHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: cascade.v1.json\r\n\r\n"
)
_BIND_NO_PORT = 24  # IP_BIND_ADDRESS_NO_PORT: the port is chosen at connect, so that a pair may be used again
_CHUNK = 65536

CONNECTING, SHAKING, OPEN, READY, DEAD = range(5)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens."""

    host: str
    port: int
    path: str = "/ws"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a client does by itself: how it authenticates, which rooms it joins, what it wants to hear."""

    guest: str | None = None
    token: str | None = None
    rooms: tuple[str, ...] = ()
    want: tuple[str, ...] = ()
    source: str | None = None  # local address to connect from
    receive_buffer: int | None = None  # SO_RCVBUF in bytes
    urgent: bool = False  # read before the crowd's bulk, so that its latency is the server's
    counted: bool = True  # its deliveries are part of the tally


class World(Protocol):
    """What a client needs from the crowd that it belongs to."""

    tally: Tally | None
    faults: Counter[str]
    lost: int
    twice: int

    def watch(self, client: Client, *, writing: bool) -> None:
        """Wake `client` when its socket can be read, and when it can be written if `writing`."""
        ...

    def forget(self, descriptor: int) -> None:
        """Stop waking the client of `descriptor`, which is about to be closed."""
        ...

    def settled(self, client: Client) -> None:
        """`client` became ready or died."""
        ...


class Client:
    """A connection and what it knows. `open` begins; the crowd calls `readable` and `writable`."""

    __slots__ = (
        "_carry", "_corked", "_next", "_out", "_waiting", "address", "bytes_in", "channels", "closed_ns", "goodbye",
        "guest_token", "heads", "on_notice", "on_run", "opened_ns", "pending", "plan", "reader", "ready_ns", "refused",
        "resumed", "sock", "stalled", "state", "user", "world",
    )  # fmt: skip

    def __init__(self, world: World, address: Address, plan: Plan, reader: Reader) -> None:
        self.world, self.address, self.plan, self.reader = world, address, plan, reader
        self.sock: socket.socket | None = None
        self.state = DEAD
        self.heads: dict[tuple[str, str], int] = {}
        self.channels: dict[str, str] = {}  # room as planned -> channel id
        self.on_notice: Callable[[Client, Body], None] | None = None
        self.on_run: Callable[[Client, Run], None] | None = None
        self.guest_token: str | None = None
        self.user = ""
        self._reset()

    def _reset(self) -> None:
        self._carry = b""
        self._out = b""
        self._corked = False  # what is said while a chunk is dealt with goes out in one write
        self._next = 0
        self._waiting = 0  # joins and resumes that are not answered yet
        self.pending: dict[int, tuple[OnReply, int]] = {}
        self.goodbye: Body | None = None
        self.bytes_in = self.closed_ns = self.opened_ns = self.ready_ns = 0
        self.resumed = self.refused = 0
        self.stalled = False

    def open(self) -> None:
        """Begins to connect (again). Positions and the guest's identity stay, as in a browser."""
        self._reset()
        self.opened_ns = time.monotonic_ns()
        sock = self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.plan.receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.plan.receive_buffer)
        if self.plan.source:
            sock.setsockopt(socket.IPPROTO_IP, _BIND_NO_PORT, 1)
            sock.bind((self.plan.source, 0))
        self.state = CONNECTING
        code = sock.connect_ex((self.address.host, self.address.port))
        if code in (0, errno.EINPROGRESS):
            self.world.watch(self, writing=True)
        else:
            self.die(f"connect: {errno.errorcode.get(code, code)}")

    def close(self) -> None:
        """Leaves as a browser tab does: the connection is closed without a word."""
        self._end()

    def writable(self) -> None:
        """The socket takes bytes: the connection is there, or what could not be sent can go on."""
        sock = self.sock
        if sock is None:
            return
        if self.state == CONNECTING:
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self.die(f"connect: {errno.errorcode.get(code, code)}")
                return
            self.state = SHAKING
            where = self.address
            self._out = _SHAKE.format(path=where.path, host=where.host, port=where.port).encode()
        self._flush()
        if self.sock is not None:
            self.world.watch(self, writing=bool(self._out))

    def readable(self) -> None:
        """Reads one chunk and deals with it."""
        sock = self.sock
        if sock is None:
            return
        try:
            data = sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self.die(f"read: {errno.errorcode.get(error.errno or 0, str(error))}")
            return
        if not data:
            self.die("closed" if self.goodbye is None else f"bye {self.goodbye.get('close')}")
            return
        self.bytes_in += len(data)
        self._corked = True
        self.receive(data, time.monotonic_ns())
        self._corked = False
        if self._out:
            self._push()

    def receive(self, data: bytes, now: int) -> None:
        """`data` was read at `now` (ns). A broken frame ends the connection and is counted as a fault."""
        if self._carry:
            data = self._carry + data
        if self.state == SHAKING:
            data = self._shaken(data)
            if not data:
                return
        try:
            digest = self.reader.read(data)
        except ValueError as error:
            self.die(f"broken frame: {error}")
            return
        self._carry = data[digest.consumed :] if digest.consumed != len(data) else b""
        for item in digest.items:
            if type(item) is Run:
                self._run(item, now)
            elif type(item) is Notice:
                self._notice(item.body, now)
            elif type(item) is Control:
                self._control(item)

    def _shaken(self, data: bytes) -> bytes:
        """The bytes after the server's handshake; none as long as it is not whole."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._carry = data
            return b""
        self._carry = b""
        if b" 101 " not in data[:16] or _ACCEPT not in data[:end]:
            self.die(f"handshake: {data[:40].decode('latin-1').splitlines()[0]}")
            return b""
        self.state = OPEN
        return data[end + 4 :]

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
            self.on_run(self, run)

    def _notice(self, body: Body, now: int) -> None:
        if "re" in body:
            waiting = self.pending.pop(body["re"], None)
            if waiting is not None:
                waiting[0](body, now)
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
            self._passed(body["ch"], "room", body["d"]["pos"])
            self._arrived()
        elif kind == "room.snapshot":
            self.heads[body["ch"], "room"] = int(body["d"]["pos"][1])
            self._arrived()
        if self.on_notice is not None:
            self.on_notice(self, body)

    def _control(self, item: Control) -> None:
        if item.opcode == frames.PING:
            self._send(frames.client_frame(item.payload, opcode=frames.PONG))
        elif item.opcode == frames.CLOSE:
            code = int.from_bytes(item.payload[:2], "big")
            if self.goodbye is None:
                self.goodbye = {"close": code, "frameOnly": True}

    def _authenticate(self) -> None:
        d: Body = {"client": {"name": "loadtest", "ver": "1"}, "want": list(self.plan.want)}
        if self.plan.token is not None:
            d["token"] = self.plan.token
        elif self.plan.guest is not None:
            d["guest"] = {"name": self.plan.guest}
            if self.guest_token is not None:
                d["guest"]["token"] = self.guest_token
        resume = [{"ch": ch, "s": s, "pos": [self.epoch(ch), n]} for (ch, s), n in self.heads.items()]
        if resume:
            d["resume"] = resume
        self.command("auth", None, d, self._authenticated)

    def epoch(self, channel: str) -> str:
        """The epoch learnt when `channel` was joined."""
        return self.channels[f"epoch of {channel}"]

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
            channel, (epoch, head) = body["d"]["ch"], body["d"]["pos"]
            self.channels[room] = channel
            self.channels[f"epoch of {channel}"] = epoch
            self.heads[channel, "room"] = int(head)
            self._arrived()

        return joined

    def _passed(self, channel: str, stream: str, position: list[Any]) -> None:
        """A resume ended at `position`: what it did not bring was lost."""
        head, told = self.heads.get((channel, stream), 0), int(position[1])
        if told > head:
            self.world.lost += told - head
            self.heads[channel, stream] = told

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
        self.pending[self._next] = (on_reply, time.monotonic_ns())
        self.say(json.dumps(body, separators=(",", ":")).encode())

    def publish(self, channel: str, text: str, on_reply: OnReply) -> None:
        """`msg.send` of `text` (ASCII without quotes and backslashes), with no detour through a dict."""
        number = self._next = self._next + 1
        self.pending[number] = (on_reply, 0)
        self.say(f'{{"id":{number},"t":"msg.send","ch":"{channel}","d":{{"text":"{text}"}}}}'.encode())

    def say(self, payload: bytes) -> None:
        """One text frame."""
        self._send(frames.client_frame(payload))

    def _send(self, data: bytes) -> None:
        if self.sock is None:
            return
        waiting = bool(self._out)
        self._out += data
        if not waiting and not self._corked:
            self._push()

    def _push(self) -> None:
        self._flush()
        if self._out and self.state != DEAD:
            self.world.watch(self, writing=True)

    def _flush(self) -> None:
        if self.sock is None or not self._out:
            return
        try:
            self._out = self._out[self.sock.send(self._out) :]
        except BlockingIOError:
            return
        except OSError as error:
            self.die(f"write: {errno.errorcode.get(error.errno or 0, str(error))}")

    def die(self, reason: str) -> None:
        """The connection ended, or is useless: counts `reason` as a fault of the crowd."""
        if self.sock is None:
            return
        self.world.faults[reason] += 1
        self._end()
        self.world.settled(self)

    def _end(self) -> None:
        sock, self.sock = self.sock, None
        if sock is None:
            return
        self.state = DEAD
        self.closed_ns = time.monotonic_ns()
        self.world.forget(sock.fileno())
        with contextlib.suppress(OSError):
            sock.close()
