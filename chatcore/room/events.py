"""Owns the durable events as the log stores them: ids only, no text and no names (law 7).

What a client reads is made from these by `chatcore.room.encode`. The tag `k` is stored and never reused.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

By = Literal["author", "staff", "automod"]
StreamKind = Literal["room", "mod", "me"]


class _Stored(msgspec.Struct, frozen=True, tag_field="k", omit_defaults=True):
    pass


class Said(_Stored, frozen=True, tag="said"):
    """A message took its place. `bucket` is the author's send bucket after it, as the time when it is full (ms)."""

    mid: str
    user: str
    bucket: int
    idem: str | None = None


class Gone(_Stored, frozen=True, tag="gone"):
    """Messages went: `mids`, or all of `user` with lo <= n <= hi."""

    by: By
    mids: tuple[str, ...] = ()
    user: str | None = None
    lo: int = 0
    hi: int = 0
    reason: str | None = None


class ModeChanged(_Stored, frozen=True, tag="mode"):
    name: str
    value: int | bool | str
    until: int | None
    by: str


class RoleChanged(_Stored, frozen=True, tag="role"):
    """`role` None: the grant ended."""

    user: str
    role: str | None
    until: int | None = None


class Sanctioned(_Stored, frozen=True, tag="sanctioned"):
    user: str
    kind: Literal["timeout", "ban"]
    until: int | None
    action: str
    reason: str | None = None


class Unsanctioned(_Stored, frozen=True, tag="unsanctioned"):
    user: str
    cause: Literal["expired", "lifted", "undone", "appeal"]


class ChannelChanged(_Stored, frozen=True, tag="channel"):
    """The named fields of the channel's card or policy changed (column name -> new value)."""

    changes: dict[str, Any]


class Acted(_Stored, frozen=True, tag="acted"):
    """Stream `mod`: one act of moderation, its audit entry's public half (protocol 8)."""

    action: str
    kind: str
    actor: str
    actor_role: str
    via: str
    params: dict[str, Any]
    target: str | None = None
    mids: tuple[str, ...] = ()
    reason: str | None = None


class Noticed(_Stored, frozen=True, tag="noticed"):
    """Stream `me`: something that concerns the reader; ids, never text (protocol 11)."""

    kind: Literal["mention", "reply"]
    ch: str
    mid: str
    by: str


class MyRole(_Stored, frozen=True, tag="my_role"):
    ch: str
    role: str
    caps: tuple[str, ...]


class MySanction(_Stored, frozen=True, tag="my_sanction"):
    """A sanction began (`cause` None) or ended."""

    ch: str
    kind: Literal["timeout", "ban"]
    action: str
    until: int | None = None
    reason: str | None = None
    cause: str | None = None


Stored = (
    Said
    | Gone
    | ModeChanged
    | RoleChanged
    | Sanctioned
    | Unsanctioned
    | ChannelChanged
    | Acted
    | Noticed
    | MyRole
    | MySanction
)


class StreamKey(NamedTuple):
    """Which stream: `owner` is a channel id for room and mod, a user or guest id for me."""

    kind: StreamKind
    owner: str


class Message(msgspec.Struct):
    """A message as stored: the one place of its text. `gone` says who removed it, None while it stands."""

    mid: str
    n: int
    user: str | None
    ts: int
    text: str
    frags: tuple[dict[str, Any], ...] = ()
    reply: str | None = None
    root: str | None = None
    flags: tuple[str, ...] = ()
    gone: By | None = None


class Entry(msgspec.Struct):
    """One row of the log. `n` is 0 until it is known (me streams are numbered by the log itself)."""

    stream: StreamKey
    n: int
    ts: int
    event: Stored
    message: Message | None = None


_DECODER: msgspec.json.Decoder[Stored] = msgspec.json.Decoder(Stored)
_ENCODER = msgspec.json.Encoder()


def encode_stored(event: Stored) -> bytes:
    """The bytes kept in the log."""
    return _ENCODER.encode(event)


def decode_stored(body: bytes | str) -> Stored:
    """The event of a row. Raises msgspec.DecodeError if the row was not written by us."""
    return _DECODER.decode(body)
