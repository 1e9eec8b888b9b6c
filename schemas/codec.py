"""Bytes to commands, and replies and events to bytes (PROTOCOL.md sections 1 and 2).

Owns the order of checks: size, UTF-8, nesting depth, then one decode; and what a client is told about a bad
frame. Refuses to know connections: it says whether a bad frame counts towards closing, others count.

The good path is one pass of msgspec over one tagged union. Only when that fails is the frame looked at
again, slowly, to name the member and the remedy.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec
from msgspec import Raw

from schemas import limits
from schemas.catalog import BY_NAME
from schemas.diagnosis import (
    BAD_JSON,
    body_refusal,
    check_large,
    deep,
    diagnose,
    too_deep,
    too_large,
    unknown_text,
)
from schemas.diagnosis import BadFrame as BadFrame
from schemas.envelope import (
    DOOR_BODIES,
    AnyFrame,
    Command,
    ErrorBody,
    Event,
    ReplyError,
    ReplyOk,
    RestError,
)
from schemas.errors import Disconnect, Refused
from schemas.events import Bye
from schemas.faults import refusal_of
from schemas.values import Payload

T = TypeVar("T")


_frames = msgspec.json.Decoder(AnyFrame)
_doors = {t: msgspec.json.Decoder(body) for t, body in DOOR_BODIES.items()}
_payloads = {t: msgspec.json.Decoder(spec.request) for t, spec in BY_NAME.items()}
_encoder = msgspec.json.Encoder()
_encode = _encoder.encode


# -- in ----------------------------------------------------------------------------------------------------


def decode_command(data: bytes, *, limit: int | None = None) -> Command:
    """Decode one text frame into a typed command (`.id .t .ch .d`); raises BadFrame.

    `limit` (bytes, default 8 KiB) holds for ordinary commands; `auth` and `rtc.*` may have 64 KiB.
    """
    size = limits.FRAME if limit is None else limit
    if len(data) > size:
        check_large(data, size)
    if data.count(b"{") + data.count(b"[") > limits.DEPTH and too_deep(data):
        raise BadFrame(deep(), counts=True)
    try:
        if not data.isascii():
            data.decode()  # members that are unknown are skipped unread, yet must be UTF-8 too
        return _frames.decode(data)
    except BAD_JSON as exc:
        raise diagnose(data, exc) from None


def decode_door(t: str, data: bytes) -> Command:
    """Decode the body `{"ch"?, "d"?}` of `POST /api/commands/{t}`; `.id` is 0. Raises Refused.

    An unknown command, and one that the door does not serve, is `unknown_command`; an empty body is `{}`.
    """
    decoder = _doors.get(t)
    if decoder is None:
        raise Refused("unknown_command", unknown_text(t), field="t")
    limit = limits.BODY_BULK if BY_NAME[t].bulk else limits.BODY
    return cast(Command, _decode(decoder, data or b"{}", limit, t))


def decode_payload(t: str, data: bytes) -> Payload:
    """Decode the bare `d` of a command; raises Refused with fields relative to `d`."""
    decoder = _payloads.get(t)
    if decoder is None:
        raise Refused("unknown_command", unknown_text(t))
    return _decode(decoder, data, limits.BODY)


_bodies: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode_body(kind: type[T], data: bytes, *, limit: int = limits.BODY) -> T:
    """Decode a REST body into a structure of `schemas.resources`; raises Refused (fields without prefix)."""
    decoder = _bodies.get(kind)
    if decoder is None:
        decoder = _bodies[kind] = msgspec.json.Decoder(kind)
    return _decode(decoder, data or b"{}", limit)


def convert_query(kind: type[T], values: dict[str, str]) -> T:
    """Convert the parameters of a query string into a structure; raises Refused naming the parameter."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except BAD_JSON as exc:
        raise refusal_of(exc) from None


def _decode(decoder: msgspec.json.Decoder[T], data: bytes, limit: int, door: str | None = None) -> T:
    if len(data) > limit:
        raise too_large(limit, len(data))
    if data.count(b"{") + data.count(b"[") > limits.DEPTH and too_deep(data):
        raise deep()
    try:
        if not data.isascii():
            data.decode()
        return decoder.decode(data)
    except BAD_JSON as exc:
        raise body_refusal(data, exc, door) from None


# -- out ---------------------------------------------------------------------------------------------------


def encode_reply_ok(re: int, d: Payload | Raw | dict[str, Any]) -> bytes:
    """`{"re":…,"ok":true,"d":…}`"""
    return _encode(ReplyOk(re, True, d))


def encode_reply_error(re: int | None, refused: Refused) -> bytes:
    """`{"re":…,"ok":false,"err":{…}}`; `re` None is null."""
    return _encode(ReplyError(re, False, error_of(refused)))


def encode_event(
    t: str,
    ch: str | None,
    s: str | None,
    pos: tuple[str, int] | None,
    ts: int | None,
    d: Payload | Raw | dict[str, Any],
) -> bytes:
    """One event; members that are None are absent. `pos` None = ephemeral, or a report with `d.pos`."""
    return _encode(Event(t, d, ch, s, pos, ts))


def encode_payload(d: Any) -> bytes:
    """A bare payload or REST body."""
    return _encode(d)


def encode_bye(end: Disconnect) -> bytes:
    """The `bye` event that precedes a close by the server."""
    after = msgspec.UNSET if end.after_ms is None else end.after_ms
    return _encode(
        Event("bye", Bye(close=end.close, code=end.code, reason=end.reason, retry=end.retry, after_ms=after))
    )


def error_of(refused: Refused) -> ErrorBody:
    """The `err` of a reply."""
    return ErrorBody(
        refused.code, refused.n, refused.message, refused.retry, refused.d, refused.after_ms, refused.field
    )


def error_body(refused: Refused) -> bytes:
    """The body of a refused REST request: `{"error":{…}}`."""
    return _encode(RestError(error_of(refused)))
