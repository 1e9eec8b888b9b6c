"""Roles and capabilities as data (PROTOCOL.md section 7).

Owns the order of roles and which role each capability starts from. Refuses to know who has a role, and the
channel's policy, which may take capabilities from guests.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Role = Literal["owner", "lead", "moderator", "helper", "vip", "member", "viewer", "guest"]

ROLES: Final[tuple[Role, ...]] = (
    "owner",
    "lead",
    "moderator",
    "helper",
    "vip",
    "member",
    "viewer",
    "guest",
)
INSTANCE_ROLES: Final = ("admin", "creator")
STAFF_FROM: Final[Role] = "helper"

_BY_ROLE: Final[Mapping[Role, tuple[str, ...]]] = MappingProxyType(
    {
        "guest": ("msg.send", "msg.report", "react", "poll.vote", "appeal.open"),
        "vip": ("exempt.slow", "exempt.modes"),
        "helper": ("mod.read", "queue.read", "case.hold"),
        "moderator": (
            "mod.delete",
            "mod.clear",
            "mod.timeout",
            "mod.ban",
            "mod.warn",
            "mod.restrict",
            "mod.note",
            "mod.reveal",
            "case.decide",
            "mode.set",
            "rule.edit",
            "pin",
            "announce",
            "poll.manage",
            "audit.read",
            "role.vip",
        ),
        "lead": ("role.grant", "policy.edit", "mod.undo"),
        "owner": (
            "key.create",
            "key.list",
            "key.revoke",
            "stream.start",
            "stream.end",
            "webhook.edit",
            "channel.delete",
        ),
    }
)

CAPABILITIES: Final[Mapping[str, Role]] = MappingProxyType(
    {cap: role for role, caps in _BY_ROLE.items() for cap in caps}
)

_RANK: Final[Mapping[str, int]] = MappingProxyType({role: n for n, role in enumerate(reversed(ROLES))})
_CAPS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {role: frozenset(cap for cap, low in CAPABILITIES.items() if _RANK[low] <= _RANK[role]) for role in ROLES}
)
_STAFF: Final = frozenset(role for role in ROLES if _RANK[role] >= _RANK[STAFF_FROM])


def rank(role: str) -> int:
    """Height of a role: guest 0 … owner 7. KeyError for what is no channel role."""
    return _RANK[role]


def caps_of(role: str) -> frozenset[str]:
    """All capabilities of a role, its own and those of every lower role. KeyError for an unknown role."""
    return _CAPS[role]


def is_staff(role: str) -> bool:
    """Staff read the `mod` stream: helper and above."""
    return role in _STAFF


def outranks(actor: str, target: str) -> bool:
    """Nobody acts on an equal or higher role."""
    return _RANK[actor] > _RANK[target]
