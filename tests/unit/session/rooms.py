"""Owns a live room for tests, without a loop: its fan-out is real, its readers keep what they are sent."""

from __future__ import annotations

from typing import Any

import msgspec

from chatcore.fanout.room_fan import audience
from chatcore.log.port import Row
from chatcore.people.principal import Name
from chatcore.room.events import Entry, Stored, StreamKey
from chatcore.session.live_room import LiveRoom
from schemas.commands import MsgSend
from tests.unit.fanout.doubles import FakeLoop, Reader, make_hub
from tests.unit.room.world import BY_ROLE, CH, STRANGER, Room

ROOM, MOD = StreamKey("room", CH), StreamKey("mod", CH)


class Names:
    """A table of people, whom a test may rename or forget."""

    def __init__(self) -> None:
        self.known = {
            user: Name(user, user[2:], user[2:].title(), "guest" if user.startswith("g_") else "user")
            for user in (*BY_ROLE.values(), STRANGER)
        }

    def name_of(self, person: str) -> Name | None:
        return self.known.get(person)

    def rename(self, user: str, name: str) -> None:
        self.known[user] = Name(user, name, name.title(), self.known[user].kind)


class Live:
    """`world` decides and applies, `room` follows."""

    def __init__(self, **changes: Any) -> None:
        self.loop = FakeLoop()
        self.hub = make_hub(self.loop)
        self.names = Names()
        self.world = Room(**changes)
        self.room = LiveRoom(self.world.state, self.hub.room(CH), self.names, "k9")
        self.room.prime([], self.world.now)

    def follow(self, entries: list[Entry]) -> list[Entry]:
        """Hand what was decided to the room, as the committer does."""
        shown = [entry for entry in entries if entry.stream.kind != "me"]
        self.room.follow(shown, self.world.now)
        return entries

    def do(self, user: str, command: Any, target: str | None = None, **fields: Any) -> list[Entry]:
        return self.follow(self.world.do(user, command, target, **fields))

    def put(self, event: Stored, stream: StreamKey = ROOM) -> Entry:
        return self.follow([self.world.put(stream, event)])[0]

    def say(self, user: str, text: str, reply_to: str | None = None) -> str:
        (entry,) = self.do(user, MsgSend(text, reply_to))
        assert entry.message is not None
        return entry.message.mid

    def reader(self, *want: str) -> Reader:
        """Somebody who gets these from now on; `room` without any."""
        reader = Reader(self.hub)
        self.room.fan.join(reader.outbox, audience(want or ("room",)))
        return reader

    def heard(self, reader: Reader) -> list[dict[str, Any]]:
        """All that a reader was sent so far."""
        self.loop.run(1.0)
        return [msgspec.json.decode(text) for text in reader.texts]

    def recent(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(event) for event in self.room.recent()]

    def texts(self) -> list[str]:
        return [event["d"]["text"] for event in self.recent()]


def rows(entries: list[Entry]) -> list[Row]:
    """Entries of a room stream as its log gives them to a node that loads the room."""
    messages = {entry.message.mid: entry.message for entry in entries if entry.message is not None}
    return [
        Row(entry, messages.get(entry.message.reply or "") if entry.message else None) for entry in entries
    ]
