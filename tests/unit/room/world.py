"""Owns a room for tests of decisions: what is decided is numbered and applied at once, time moves by hand.

Knows neither log nor loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatcore.room.drafts import Actor, At, Bucket, Decision, Draft
from chatcore.room.encode import Joins, Named
from chatcore.room.events import Entry, Message, Stored, StreamKey
from chatcore.room.settle import DECIDERS
from chatcore.room.state import Author, Channel, Grant, Mode, RoomState
from schemas.commands import MsgSend
from schemas.errors import Refused
from schemas.values import StreamInfo

CH = "c_1"
OWNER = "u_owner"
NOW = 1_790_000_000_000

#: Somebody for each role of protocol 7.
BY_ROLE = {
    "owner": OWNER,
    "lead": "u_lead",
    "moderator": "u_mod",
    "helper": "u_help",
    "vip": "u_vip",
    "member": "u_mem",
    "viewer": "u_ann",
    "guest": "g_gus",
}
STRANGER = "u_bob"


def channel(**changes: Any) -> Channel:
    """A public channel of `OWNER`."""
    fields: dict[str, Any] = {
        "id": CH,
        "slug": "lobby",
        "owner": OWNER,
        "title": "River",
        "category": "",
        "tags": (),
        "mature": False,
        "visibility": "public",
        "policy": {},
        "created_at": NOW - 1000,
    }
    return Channel(**{**fields, **changes})


def actor(user: str, scopes: frozenset[str] | None = None, kind: str | None = None) -> Actor:
    """Who asks; the kind follows from the id unless given."""
    return Actor(user, kind or ("guest" if user.startswith("g_") else "user"), scopes=scopes)


class Room:
    """A state with somebody of each role, all of whom the state knows as authors who never wrote."""

    def __init__(self, **changes: Any) -> None:
        self.state = RoomState(channel(**changes), 0, 0, 0)
        self.now = NOW
        self.made = 0
        #: The send buckets in force; off, so that a test about something else may be fast.
        self.viewers: Bucket | None = None
        self.staff: Bucket | None = None
        for role, user in BY_ROLE.items():
            if role not in ("owner", "viewer", "guest"):
                self.state.roles[user] = Grant(role, None)
        for user in (*BY_ROLE.values(), STRANGER):
            self.state.authors[user] = Author(0, 0, 0)

    @property
    def at(self) -> At:
        return At(self.now, "k9", self.viewers, self.staff)

    def mode(self, name: str, value: int | bool, until: int | None = None) -> None:
        """Put a mode into force."""
        self.state.modes[name] = Mode(value, until, "staff")

    def draft(self, user: str | Actor, command: Any, target: str | None = None, **fields: Any) -> Draft:
        """A command on its way, made by `user`, about `target`."""
        self.made += 1
        if target is not None:
            fields.setdefault("target_kind", "guest" if target.startswith("g_") else "user")
        who = actor(user) if isinstance(user, str) else user
        fields.setdefault("text", command.text if isinstance(command, MsgSend) else "")
        prefix = "m" if isinstance(command, MsgSend) else "a"
        return Draft(CH, who, command, f"{prefix}_{self.made}", target=target, **fields)

    def decide(self, draft: Draft) -> Decision:
        """The decision alone."""
        return DECIDERS[type(draft.command)](self.state, draft, self.at)

    def do(self, user: str | Actor, command: Any, target: str | None = None, **fields: Any) -> list[Entry]:
        """Decide, number and apply as a committer does."""
        return self.follow(self.decide(self.draft(user, command, target, **fields)))

    def follow(self, decision: Decision) -> list[Entry]:
        """Number and apply."""
        return [self.put(stream, event, message) for stream, event, message in decision.events]

    def put(self, stream: StreamKey, event: Stored, message: Message | None = None) -> Entry:
        """One entry at the head of its stream."""
        state = self.state
        n = {"room": state.head + 1, "mod": state.mod_head + 1, "me": 0}[stream.kind]
        entry = Entry(stream, n, self.now, event, message)
        assert state.apply(entry)
        return entry

    def say(self, user: str, text: str = "hi", reply_to: str | None = None, idem: str | None = None) -> str:
        """A message of `user`; answers its mid."""
        (entry,) = self.do(user, MsgSend(text, reply_to, idem))
        assert entry.message is not None
        return entry.message.mid


def refused(work: Callable[[], Any]) -> Refused:
    """The refusal that `work` ends with."""
    try:
        found = work()
    except Refused as refusal:
        return refusal
    raise AssertionError(f"not refused: {found}")


def names(**known: str) -> dict[str, Named]:
    """People by id, shown under these names."""
    return {user: Named(name, name.title(), "user") for user, name in known.items()}


def joins(state: RoomState, people: dict[str, Named], now: int = NOW) -> Joins:
    """What encoding looks up, from a state and a table of names."""

    def role(user: str) -> str:
        return state.role_of(user, now)

    return Joins("k9", people.get, role, offline)


def offline() -> StreamInfo:
    """A channel that does not broadcast."""
    return StreamInfo("offline", None, "River", None, 1)
