"""Owns what every conformance test starts from: the server under test, its people, channels, connections.

It refuses to know the server beyond its URL and an administrator's token.
"""

import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tests.support.client import Client
from tests.support.frames import JSON
from tests.support.rest import Person, Rest
from tests.support.server import CascadeServer

_serial = itertools.count(1)


@dataclass(slots=True)
class Target:
    """A server under test. `server` is None when it was given by URL; `suffix` keeps names of runs apart."""

    url: str
    rest: Rest
    server: CascadeServer | None = None
    suffix: str = field(default_factory=lambda: secrets.token_hex(3))
    people: dict[str, Person] = field(default_factory=dict[str, Person])

    def person(self, name: str) -> Person:
        """The account of this run called `name`, made when first asked for."""
        if name not in self.people:
            self.people[name] = self.fresh_person(name)
        return self.people[name]

    def fresh_person(self, name: str) -> Person:
        """A new account that no other test has."""
        return self.rest.signup(f"{name}_{self.suffix}{next(_serial)}")


@dataclass(frozen=True, slots=True)
class Room:
    """A channel made for a test: its id, its slug and its owner."""

    id: str
    slug: str
    owner: Person


class World:
    """The target, and the connections of one test, which are closed (and checked) at its end."""

    def __init__(self, target: Target, *, local_address: str | None = None) -> None:
        self.target = target
        self.url = target.url
        self.admin = target.rest
        self.local_address = local_address
        self.clients: list[Client] = []

    def person(self, name: str) -> Person:
        """An account shared by the run's tests."""
        return self.target.person(name)

    def room(self, *, owner: str = "owner", policy: Mapping[str, Any] | None = None, **extra: Any) -> Room:
        """A fresh channel that belongs to `owner`."""
        slug = f"t{self.target.suffix}{next(_serial)}"
        person = self.person(owner)
        made = self.admin.channel(f"Room {slug}", slug=slug, ownerId=person.id, **extra)
        if policy is not None:
            self.admin.call("PATCH", f"/api/channels/{made['id']}", {"policy": policy}, token=person.token)
        return Room(made["id"], slug, person)

    async def open(self, **kw: Any) -> Client:
        """A connection that has its `hello` and has not authenticated."""
        kw.setdefault("local_address", self.local_address)
        client = await Client.connect(self.url, **kw)
        self.clients.append(client)
        return client

    async def enter(self, who: str | Person | None, *rooms: Room, **auth: Any) -> Client:
        """A connection of an account (None: an anonymous reader) that has joined `rooms`."""
        client = await self.open()
        if who is not None:
            auth["token"] = (self.person(who) if isinstance(who, str) else who).token
        await client.auth(**auth)
        for room in rooms:
            await client.join(room.id)
        return client

    async def guest(self, *rooms: Room, name: str = "", **auth: Any) -> Client:
        """A connection of a new guest that has joined `rooms`."""
        client = await self.open()
        await client.auth(guest={"name": name or self.guest_name()}, **auth)
        for room in rooms:
            await client.join(room.id)
        return client

    def guest_name(self) -> str:
        """A guest name that nobody else uses."""
        return f"Gast {self.target.suffix} {next(_serial)}"

    async def grant(self, room: Room, person: Person, role: str) -> None:
        """Let the owner give a role, and return when it holds."""
        self.admin.command("role.grant", {"user": person.id, "role": role}, room.id, token=room.owner.token)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections; AssertionError if one of them saw the protocol broken."""
        for client in self.clients:
            await client.hang_up()
        for client in self.clients:
            client.check()


def numbers(events: list[JSON]) -> list[int]:
    """The `n` of events."""
    return [event["pos"][1] for event in events]


def texts(events: list[JSON]) -> list[str]:
    """The texts of the visible messages among events."""
    return [event["d"]["text"] for event in events if event["t"] == "msg.new" and "text" in event["d"]]
