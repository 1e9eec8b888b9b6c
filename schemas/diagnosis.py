"""What is wrong with a frame or body that did not decode (PROTOCOL.md sections 1, 2 and 13).

Owns the slow path of the codec: naming the member and the remedy, reading the `id` of a bad frame where that
is possible, and measuring depth. Refuses to decode what is good: that is `schemas.codec`.
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw

from schemas import limits
from schemas.catalog import BY_NAME
from schemas.errors import Refused
from schemas.faults import refusal_of
from schemas.values import Fault


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


BAD_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError)
"""All that msgspec raises on bad input; not all of it is its own."""

_anything = msgspec.json.Decoder()
_payloads = {t: msgspec.json.Decoder(spec.request) for t, spec in BY_NAME.items()}
# Browsers cut text between the halves of a surrogate pair, and JSON.stringify writes the half as an escape.
_HALF = "A text holds half a character (a lone surrogate); send it whole."

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


def check_large(data: bytes, limit: int) -> None:
    """Pass what may be large; else refuse, with the id where one can be read."""
    if len(data) > limits.FRAME_LARGE:
        raise BadFrame(too_large(limit, len(data)), counts=True)
    head = (None if too_deep(data) else _head_of(data)) or _NO_HEAD
    name = _scalar(head.t)
    spec = BY_NAME.get(name) if isinstance(name, str) else None
    if spec is None or not spec.large:
        raise BadFrame(too_large(limit, len(data)), _id_of(head), counts=True)


def _scalar(raw: Raw) -> object:
    try:
        return _anything.decode(raw)
    except BAD_JSON:
        return None


def _id_of(head: _Head) -> int | None:
    number = _scalar(head.id)
    if type(number) is int and 1 <= number <= limits.MAX_ID:
        return number
    return None


def diagnose(data: bytes, exc: Exception) -> BadFrame:
    """Find out what is wrong with a frame that did not decode: envelope first, then the payload."""
    try:
        head = _heads.decode(data)
    except msgspec.ValidationError:
        return BadFrame(Refused("bad_frame", "Not a JSON object."), counts=True)
    except BAD_JSON as worse:
        head = _head_of(_SURROGATES.sub(rb"\\ufffd", data))
        if head is None:
            why = exc if isinstance(exc, UnicodeError) else worse
            return BadFrame(Refused("bad_frame", _no_json(why)), counts=True)
        exc = Fault("d", "bad_text", _HALF)
    number = _id_of(head)
    if isinstance(exc, (UnicodeError, RecursionError)):
        return BadFrame(Refused("bad_frame", _no_json(exc)), number, counts=True)
    name = _scalar(head.t)
    if number is None and name != "pong":
        return BadFrame(Refused("bad_id", field="id"))
    if name is None:
        return BadFrame(_bad("t", "missing", "Say which command: add `t`."), number)
    if not isinstance(name, str) or name not in BY_NAME:
        return BadFrame(Refused("unknown_command", unknown_text(name), field="t"), number)
    return BadFrame(_payload_refusal(name, head, exc), number)


def body_refusal(data: bytes, exc: Exception, door: str | None = None) -> Refused:
    """Find out what is wrong with a REST body that did not decode; `door` names the command, if it is one."""
    if isinstance(exc, msgspec.ValidationError):
        try:
            head = _heads.decode(data)
        except msgspec.ValidationError:
            return Refused("bad_frame", "The body must be a JSON object.")
        except BAD_JSON as worse:
            return Refused("bad_frame", _no_json(worse))
        return refusal_of(exc) if door is None else _payload_refusal(door, head, exc)
    whole = _SURROGATES.sub(rb"\\ufffd", data)
    if whole != data and _head_of(whole) is not None:
        return _bad("", "bad_text", _HALF)
    return Refused("bad_frame", _no_json(exc))


def _head_of(data: bytes) -> _Head | None:
    try:
        return _heads.decode(data)
    except BAD_JSON:
        return None


def _payload_refusal(name: str, head: _Head, exc: Exception) -> Refused:
    if isinstance(exc, Fault):
        return _bad(exc.field, exc.reason, exc.message)
    if head.d is not _ABSENT or not _lacks_d(exc):
        return refusal_of(exc)
    try:
        _payloads[name].decode(b"{}")
    except BAD_JSON as inner:
        return refusal_of(inner, "d.")
    return refusal_of(exc)


def _lacks_d(exc: Exception) -> bool:
    return str(exc) == "Object missing required field `d`"


def _bad(field: str, reason: str, message: str) -> Refused:
    return Refused("bad_request", message, field=field or None, d={"reason": reason})


def too_large(limit: int, have: int) -> Refused:
    """The refusal of what has too many bytes."""
    return Refused(
        "too_large", f"{have} bytes are too many; send at most {limit}.", d={"max": limit, "have": have}
    )


def deep() -> Refused:
    """The refusal of what nests too deep."""
    return Refused("bad_frame", f"Nested too deep; use at most {limits.DEPTH} levels.")


def _no_json(exc: Exception) -> str:
    if isinstance(exc, UnicodeError):
        return "Not UTF-8; encode the text as UTF-8."
    if isinstance(exc, RecursionError):
        return f"Nested too deep; use at most {limits.DEPTH} levels."
    return f"Not valid JSON: {exc}."


def unknown_text(name: object) -> str:
    """What to say of a command that does not exist."""
    if isinstance(name, str) and len(name) <= 64:
        return f"There is no command `{name}` here; check `t`."
    return "There is no such command; check `t`."
