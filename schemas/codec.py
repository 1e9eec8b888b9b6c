"""Bytes to commands, and replies and events to bytes (PROTOCOL.md sections 1 and 2).

Owns the order of checks: size, UTF-8, nesting depth, then one decode; and what a client is told about a bad
frame. Refuses to know connections: it says whether a bad frame counts towards closing, others count.

The good path is one pass of msgspec over one tagged union. Only when that fails is the frame looked at
again, slowly, to name the member and the remedy.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Raw

from schemas import limits
from schemas.catalog import BY_NAME
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
from schemas.values import Fault, Payload

T = TypeVar("T")


class BadFrame(Exception):
    """A frame that is no valid command.

    `refused` is the answer, `re` the id to answer to (None where none can be read), `counts` says whether it
    is one of the frames (too large, or no object) that close the connection with 4501 when repeated.
    """

    def __init__(self, refused: Refused, re: int | None = None, *, counts: bool = False) -> None:
        super().__init__(refused.code, refused.message)
        self.refused = refused
        self.re = re
        self.counts = counts


_BAD_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError)
_frames = msgspec.json.Decoder(AnyFrame)
_anything = msgspec.json.Decoder()
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
        _check_large(data, size)
    if data.count(b"{") + data.count(b"[") > limits.DEPTH and too_deep(data):
        raise BadFrame(_deep(), counts=True)
    try:
        return _frames.decode(data)
    except _BAD_JSON as exc:
        raise _diagnose(data, exc) from None


def decode_door(t: str, data: bytes) -> Command:
    """Decode the body `{"ch"?, "d"?}` of `POST /api/commands/{t}`; `.id` is 0. Raises Refused.

    An unknown command, and one that the door does not serve, is `unknown_command`; an empty body is `{}`.
    """
    decoder = _doors.get(t)
    if decoder is None:
        raise Refused("unknown_command", _unknown_text(t))
    limit = limits.BODY_BULK if BY_NAME[t].bulk else limits.BODY
    return cast(Command, _decode(decoder, data or b"{}", limit))


def decode_payload(t: str, data: bytes) -> Payload:
    """Decode the bare `d` of a command; raises Refused with fields relative to `d`."""
    decoder = _payloads.get(t)
    if decoder is None:
        raise Refused("unknown_command", _unknown_text(t))
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
    except _BAD_JSON as exc:
        raise refusal_of(exc) from None


def _decode(decoder: msgspec.json.Decoder[T], data: bytes, limit: int) -> T:
    if len(data) > limit:
        raise _too_large(limit, len(data))
    if data.count(b"{") + data.count(b"[") > limits.DEPTH and too_deep(data):
        raise _deep()
    try:
        return decoder.decode(data)
    except _BAD_JSON as exc:
        if not isinstance(exc, msgspec.ValidationError):
            raise _no_body(data, exc) from None
        try:
            _heads.decode(data)
        except msgspec.ValidationError:
            raise Refused("bad_frame", "The body must be a JSON object.") from None
        except _BAD_JSON as worse:
            raise Refused("bad_frame", _no_json(worse)) from None
        raise refusal_of(exc) from None


def _no_body(data: bytes, exc: Exception) -> Refused:
    if _has_lone_surrogate(data):
        return _bad("", "bad_text", "A text holds half a character; send it whole.")
    return Refused("bad_frame", _no_json(exc))


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


# -- bad frames --------------------------------------------------------------------------------------------

_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_ONE_KIND = bytes.maketrans(b"{}", b"[]")


def too_deep(data: bytes, depth: int = limits.DEPTH) -> bool:
    """Say whether arrays and objects nest deeper than `depth`; linear, and safe on what is no JSON."""
    brackets = _STRINGS.sub(b"", data).translate(_ONE_KIND, _NO_BRACKETS)
    for _ in range(depth):
        shorter = brackets.replace(b"[]", b"")
        if len(shorter) == len(brackets):
            break
        brackets = shorter
    return b"[]" in brackets or brackets.count(b"[") > depth


_ABSENT = Raw(b"null")


class _Head(msgspec.Struct):
    """The members that say what a frame is, undecoded."""

    id: Raw = _ABSENT
    t: Raw = _ABSENT
    d: Raw = _ABSENT


_heads = msgspec.json.Decoder(_Head)
_NO_HEAD = _Head()


def _check_large(data: bytes, limit: int) -> None:
    """Pass what may be large; else refuse, with the id where one can be read."""
    if len(data) > limits.FRAME_LARGE:
        raise BadFrame(_too_large(limit, len(data)), counts=True)
    head = (None if too_deep(data) else _head_of(data)) or _NO_HEAD
    name = _scalar(head.t)
    spec = BY_NAME.get(name) if isinstance(name, str) else None
    if spec is None or not spec.large:
        raise BadFrame(_too_large(limit, len(data)), _id_of(head), counts=True)


def _scalar(raw: Raw) -> object:
    try:
        return _anything.decode(raw)
    except _BAD_JSON:
        return None


def _id_of(head: _Head) -> int | None:
    number = _scalar(head.id)
    if type(number) is int and 1 <= number <= limits.MAX_ID:
        return number
    return None


def _diagnose(data: bytes, exc: Exception) -> BadFrame:
    """Find out what is wrong with a frame that did not decode: envelope first, then the payload."""
    try:
        head = _heads.decode(data)
    except msgspec.ValidationError:
        return BadFrame(Refused("bad_frame", "Not a JSON object."), counts=True)
    except _BAD_JSON as worse:
        head = _head_of(_SURROGATES.sub(rb"\\ufffd", data))
        if head is None:
            return BadFrame(Refused("bad_frame", _no_json(worse)), counts=True)
        exc = Fault("d", "bad_text", "A text holds half a character; send it whole.")
    number = _id_of(head)
    if isinstance(exc, (UnicodeError, RecursionError)):
        return BadFrame(Refused("bad_frame", _no_json(exc)), number, counts=True)
    name = _scalar(head.t)
    if number is None and name != "pong":
        return BadFrame(Refused("bad_id", field="id"))
    if name is None:
        return BadFrame(_bad("t", "missing", "Say which command: add `t`."), number)
    if not isinstance(name, str) or name not in BY_NAME:
        return BadFrame(Refused("unknown_command", _unknown_text(name), field="t"), number)
    return BadFrame(_payload_refusal(name, head, exc), number)


def _has_lone_surrogate(data: bytes) -> bool:
    r"""Say whether half a surrogate pair (`"\ud83d"`) is all that is wrong: browsers cut text like that."""
    whole = _SURROGATES.sub(rb"\\ufffd", data)
    return whole != data and _head_of(whole) is not None


def _head_of(data: bytes) -> _Head | None:
    try:
        return _heads.decode(data)
    except _BAD_JSON:
        return None


def _payload_refusal(name: str, head: _Head, exc: Exception) -> Refused:
    if isinstance(exc, Fault):
        return _bad(exc.field, exc.reason, exc.message)
    if head.d is not _ABSENT or not _lacks_d(exc):
        return refusal_of(exc)
    try:
        _payloads[name].decode(b"{}")
    except _BAD_JSON as inner:
        return refusal_of(inner, "d.")
    return refusal_of(exc)


def _lacks_d(exc: Exception) -> bool:
    return str(exc) == "Object missing required field `d`"


def _bad(field: str, reason: str, message: str) -> Refused:
    return Refused("bad_request", message, field=field or None, d={"reason": reason})


def _too_large(limit: int, have: int) -> Refused:
    return Refused(
        "too_large", f"{have} bytes are too many; send at most {limit}.", d={"max": limit, "have": have}
    )


def _deep() -> Refused:
    return Refused("bad_frame", f"Nested too deep; use at most {limits.DEPTH} levels.")


def _no_json(exc: Exception) -> str:
    if isinstance(exc, UnicodeError):
        return "Not UTF-8; encode the text as UTF-8."
    if isinstance(exc, RecursionError):
        return f"Nested too deep; use at most {limits.DEPTH} levels."
    return f"Not valid JSON: {exc}."


def _unknown_text(name: object) -> str:
    if isinstance(name, str) and len(name) <= 64:
        return f"There is no command `{name}` here; check `t`."
    return "There is no such command; check `t`."
