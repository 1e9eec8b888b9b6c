"""Owns channels as their owners and the directory see them: making, finding, changing, deleting (product.md, REST).

A change of a card is decided in the channel's log like everything that happens there, so that every node agrees; this
module asks for it and reads the tables.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import unicodedata
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from chatcore.log.database import Database
from chatcore.log.sqlite import CHANNEL_COLUMNS, channel_of
from chatcore.people.principal import Principal
from chatcore.room.drafts import Actor, Draft
from chatcore.room.policy import effective
from chatcore.room.staff import EditChannel
from chatcore.room.state import Channel as Card
from chatcore.session.ports import Clock, Entropy, People
from chatcore.session.rooms import Rooms
from schemas import resources
from schemas.errors import Refused
from schemas.ids import new_id

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{1,38}[a-z0-9])")
KEY_PREFIX = "csk_"
#: Overrides and isolates would reorder what stands beside a title; messages lose them as well.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


class Decides(Protocol):
    async def decided(self, draft: Draft) -> Any:
        """The reply of a draft once it is durable. Raises Refused."""
        ...


class Channels:
    """`everyone`: every user may make channels, else creators and administrators."""

    def __init__(
        self,
        database: Database,
        rooms: Rooms,
        chat: Decides,
        people: People,
        *,
        clock: Clock,
        entropy: Entropy,
        everyone: bool,
    ) -> None:
        self._database = database
        self._rooms = rooms
        self._chat = chat
        self._people = people
        self._clock = clock
        self._entropy = entropy
        self._everyone = everyone
        #: Told when a channel was deleted, while its room still has members.
        self.on_deleted: Callable[[str], None] | None = None

    async def create(self, by: Principal, ask: resources.ChannelCreate) -> tuple[resources.Channel, str]:
        """A new channel and its stream key, shown this once. Raises Refused forbidden, conflict, bad_request."""
        allowed = by.kind == "user" and (self._everyone or by.instance_roles & {"admin", "creator"})
        if not allowed or by.scopes is not None:
            raise Refused("forbidden", "Only creators may make channels here.", d={"cap": "creator"})
        owner = ask.owner_id or by.id
        if owner != by.id:
            if not by.is_admin:
                raise Refused(
                    "forbidden",
                    "Only an administrator makes channels for others.",
                    field="ownerId",
                    d={"cap": "admin"},
                )
            found = await self._people.find_user(owner)
            if found is None or found.kind != "user":
                raise Refused("not_found", "There is no such user.", field="ownerId", d={"what": "user"})
            owner = found.id
        return await self._make(by, owner, ask)

    async def found(self, owner: Principal, ask: resources.ChannelCreate) -> resources.Channel:
        """A channel of the instance itself, whoever `owner` is; nobody is shown its key."""
        return (await self._make(owner, owner.id, ask))[0]

    async def _make(
        self, by: Principal, owner: str, ask: resources.ChannelCreate
    ) -> tuple[resources.Channel, str]:
        now = self._clock()
        card = Card(
            new_id("c_", now, self._entropy(8)),
            "",
            owner,
            _line(ask.title, "title"),
            _line(ask.category, "category") if ask.category else "",
            _tags(ask.tags),
            ask.mature,
            _visibility(ask.visibility),
            {},
            now,
        )
        secret = KEY_PREFIX + self._entropy(20).hex()
        key = (new_id("sk_", now, self._entropy(8)), card.id, hashlib.sha256(secret.encode()).digest(), now)
        wish = None if ask.slug is None else _slug(ask.slug)
        slug = await self._database.write(lambda db: _insert(db, card, wish, key))
        made = msgspec.structs.replace(card, slug=slug)
        return self._shown(made, by), secret

    async def get(self, ref: str, viewer: Principal | None) -> resources.Channel:
        """By id or `@slug`. Raises Refused not_found."""
        return self._shown(await self._card(ref), viewer)

    async def find(self, slug: str) -> str | None:
        """The id of the channel with this slug."""
        rows = await self._database.query("SELECT id FROM channel WHERE slug = ?", (slug,))
        return rows[0][0] if rows else None

    async def owns_any(self, user: str) -> bool:
        """Whether this user still owns a channel."""
        return bool(await self._database.query("SELECT 1 FROM channel WHERE owner = ? LIMIT 1", (user,)))

    async def list(
        self, query: resources.ChannelQuery, viewer: Principal | None
    ) -> tuple[list[resources.Channel], str | None]:
        """A page of the directory: newest first; unlisted ones only to their owner and administrators."""
        where, values = _filters(query, viewer, self._clock())
        if query.live:
            return [], None  # nothing broadcasts yet: every channel is offline
        rows = await self._database.query(
            f"SELECT {CHANNEL_COLUMNS} FROM channel WHERE {where} ORDER BY id DESC LIMIT ?",
            (*values, query.limit + 1),
        )
        cards = [channel_of(row) for row in rows[: query.limit]]
        more = len(rows) > query.limit
        return [self._shown(card, viewer) for card in cards], cards[-1].id if more else None

    async def patch(self, by: Principal, ref: str, changes: dict[str, Any]) -> resources.Channel:
        """Change the named members (python names of ChannelPatch). Raises Refused forbidden, conflict, bad_request."""
        card = await self._card(ref)
        self._owner_only(card, by)
        columns = await self._columns(card, changes)
        if columns:
            room = await self._rooms.load(card.id)
            draft = Draft(room.id, Actor(card.owner, "user", "rest"), EditChannel(columns), "")
            await self._chat.decided(draft)
            if "slug" in columns:
                self._rooms.reslugged(card.id)
        return await self.get(card.id, by)

    async def delete(self, by: Principal, ref: str) -> None:
        """Delete a channel with all that was said in it. Raises Refused forbidden, not_found."""
        card = await self._card(ref)
        self._owner_only(card, by)
        await self._database.write(lambda db: _delete(db, card.id))
        if self.on_deleted is not None:
            self.on_deleted(card.id)
        self._rooms.forget(card.id)

    # -- inside ------------------------------------------------------------------------------------------------

    async def _card(self, ref: str) -> Card:
        column, value = ("slug", ref[1:].lower()) if ref.startswith("@") else ("id", ref)
        rows = await self._database.query(
            f"SELECT {CHANNEL_COLUMNS} FROM channel WHERE {column} = ?", (value,)
        )
        if not rows:
            raise Refused("not_found", "There is no such channel.", d={"what": "channel"})
        return channel_of(rows[0])

    @staticmethod
    def _owner_only(card: Card, by: Principal) -> None:
        if by.id != card.owner or by.scopes is not None or by.read_only:
            raise Refused("forbidden", "Only the channel's owner may do this.", d={"cap": "channel.edit"})

    async def _columns(self, card: Card, changes: dict[str, Any]) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for name, value in changes.items():
            match name:
                case "title":
                    columns[name] = _line(value, "title")
                case "category":
                    columns[name] = _line(value, "category") if value else ""
                case "tags":
                    columns[name] = list(_tags(value))
                case "slug":
                    columns[name] = await self._free_slug(card, _slug(value))
                case "visibility":
                    columns[name] = _visibility(value)
                case "policy":
                    columns[name] = _merged(card.policy, _camel(value))
                case _:
                    columns[name] = value
        return columns

    async def _free_slug(self, card: Card, slug: str) -> str:
        taken = await self.find(slug)
        if taken not in (None, card.id):
            raise _taken(slug)
        return slug

    def _shown(self, card: Card, viewer: Principal | None) -> resources.Channel:
        room = self._rooms.get(card.id)
        viewers = room.presence.counts(self._clock())[0] if room is not None else 0
        mine = viewer is not None and not viewer.read_only and (viewer.id == card.owner or viewer.is_admin)
        policy = msgspec.convert(effective(card.policy), resources.Policy) if mine else msgspec.UNSET
        scheduled = card.scheduled_at is not None and card.scheduled_at > self._clock()
        return resources.Channel(
            id=card.id,
            slug=card.slug,
            owner_id=card.owner,
            title=card.title,
            category=card.category or None,
            tags=list(card.tags),
            live_state="scheduled" if scheduled else "offline",
            viewers=viewers,
            started_at=None,
            scheduled_at=card.scheduled_at,
            thumbnail_url=None,
            playback=None,
            mature=card.mature,
            visibility=card.visibility,  # pyright: ignore[reportArgumentType] - stored from the same words
            created_at=card.created_at,
            policy=policy,
        )


def _line(text: str, field: str) -> str:
    clean = unicodedata.normalize("NFC", _BIDI.sub("", text)).strip()
    if not clean or any(unicodedata.category(char) in ("Cc", "Cs") for char in clean):
        raise Refused(
            "bad_request",
            f"{field} must be one line of text without control characters.",
            field=field,
            d={"reason": "empty" if not clean else "control_character"},
        )
    return clean


def _visibility(value: str) -> str:
    """What this server can keep: a channel that should be closed to somebody must not be open by mistake."""
    if value not in ("public", "unlisted"):
        raise Refused(
            "bad_request",
            "This server has public and unlisted channels.",
            field="visibility",
            d={"reason": "not_served"},
        )
    return value


def _tags(tags: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_line(tag, "tags").lower() for tag in tags))


def _slug(slug: str) -> str:
    lowered = slug.lower()
    if SLUG.fullmatch(lowered) is None:
        raise Refused(
            "bad_request",
            "A slug has 3 to 40 of the characters a-z, 0-9, - and _, and begins and ends with a letter or digit.",
            field="slug",
            d={"reason": "pattern"},
        )
    return lowered


def slug_of(title: str) -> str:
    """A slug made from a title: its letters and digits in ASCII, 3 to 30 of them."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:30].strip("-")
    return slug if len(slug) >= 3 else f"channel-{slug}".strip("-")


def _taken(slug: str) -> Refused:
    return Refused("conflict", f"The address @{slug} is taken; choose another.", field="slug")


def _insert(db: sqlite3.Connection, card: Card, wish: str | None, key: tuple[Any, ...]) -> str:
    base = wish or slug_of(card.title)
    slug, number = base, 1
    while db.execute("SELECT 1 FROM channel WHERE slug = ?", (slug,)).fetchone():
        if wish is not None:
            raise _taken(slug)
        number += 1
        slug = f"{base}-{number}"
    db.execute(
        f"INSERT INTO channel ({CHANNEL_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            card.id,
            slug,
            card.owner,
            card.title,
            card.category,
            json.dumps(card.tags),
            card.mature,
            card.visibility,
            "{}",
            card.created_at,
            card.scheduled_at,
        ),
    )
    db.executemany("INSERT INTO stream (kind, owner) VALUES (?, ?)", [("room", card.id), ("mod", card.id)])
    db.execute("INSERT INTO stream_key (id, channel, hash, created_at) VALUES (?, ?, ?, ?)", key)
    return slug


def _delete(db: sqlite3.Connection, channel: str) -> None:
    db.execute("DELETE FROM event WHERE stream IN (SELECT id FROM stream WHERE owner = ?)", (channel,))
    db.execute("DELETE FROM stream WHERE owner = ?", (channel,))
    for table in ("message", "role", "mode", "sanction", "stream_key"):
        db.execute(f"DELETE FROM {table} WHERE channel = ?", (channel,))
    db.execute("DELETE FROM channel WHERE id = ?", (channel,))


def _filters(query: resources.ChannelQuery, viewer: Principal | None, now: int) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    if viewer is None or not viewer.is_admin:
        parts.append("(visibility = 'public' OR owner = ?)")
        values.append("" if viewer is None or viewer.read_only else viewer.id)
    if query.owner_id is not None:
        parts.append("owner = ?")
        values.append(query.owner_id)
    if query.category is not None:
        parts.append("category = ? COLLATE NOCASE")
        values.append(query.category)
    if query.tag is not None:
        parts.append("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)")
        values.append(query.tag.lower())
    if query.q is not None:
        parts.append("(instr(lower(title), ?) OR instr(slug, ?))")
        values += [query.q.lower()] * 2
    if query.upcoming is not None:
        parts.append("coalesce(scheduled_at, 0) > ?" if query.upcoming else "coalesce(scheduled_at, 0) <= ?")
        values.append(now)
    if query.cursor is not None:
        parts.append("id < ?")
        values.append(query.cursor)
    return " AND ".join(parts) or "1", values


def _camel(patch: dict[str, Any]) -> dict[str, Any]:
    """A nested patch in python names, in the wire's spelling in which policies are stored."""
    found: dict[str, Any] = {}
    for name, value in patch.items():
        head, *rest = name.split("_")
        spelled = head + "".join(part.capitalize() for part in rest)
        nested: Any = value
        found[spelled] = _camel(nested) if isinstance(value, dict) and name != "thresholds" else value
    return found


def _merged(policy: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    whole = effective(policy)
    merged = dict(policy)
    for name, value in changes.items():
        merged[name] = {**whole[name], **value} if isinstance(value, dict) else value
    return merged
