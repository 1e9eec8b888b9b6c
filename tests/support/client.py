"""Owns a strict protocol client: it matches replies, keeps events, and checks every frame it gets.

What breaks protocol.md 2-4 (a frame outside the envelopes, an error outside the table, a hole or a step
back in a stream, a `bye` that disagrees with the close code) is an AssertionError at the next call. It
refuses to know the server's modules, and to repair anything: no reconnecting, no filling of holes.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from tests.support.frames import JSON, Positions, check_frame
from tests.support.waiting import DEADLINE

Predicate = Callable[[JSON], bool]


class CommandRefused(Exception):
    """A reply with `ok:false`; `.err` is its error, `.code` the error's code."""

    def __init__(self, t: str, err: JSON) -> None:
        super().__init__(f"{t}: {err}")
        self.err = err
        self.code: str = err["code"]


class Client:
    """One connection to `/ws`, made by `Client.connect`; it answers pings by itself unless told not to."""

    def __init__(self, socket: ClientConnection, *, pong: bool = True) -> None:
        self.socket = socket
        self.frames: list[JSON] = []
        self.events: list[JSON] = []
        self.arrivals: list[float] = []
        self.session: JSON = {}
        self.bye: JSON = {}
        self.positions = Positions()
        self.close_code: int | None = None
        self._pong = pong
        self._last_id = 0
        self._sent: dict[int, JSON] = {}
        self._waiting: dict[int, asyncio.Future[JSON]] = {}
        self._violation: AssertionError | None = None
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        origin: str | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] | None = ("cascade.v1.json",),
        compression: str | None = None,
        local_address: str | None = None,
        pong: bool = True,
    ) -> "Client":
        """Open a socket to the server at `url` (http… or ws…) and wait for `hello`."""
        target = url if "/ws" in url else f"{url.rstrip('/')}/ws"
        extra: dict[str, Any] = {"local_addr": (local_address, 0)} if local_address else {}
        socket = await connect(
            target.replace("http", "ws", 1) if target.startswith("http") else target,
            origin=Origin(origin) if origin else None,
            additional_headers=dict(headers or {}),
            subprotocols=[Subprotocol(name) for name in subprotocols] if subprotocols else None,
            compression=compression, proxy=None, max_size=None, max_queue=None,
            ping_interval=None, open_timeout=15, close_timeout=3, **extra,
        )  # fmt: skip
        client = cls(socket, pong=pong)
        await client.event("hello")
        return client

    # Sending

    async def send(self, frame: JSON | str | bytes, *, ids: Iterable[int] = ()) -> None:
        """Send one frame as it is (a dict is encoded); `ids` are those that replies to raw text may bear."""
        self.expect(*ids)
        if isinstance(frame, dict):
            if type(frame.get("id")) is int:
                self._sent[frame["id"]] = frame
            frame = json.dumps(frame, ensure_ascii=False)
        await self.socket.send(frame)

    def expect(self, *ids: int) -> None:
        """Let replies bear these ids, because commands were sent past this client."""
        self._sent.update({number: {"t": ""} for number in ids})

    def next_id(self) -> int:
        """A fresh command id."""
        self._last_id += 1
        return self._last_id

    async def start(self, t: str, d: Any = None, ch: str | None = None) -> "asyncio.Future[JSON]":
        """Send a command without waiting; the future holds its whole reply frame."""
        frame: JSON = {"id": self.next_id(), "t": t}
        if ch is not None:
            frame["ch"] = ch
        if d is not None:
            frame["d"] = d
        return await self.submit(frame)

    async def submit(self, frame: JSON) -> "asyncio.Future[JSON]":
        """Send a whole command frame with an integer id; the future holds its reply."""
        future: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
        self._waiting[frame["id"]] = future
        await self.send(frame)
        return future

    async def reply_to(self, frame: JSON) -> JSON:
        """Send a whole command frame; its whole reply."""
        return await self._settled(await self.submit(frame))

    async def reply(self, t: str, d: Any = None, ch: str | None = None) -> JSON:
        """The whole reply frame of a command, good or bad."""
        return await self._settled(await self.start(t, d, ch))

    async def ask(self, t: str, d: Any = None, ch: str | None = None) -> JSON:
        """The `d` of a good reply; CommandRefused otherwise."""
        reply = await self.reply(t, d, ch)
        if not reply["ok"]:
            raise CommandRefused(t, reply["err"])
        return reply["d"]

    async def refused(self, code: str | set[str], t: str, d: Any = None, ch: str | None = None) -> JSON:
        """The error of a command that must be refused with `code` (or one of them)."""
        reply = await self.reply(t, d, ch)
        codes = {code} if isinstance(code, str) else code
        assert not reply["ok"], f"{t} should be refused with {codes}: {reply}"
        assert reply["err"]["code"] in codes, f"{t} should be refused with {codes}: {reply['err']}"
        return reply["err"]

    # Everyday commands

    async def auth(self, **d: Any) -> JSON:
        """Authenticate; the reply's `d` (also kept as `.session`)."""
        return await self.ask("auth", d)

    async def join(self, ch: str, **d: Any) -> JSON:
        """Join a room; the reply's `d`."""
        return await self.ask("room.join", d or None, ch)

    async def say(self, ch: str, text: str, **d: Any) -> JSON:
        """Send a message that must be published; the reply's `d`."""
        got = await self.ask("msg.send", {"text": text, **d}, ch)
        assert got["outcome"] == "published", got
        return got

    async def history(self, ch: str | None, **d: Any) -> JSON:
        """A page of a stream."""
        return await self.ask("history", d, ch)

    # Receiving

    async def until(
        self, wanted: Predicate, what: str = "", *, deadline: float = DEADLINE, start: int = 0
    ) -> JSON:
        """The first event at or after index `start` that is `wanted`, waiting for it if need be."""
        end = asyncio.get_running_loop().time() + deadline
        seen = start
        while True:
            self._raise()
            for event in self.events[seen:]:
                if wanted(event):
                    return event
            seen = len(self.events)
            await self._wait(end, f"event {what or wanted}")

    async def event(self, t: str, *, start: int = 0, deadline: float = DEADLINE, **d: Any) -> JSON:
        """The first event called `t` whose `d` has these members."""

        def wanted(event: JSON) -> bool:
            return event["t"] == t and all(event["d"].get(key) == value for key, value in d.items())

        return await self.until(wanted, f"{t} {d}", deadline=deadline, start=start)

    async def message(self, mid: str, **kw: Any) -> JSON:
        """The `msg.new` event of a message."""
        return await self.event("msg.new", mid=mid, **kw)

    def of(self, t: str) -> list[JSON]:
        """All events called `t` so far."""
        return [event for event in self.events if event["t"] == t]

    def mark(self) -> int:
        """An index for `start=` that leaves out what has come so far."""
        return len(self.events)

    async def settled(self) -> JSON:
        """Return after a round trip: what the server wrote before now has come. The reply (not_found)."""
        return await self.reply("room.state", {}, "c_0")

    async def raw_error(self, text: str, *ids: int) -> JSON:
        """Send raw text that must be refused; its whole reply, with `re` null or one of `ids`."""
        begin = len(self.frames)
        await self.send(text, ids=ids)
        own = (await self.settled())["re"]
        wrong = [frame for frame in self.frames[begin:] if frame.get("ok") is False and frame["re"] != own]
        assert len(wrong) == 1, f"one error for {text[:80]!r}: {self.frames[begin:]}"
        return wrong[0]

    async def closed(self, code: int | None = None, *, deadline: float = DEADLINE) -> JSON:
        """Wait until the server closes (with `code`); the `bye` that came before, {} if none."""
        end = asyncio.get_running_loop().time() + deadline
        while self.close_code is None:
            await self._wait(end, f"a close {code or ''}")
        self._raise()
        if code is not None:
            assert self.close_code == code, f"closed with {self.close_code}, not {code}; {self.frames[-3:]}"
        return self.bye

    async def outlives(self, seconds: float) -> bool:
        """Whether the connection is still open after so long; returns early when it is not."""
        await asyncio.wait({self._reader}, timeout=seconds)
        self._raise()
        return self.close_code is None

    async def close(self) -> None:
        """Close from this side, and raise what was found broken."""
        await self.hang_up()
        self._raise()

    async def hang_up(self) -> None:
        """Close from this side."""
        await self.socket.close()
        await asyncio.wait({self._reader})

    def check(self) -> None:
        """AssertionError if the server broke the protocol on this connection."""
        self._raise()

    async def abort(self) -> None:
        """Vanish without a closing handshake, as a lost network does."""
        self.socket.transport.abort()
        await asyncio.wait({self._reader})

    # Within

    async def _settled(self, future: "asyncio.Future[JSON]") -> JSON:
        try:
            reply = await asyncio.wait_for(asyncio.shield(future), DEADLINE * 2)
        except TimeoutError:
            raise AssertionError(f"no reply; last frames: {self.frames[-5:]}") from None
        self._raise()
        return reply

    async def _wait(self, end: float, what: str) -> None:
        left = end - asyncio.get_running_loop().time()
        self._news.clear()
        if self.close_code is not None and not what.startswith("a close"):
            raise AssertionError(f"closed with {self.close_code}, waiting for {what}; {self.frames[-5:]}")
        try:
            await asyncio.wait_for(self._news.wait(), max(left, 0.001))
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}; last frames: {self.frames[-5:]}") from None

    def _raise(self) -> None:
        if self._violation is not None:
            raise AssertionError(str(self._violation))

    async def _read(self) -> None:
        try:
            while True:
                await self._take(await self.socket.recv())
        except ConnectionClosed as end:
            self.close_code = end.rcvd.code if end.rcvd else 1006
        except (AssertionError, LookupError, TypeError, ValueError) as broken:
            self._violation = AssertionError(f"{broken!r} in {self.frames[-3:]}")
            self.close_code = -1
            await self.socket.close()
        self._end()

    def _end(self) -> None:
        if self.bye and self.close_code not in (-1, self.bye["close"]) and self._violation is None:
            self._violation = AssertionError(f"bye {self.bye} but close {self.close_code}")
        for future in self._waiting.values():
            if not future.done():
                error = self._violation or AssertionError(f"closed with {self.close_code} before the reply")
                future.set_exception(error)
                future.exception()  # Seen: not every test waits for all of its replies.
        self._news.set()

    async def _take(self, text: str | bytes) -> None:
        assert isinstance(text, str), f"one text frame is one JSON object: {text[:100]!r}"
        frame: JSON = json.loads(text)
        check_frame(frame)
        assert not self.bye, f"nothing comes after bye: {frame}"
        self.frames.append(frame)
        if "re" in frame:
            self._take_reply(frame)
        else:
            self.positions.note_event(frame)
            self.events.append(frame)
            self.arrivals.append(asyncio.get_running_loop().time())
        self._news.set()
        if frame.get("t") == "bye":
            self.bye = frame["d"]
        if frame.get("t") == "ping" and self._pong:
            await self.socket.send('{"t":"pong"}')

    def _take_reply(self, frame: JSON) -> None:
        if frame["re"] is None:
            return
        command = self._sent.get(frame["re"])
        assert command is not None, f"a reply to no command: {frame}"
        if frame["ok"]:
            self.positions.note_reply(command, frame["d"])
            if command["t"] == "auth":
                self.session = frame["d"]
        future = self._waiting.pop(frame["re"], None)
        if future is not None and not future.done():
            future.set_result(frame)
