"""From msgspec's complaint to `bad_request` with field, reason and remedy (PROTOCOL.md section 13, 1106).

Owns the reading of msgspec's messages, in one place, and the short classes in `err.d.reason`. Refuses to
know which frame or body it was.
"""

from __future__ import annotations

import re

from schemas.errors import Refused
from schemas.values import Fault

_PATH = re.compile(r" - at `(?:key in )?\$(.*?)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(.*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`$", re.DOTALL)
_TYPE = re.compile(r"^Expected `(.+)`, got `(.+)`$")
_LENGTH = re.compile(r"^Expected `(\w+)` of length (>=|<=|==)? ?(\d+)(?:, got (\d+))?$")
_RANGE = re.compile(r"^Expected `(\w+)` (>=|<=|>|<) (-?[\d.]+)$")
_NOUNS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def refusal_of(exc: Exception, prefix: str = "") -> Refused:
    """Turn a failed decode into `bad_request`; `prefix` is put before the field's path (`d.`)."""
    text = str(exc)
    path = ""
    if found := _PATH.search(text):
        path = found.group(1)
        text = text[: found.start()]
    path = prefix + path.lstrip(".")
    cause = exc.__cause__
    if isinstance(cause, Fault):
        return _bad(_join(path, cause.field), cause.reason, cause.message)
    return _classify(text, path)


def _classify(text: str, path: str) -> Refused:
    if found := _MISSING.match(text):
        field = _join(path, found.group(1))
        return _bad(field, "missing", f"`{field}` is missing; add it.")
    if found := _UNKNOWN.match(text):
        field = _join(path, found.group(1)[:64])
        return _bad(field, "unknown_member", f"`{field}` can't be set here; leave it out.")
    field = path.rstrip(".")
    name = f"`{field}`" if field else "The body"
    if found := _TYPE.match(text):
        return _bad(field, "wrong_type", f"{name} must be {_nouns(found[1])}, not {_nouns(found[2])}.")
    if found := _LENGTH.match(text):
        return _length(field, name, found[1], found[2] or "==", int(found[3]))
    if found := _RANGE.match(text):
        return _bad(field, "out_of_range", f"{name} must be {_BOUNDS[found[2]]} {found[3]}.")
    if text.startswith(("Invalid enum value", "Invalid value")):
        return _bad(field, "unknown_value", f"{name} has a value that is not known; see its list of values.")
    if text.startswith("Expected `str` matching"):
        return _bad(field, "bad_format", f"{name} does not have the right form; see its description.")
    if "out of range" in text:
        return _bad(field, "out_of_range", f"{name} is a number beyond all bounds; use a smaller one.")
    return _bad(field, "invalid", f"{name} is not valid: {text[:200]}.")


def _length(field: str, name: str, kind: str, relation: str, bound: int) -> Refused:
    unit = {"str": "characters", "array": "entries"}.get(kind, "members")
    if relation == "==":
        return _bad(field, "wrong_length", f"{name} must have exactly {bound} {unit}.")
    if relation == "<=":
        return _bad(field, "too_long", f"{name} may have at most {bound} {unit}.")
    return _bad(field, "too_short", f"{name} must have at least {bound} {unit}.")


def _nouns(types: str) -> str:
    return " or ".join(_NOUNS.get(name.strip(), name.strip()) for name in types.split("|"))


def _join(path: str, member: str) -> str:
    if not path:
        return member
    return path + member if path.endswith(".") else f"{path}.{member}"


def _bad(field: str, reason: str, message: str) -> Refused:
    return Refused("bad_request", message, field=field or None, d={"reason": reason})
