"""Owns the kinds of values a setting may have: how each is read from text or TOML, checked, written back.

Refuses to know which settings there are and where a value came from. A kind says no with `ValueError`, whose
text is the problem (of types too: a person reads it); `wanted` is the remedy that is shown with it.
"""
# ruff: noqa: TRY004

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from chatcore.limits import Spec

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Kind:
    """`read(raw, from_text)` gives the typed value or raises ValueError; `show` writes it as TOML."""

    wanted: str
    read: Callable[[Any, bool], Any]
    show: Callable[[Any], str]


def whole(low: int, high: int) -> Kind:
    """A whole number within bounds, both included."""

    def read(raw: Any, from_text: bool) -> int:
        if from_text:
            if not re.fullmatch(r"-?\d{1,18}", raw.strip(), re.ASCII):
                raise ValueError("is not a whole number")
            raw = int(raw)
        if type(raw) is not int:
            raise ValueError("is not a whole number" + _unquote_hint(raw))
        if not low <= raw <= high:
            raise ValueError("is too small" if raw < low else "is too large")
        return raw

    return Kind(f"a whole number from {low} to {high}", read, str)


def fraction(low: float, high: float) -> Kind:
    """A number within bounds, both included."""

    def read(raw: Any, from_text: bool) -> float:
        if from_text:
            try:
                raw = float(raw)
            except ValueError:
                raise ValueError("is not a number") from None
        if type(raw) not in (int, float):
            raise ValueError("is not a number" + _unquote_hint(raw))
        if not low <= raw <= high:  # also refuses NaN
            raise ValueError("is out of range")
        return float(raw)

    return Kind(f"a number from {low:g} to {high:g}", read, lambda value: f"{value:g}")


def choice(*names: str) -> Kind:
    """One of a few words."""

    def read(raw: Any, from_text: bool) -> str:
        del from_text
        if raw not in names:
            raise ValueError("is not one of them")
        return str(raw)

    return Kind("one of " + ", ".join(f'"{name}"' for name in names), read, _quoted)


_SWITCH_WORDS = dict.fromkeys(("on", "true", "yes", "1"), True) | dict.fromkeys(
    ("off", "false", "no", "0"), False
)


def switch() -> Kind:
    """On or off; in TOML true or false."""

    def read(raw: Any, from_text: bool) -> bool:
        found = _SWITCH_WORDS.get(raw.strip().lower()) if from_text else raw
        if not isinstance(found, bool):
            raise ValueError("is neither on nor off")
        return found

    return Kind(
        "true or false in the file, on or off elsewhere", read, lambda value: "true" if value else "false"
    )


def text(wanted: str, pattern: str) -> Kind:
    """Text of which the whole matches `pattern`."""

    def read(raw: Any, from_text: bool) -> str:
        del from_text
        if not isinstance(raw, str):
            raise ValueError("is not text")
        if not re.fullmatch(pattern, raw):
            raise ValueError("does not have the right form")
        return raw

    return Kind(wanted, read, _quoted)


def folder() -> Kind:
    """A folder's path; `~` is the home folder, a relative one counts from where the command is started."""

    def read(raw: Any, from_text: bool) -> Path:
        del from_text
        if not isinstance(raw, str) or not raw.strip():
            raise ValueError("is not a path")
        if "\0" in raw:
            raise ValueError("has a null character in it")
        return Path(raw).expanduser()

    return Kind("the path of a folder", read, lambda value: _quoted(str(value)))


def base_url() -> Kind:
    """An origin such as https://chat.example.com, or nothing."""

    def read(raw: Any, from_text: bool) -> str:
        del from_text
        if not isinstance(raw, str):
            raise ValueError("is not text")
        return "" if raw == "" else _origin(raw)

    return Kind('an address such as "https://chat.example.com", without a path', read, _quoted)


def origins() -> Kind:
    """A list of origins."""
    one = base_url()
    return _list_of(
        'a list of addresses such as "https://site.example"', lambda raw: one.read(raw, False), str
    )


def networks() -> Kind:
    """A list of IP addresses and networks."""

    def read_one(raw: str) -> Network:
        try:
            return ipaddress.ip_network(raw, strict=False)
        except ValueError:
            raise ValueError(f'has "{raw[:60]}" in it, which is no IP address or network') from None

    return _list_of('a list of addresses or networks such as "10.0.0.0/8"', read_one, str)


_RATE = re.compile(r"(\d{1,6}) ?/ ?(\d{1,5}) ?(s|min|h)(?: burst (\d{1,6}))?", re.ASCII)
_UNIT_MS = {"s": 1_000, "min": 60_000, "h": 3_600_000}


def rate(bucket: str) -> Kind:
    """A rate such as `20 / 30 s` or `10 / 1 min burst 50`, as the Spec of the bucket of this name."""

    def read(raw: Any, from_text: bool) -> Spec:
        del from_text
        match = _RATE.fullmatch(raw.strip()) if isinstance(raw, str) else None
        if match is None:
            raise ValueError("is not a rate")
        limit, span, burst = int(match[1]), int(match[2]), int(match[4] or 0)
        if limit < 1 or span < 1:
            raise ValueError("lets nothing through")
        return Spec(bucket, limit, span * _UNIT_MS[match[3]], burst)

    return Kind(
        'a rate such as "20 / 30 s" or "10 / 1 min burst 50"', read, lambda spec: _quoted(rate_text(spec))
    )


def rate_text(spec: Spec) -> str:
    """A Spec in the words of the settings file."""
    unit: Literal["s", "min", "h"] = "s"
    for longer in ("min", "h"):
        if spec.window_ms % _UNIT_MS[longer] == 0:
            unit = longer
    burst = f" burst {spec.burst}" if spec.burst else ""
    return f"{spec.limit} / {spec.window_ms // _UNIT_MS[unit]} {unit}{burst}"


def _list_of(wanted: str, read_one: Callable[[str], Any], show_one: Callable[[Any], str]) -> Kind:
    def read(raw: Any, from_text: bool) -> tuple[Any, ...]:
        if from_text:
            raw = [part.strip() for part in raw.split(",") if part.strip()]
        if not isinstance(raw, list):
            raise ValueError("is not a list")
        entries: list[Any] = raw  # pyright: ignore[reportUnknownVariableType] # each one is checked below
        if not all(isinstance(entry, str) and entry for entry in entries):
            raise ValueError("has an entry that is not text")
        return tuple(read_one(entry) for entry in entries)

    def show(value: tuple[Any, ...]) -> str:
        return "[" + ", ".join(_quoted(show_one(entry)) for entry in value) + "]"

    return Kind(wanted + " (separated by commas outside the file)", read, show)


def _origin(raw: str) -> str:
    try:
        parts = urlsplit(raw)
        port = parts.port
    except ValueError:
        raise ValueError("is not an address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("does not begin with http:// or https:// and a host")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("has more in it than scheme, host and port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in (None, default) else f":{port}")


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquote_hint(raw: Any) -> str:
    return " (write it without quotes)" if isinstance(raw, str) else ""
