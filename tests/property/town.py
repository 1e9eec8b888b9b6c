"""A small town for histories: the real session layer on a memory log, with readers that obey the protocol's rules.

Time is virtual: the loop jumps to its next timer, so a night's sleep takes no time and nothing depends on the machine.
A reader keeps what he received, by position; he fails at once on a hole, on a snapshot that is not as of its place and
on a text that was deleted before it was written.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from chatcore.fanout.hub import Hub
from chatcore.log.committer import Committer
from chatcore.log.port import Unavailable
from chatcore.room.events import Entry, Gone, Message, Said, StreamKey
from chatcore.room.state import Channel
from chatcore.session.chat import Chat
from chatcore.session.live_room import LiveRoom
from chatcore.session.notices import Notices
from chatcore.session.rooms import Rooms
from chatcore.session.sessions import Sessions
from schemas.codec import encode_bye
from schemas.errors import Disconnect
from tests.property.ground import (
    CH,
    FANOUT,
    NO_LIMITS,
    OWNER,
    RECENT,
    ROOM,
    START,
    Folk,
    StaleLog,
    VirtualLoop,
)
from tests.property.line import Line


@dataclass
class Sent:
    """A message that its author wants to be said once, however often he has to ask."""

    text: str
    reply_to: str | None
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


class Reader:
    """A client that follows the protocol: joins, resumes by its positions, drops doubles, obeys tombstones."""

    def __init__(self, town: Town, user: str | None, name: str) -> None:
        self.town = town
        self.user = user
        self.name = name
        self.line: Line | None = None
        self.at: dict[str, tuple[str, int]] = {}
        self.base: dict[str, int] = {}
        self.held: dict[str, dict[int, Any]] = {"room": {}, "mod": {}, "me": {}}
        self.unsure: dict[str, Sent] = {}
        self.settled: dict[str, Sent] = {}
        self.refused: dict[str, Sent] = {}
        self.doubles = 0
        self.snapshots = 0
        self.resumes = 0
        self.in_room = False
        self._ids = itertools.count(1)
        self._asked: dict[int, tuple[str, Any]] = {}

    # -- doing -------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        if self.line is not None:
            return
        line = self.line = Line(self.town, self)
        self._asked.clear()
        self.in_room = False
        connection = self.town.sessions.open(line, line.peer, None)
        line.sink = connection
        resume = [
            {"s": s, "pos": list(pos), **({} if s == "me" else {"ch": CH})}
            for s, pos in sorted(self.at.items())
        ]
        d: dict[str, Any] = {"resume": resume}
        if self.user is not None:
            d["token"] = "cs_" + self.user
        self.ask("auth", d, ch=None)

    def hang_up(self) -> None:
        if self.line is not None:
            self.line.lose()

    def hung_up(self, line: Line) -> None:
        if self.line is line:
            self.line = None

    def ask(self, t: str, d: dict[str, Any], *, ch: str | None = CH, about: Any = None) -> None:
        if self.line is None:
            return
        number = next(self._ids)
        self._asked[number] = t, about
        command = {"id": number, "t": t, "d": d} | ({} if ch is None else {"ch": ch})
        self.line.say(msgspec.json.encode(command))

    def send(self, text: str, reply_to: str | None, idem: str) -> None:
        """Say something once; asked again after every reconnection until the answer is known."""
        self.unsure[idem] = Sent(text, reply_to)
        self._send(idem)

    def _send(self, idem: str) -> None:
        sent = self.unsure[idem]
        d = {"text": sent.text, "idem": idem} | ({} if sent.reply_to is None else {"replyTo": sent.reply_to})
        self.ask("msg.send", d, about=idem)

    def ask_again(self) -> None:
        for idem in list(self.unsure):
            self._send(idem)

    # -- hearing -----------------------------------------------------------------------------------------------

    def receive(self, line: Line, payload: bytes) -> None:
        frame = msgspec.json.decode(payload)
        if line is not self.line:
            return
        if "re" in frame:
            self._reply(frame)
        elif "pos" in frame:
            self._durable(frame)
        else:
            self._ephemeral(frame)

    def _reply(self, frame: dict[str, Any]) -> None:
        t, about = self._asked.pop(frame["re"])
        if t == "auth":
            assert frame["ok"], frame
            self._authenticated(frame["d"])
        elif t == "room.join" and frame["ok"]:
            self._snapshot(frame["d"])
        elif t == "room.join":
            assert frame["err"]["retry"] == "after", frame
            asyncio.get_running_loop().call_later(0.5, lambda: self.ask("room.join", {}))
        elif t == "msg.send" and about in self.unsure:
            self._sent(about, frame)
        elif not frame["ok"]:
            assert frame["err"]["code"] != "internal", frame

    def _sent(self, idem: str, frame: dict[str, Any]) -> None:
        if not frame["ok"]:
            assert frame["err"]["code"] != "internal", frame
            if frame["err"]["retry"] != "after":  # then it was not said and never will be
                self.refused[idem] = self.unsure.pop(idem)
            return
        sent = self.unsure.pop(idem)
        sent.answers.append(frame["d"])
        self.settled[idem] = sent

    def _authenticated(self, d: dict[str, Any]) -> None:
        verdicts = {verdict["s"]: verdict for verdict in d["resumed"]}
        assert set(verdicts) == set(self.at)
        self.resumes += sum(verdict["ok"] for verdict in verdicts.values())
        for s, verdict in verdicts.items():
            if not verdict["ok"]:
                assert verdict["reason"] in ("too_far", "denied", "epoch"), verdict
                del self.at[s]
        if self.user is not None and "me" not in self.at:
            self.start("me", d["me"]["pos"])
        if "room" not in verdicts:
            self.ask("room.join", {})
        self.ask_again()

    def start(self, s: str, pos: Sequence[Any]) -> None:
        """A stream begins anew at this place: what is held of it is older and stays as it is."""
        self.at[s] = pos[0], pos[1]
        self.base[s] = pos[1]
        self.held[s] = {}

    def _snapshot(self, d: dict[str, Any]) -> None:
        self.in_room = True
        self.snapshots += 1
        self.start("room", d["pos"])
        if "modPos" in d:
            self.start("mod", d["modPos"])
        else:
            self.at.pop("mod", None)
        events = d["recent"]
        if "resume" not in d:
            self.town.check_recent(d["pos"][1], [event["d"]["mid"] for event in events])
        for event in events:
            self._hold("room", event["pos"][1], event)

    def _durable(self, frame: dict[str, Any]) -> None:
        s, (epoch, n) = frame["s"], frame["pos"]
        if s not in self.at and s == "mod":
            return  # his right to it ended while it was under way
        assert epoch == self.at[s][0]
        known = self.at[s][1]
        if n <= known:
            self.doubles += 1
            return
        assert n == known + 1, f"{self.name}: {s} went from {known} to {n}"
        self.at[s] = epoch, n
        self._hold(s, n, frame)
        if frame["t"] == "msg.gone":
            self._obey(frame["d"])

    def _hold(self, s: str, n: int, frame: dict[str, Any]) -> None:
        d = frame["d"]
        if frame["t"] == "msg.new":
            assert ("text" in d) != ("gone" in d), frame
            self.held[s][n] = ["msg.new", d["mid"], d["user"] and d["user"]["id"], d.get("text")]
        else:
            self.held[s][n] = [frame["t"]]

    def _obey(self, d: dict[str, Any]) -> None:
        for n, held in self.held["room"].items():
            if held[0] != "msg.new":
                continue
            ranged = "user" in d and held[2] == d["user"] and d["from"] <= n <= d["to"]
            if ranged or held[1] in d.get("mids", ()):
                held[3] = None

    def _ephemeral(self, frame: dict[str, Any]) -> None:
        d, s = frame["d"], frame.get("s")
        match frame["t"]:
            case "room.snapshot":
                self._snapshot(d)
            case "stream.open":
                self.start(str(s), d["pos"])
            case "stream.closed":
                self.at.pop("mod", None)
            case "resume.done":
                self.in_room = self.in_room or s == "room"
                assert list(self.at[str(s)]) == d["pos"], (
                    f"{self.name}: {s} ends at {self.at[str(s)]}, not {d['pos']}"
                )
            case "head":
                assert self.at["room"][1] >= d["pos"][1], "the stream fell behind its head"
            case "ping" if self.line is not None:
                self.line.say(b'{"t":"pong"}')
            case "goaway" | "hello" | "bye" | "presence.count" | "presence.delta":
                pass
            case other:
                raise AssertionError(other)


class Town:
    """One channel, its log, the node of the moment, and the readers. All calls outside the loop go through `run`."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(self._failed)
        self.log = StaleLog(now=self.clock, epoch="k9", gate=self._gate)
        self.log.lag = lambda: self.lags.pop() if self.lags else 0.0
        self.lags: list[float] = []
        self.log.create(Channel(CH, "one", OWNER, "One", "", (), False, "public", {}, START))
        self.plan: list[tuple[float, bool]] = []
        self.generation = 0
        self.leaks: list[bytes] = []
        self.deleted: dict[bytes, str] = {}
        self.texts: dict[str, str] = {}
        self.mids: list[str] = []
        self.readers: list[Reader] = []
        self._entropy = itertools.count(1)
        self._said = itertools.count(1)
        self.run(self._begin())

    def clock(self) -> int:
        return START + int(self.loop.time() * 1000)

    def entropy(self, size: int) -> bytes:
        return next(self._entropy).to_bytes(size, "big")

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run until `work` is done. What failed in a callback meanwhile is raised here."""
        result = self.loop.run_until_complete(work)
        if self.errors:
            raise self.errors[0]
        return result

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.errors.append(context.get("exception") or AssertionError(f"{context}"))

    def wait(self, seconds: float) -> None:
        """Let that much virtual time pass."""
        self.run(asyncio.sleep(seconds))

    async def _gate(self, point: str) -> None:
        """How long the log takes at each point and whether it fails there, as planned; else at once."""
        generation = self.generation
        delay, fails = self.plan.pop(0) if self.plan else (0.0, False)
        if delay:
            await asyncio.sleep(delay)
        if generation != self.generation:
            raise Unavailable("the process is gone")
        if fails and point != "locked":
            raise Unavailable("the disk is gone")

    # -- the node ----------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        folk = Folk()
        hub = Hub.on_loop(loop, bye=encode_bye(Disconnect(4003, after_ms=500)), limits=FANOUT)

        async def find(slug: str) -> str | None:
            return CH if slug == "one" else None

        rooms = Rooms(self.log, hub, folk, find, self.clock)
        committer = Committer(self.log, room_of=rooms.state_of, follow=rooms.follow, viewers=None, staff=None)
        chat = Chat(rooms, committer, folk, NO_LIMITS, self.clock, self.entropy)
        self.sessions = Sessions(
            log=self.log,
            hub=hub,
            rooms=rooms,
            committer=committer,
            people=folk,
            chat=chat,
            notices=Notices(self.log, self.clock, rooms.follow),
            config=NO_LIMITS,
            clock=self.clock,
            entropy=self.entropy,
        )
        told = rooms.told
        assert told is not None

        def watched(room: LiveRoom, entries: Sequence[Entry]) -> None:
            told(room, entries)
            for entry in entries:
                if isinstance(entry.event, Gone):
                    self._note_deleted(entry.event)

        rooms.told = watched
        self.deleted = {m.text.encode(): m.mid for m in self.messages() if m.gone is not None}
        self.sessions.start()

    def restart(self) -> None:
        """The process dies at once and another takes over its log."""
        self.run(self._restart())

    async def _restart(self) -> None:
        self.generation += 1
        for reader in self.readers:
            reader.hang_up()
        old = self.sessions
        await old.stop()
        await self._begin()

    # -- what the log says -------------------------------------------------------------------------------------

    def entries(self, stream: StreamKey) -> list[Entry]:
        self.lags = []
        page = self.run(self.log.read(stream, limit=100_000))
        return [row.entry for row in page.rows]

    def messages(self) -> list[Message]:
        """All messages as they stand in the log now."""
        held: dict[str, Message] = self.log._channels[CH].messages  # pyright: ignore[reportPrivateUsage] - the truth itself
        return list(held.values())

    def _note_deleted(self, gone: Gone) -> None:
        for message in self.messages():
            ranged = message.user == gone.user and gone.lo <= message.n <= gone.hi
            if message.mid in gone.mids or ranged:
                self.deleted[message.text.encode()] = message.mid

    def check_written(self, payload: bytes) -> None:
        """Protocol 3: after `msg.gone` was applied, no later flush of that node contains the text."""
        for text, mid in self.deleted.items():
            if text in payload:
                self.leaks.append(payload)
                raise AssertionError(f"the text of {mid}, which is deleted, was written: {payload!r}")

    def check_recent(self, head: int, shown: list[str]) -> None:
        """The 50 newest messages that were visible at `head`."""
        standing: dict[str, Message] = {}
        by_n = {message.n: message for message in self.messages()}
        for entry in self.log._channels[CH].entries:  # pyright: ignore[reportPrivateUsage] - the truth itself
            if entry.stream != ROOM or entry.n > head:
                continue
            if isinstance(entry.event, Said):
                standing[entry.event.mid] = by_n[entry.n]
            elif isinstance(entry.event, Gone):
                gone = entry.event
                for mid, message in list(standing.items()):
                    if mid in gone.mids or (message.user == gone.user and gone.lo <= message.n <= gone.hi):
                        del standing[mid]
        assert shown == list(standing)[-RECENT:], (
            f"recent at {head}: {shown} instead of {list(standing)[-RECENT:]}"
        )

    # -- readers -----------------------------------------------------------------------------------------------

    def reader(self, user: str | None) -> Reader:
        made = Reader(self, user, f"{user or 'anonymous'}-{len(self.readers)}")
        self.readers.append(made)
        return made

    def at_once(self, call: Callable[[], None]) -> None:
        """Run a synchronous step inside the loop, as bytes that arrive would."""

        async def step() -> None:
            call()

        self.run(step())

    def text(self) -> str:
        """A text that nothing else contains."""
        return f"<{next(self._said):05}>"

    def pending(self) -> int:
        """Work of the session layer that has not ended: none, where nobody waits for anything."""
        return len(self.sessions.chat._tasks)  # pyright: ignore[reportPrivateUsage] - nobody else needs to know

    def close(self) -> None:
        async def end() -> None:
            for reader in self.readers:
                reader.hang_up()
            await self.sessions.stop()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        self.loop.run_until_complete(end())
        self.loop.close()
