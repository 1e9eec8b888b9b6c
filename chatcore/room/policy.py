"""Owns a channel's policy: its members, their defaults and their limits (product.md, Policy of a channel)."""

from __future__ import annotations

from typing import Any

from schemas.errors import Refused

DEFAULTS: dict[str, Any] = {
    "guests": True,
    "anonymousRead": True,
    "textMax": 500,
    "explain": "category",
    "holdSeconds": 900,
    "holdExpiry": "deny",
    "hint": {"scorer": "detoxify", "thresholds": {"toxicity": 0.9}, "do": "flag"},
    "banHides": False,
    "guestsVote": False,
    "retentionDays": {"messages": 365, "audit": None},
}

_CHOICES = {"explain": ("none", "category", "full"), "holdExpiry": ("deny", "allow")}
_RANGES = {"textMax": (1, 500), "holdSeconds": (10, 86_400)}


def effective(policy: dict[str, Any]) -> dict[str, Any]:
    """The policy in force: the defaults with what the owner changed."""
    return {**DEFAULTS, **policy}


def text_max(policy: dict[str, Any]) -> int:
    """How many code points a message may have here."""
    most: int = policy.get("textMax", DEFAULTS["textMax"])
    return most


def checked(changes: dict[str, Any]) -> dict[str, Any]:
    """`changes` if every member is known and of its kind. Raises Refused bad_request with the field."""
    for name, value in changes.items():
        default = DEFAULTS.get(name)
        if name not in DEFAULTS:
            raise _bad(
                name, f"The policy has no member {name!r}; it has {', '.join(DEFAULTS)}.", "unknown_member"
            )
        if isinstance(default, bool) != isinstance(value, bool) or not isinstance(value, type(default)):
            raise _bad(name, f"policy.{name} must be of the kind of {default!r}.", "wrong_type")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise _bad(name, f"policy.{name} must be one of {', '.join(_CHOICES[name])}.", "unknown_value")
        low, high = _RANGES.get(name, (None, None))
        if low is not None and high is not None and not low <= value <= high:
            raise _bad(name, f"policy.{name} must be from {low} to {high}.", "out_of_range")
    return changes


def _bad(name: str, message: str, reason: str) -> Refused:
    return Refused("bad_request", message, field=f"policy.{name}", d={"reason": reason})
