"""Owns a table for tests: each kind of stored event but `Said`, its stream, and what its readers are to get."""

from __future__ import annotations

from typing import Any

from chatcore.room.encode import Named
from chatcore.room.events import (
    Acted,
    ChannelChanged,
    Gone,
    ModeChanged,
    MyRole,
    MySanction,
    Noticed,
    RoleChanged,
    Sanctioned,
    Stored,
    StreamKey,
    Unsanctioned,
)
from tests.unit.room.world import CH, NOW, OWNER

ROOM, MOD, ME = StreamKey("room", CH), StreamKey("mod", CH), StreamKey("me", "u_bob")
PEOPLE = {
    "u_ann": Named("ann", "Ann", "user"),
    "u_bob": Named("bob", "Bob", "user"),
    "u_mod": Named("mona", "Mona", "user"),
    "g_gus": Named("Gus-42", "Gus-42", "guest"),
    OWNER: Named("river", "River", "user"),
}
ANN = {"id": "u_ann", "name": "ann", "displayName": "Ann"}
BOB = {"id": "u_bob", "name": "bob", "displayName": "Bob"}

ACTION = {
    "action": "a_5",
    "kind": "ban",
    "actor": {"id": "u_mod", "name": "mona", "displayName": "Mona", "role": "moderator"},
    "onBehalfOf": None,
    "via": "socket",
    "target": {"user": BOB, "mids": ["m_1"]},
    "params": {"seconds": None},
    "reason": "why",
    "inverseOf": None,
    "undoneBy": None,
    "undoable": False,
}

#: Every other event kind: what is stored, on which stream, and the `t` and `d` that its readers get.
SHOWN: list[tuple[Stored, StreamKey, str, dict[str, Any]]] = [
    (Gone("staff", ("m_1",)), ROOM, "msg.gone", {"by": "staff", "mids": ["m_1"]}),
    (
        Gone("author", user="u_ann", lo=3, hi=6, reason="request"),
        ROOM,
        "msg.gone",
        {"by": "author", "user": "u_ann", "from": 3, "to": 6, "reason": "request"},
    ),
    (
        ModeChanged("slow", 10, NOW, "staff"),
        ROOM,
        "room.mode",
        {"name": "slow", "value": 10, "until": NOW, "by": "staff"},
    ),
    (RoleChanged("u_ann", "vip"), ROOM, "role.changed", {"user": "u_ann", "role": "vip"}),
    (RoleChanged("u_ann", None), ROOM, "role.changed", {"user": "u_ann", "role": "viewer"}),
    (RoleChanged("g_gus", None), ROOM, "role.changed", {"user": "g_gus", "role": "guest"}),
    (
        Sanctioned("u_bob", "ban", None, "a_5", "an internal word"),
        ROOM,
        "user.sanctioned",
        {"user": BOB, "kind": "ban", "until": None},
    ),
    (Unsanctioned("u_bob", "lifted"), ROOM, "user.unsanctioned", {"user": BOB, "cause": "lifted"}),
    (
        ChannelChanged({"title": "River"}),
        ROOM,
        "stream.state",
        {"state": "offline", "session": None, "title": "River", "playback": None, "since": 1},
    ),
    (
        Acted("a_5", "ban", "u_mod", "moderator", "socket", {"seconds": None}, "u_bob", ("m_1",), "why"),
        MOD,
        "action",
        ACTION,
    ),
    (
        Noticed("mention", CH, "m_1", "u_ann"),
        ME,
        "notify",
        {"kind": "mention", "ch": CH, "mid": "m_1", "by": ANN},
    ),
    (
        Noticed("reply", CH, "m_1", "u_unknown"),
        ME,
        "notify",
        {"kind": "reply", "ch": CH, "mid": "m_1"},
    ),
    (MyRole(CH, "vip", ("react",)), ME, "role.changed", {"ch": CH, "role": "vip", "caps": ["react"]}),
    (
        MySanction(CH, "timeout", "a_5", NOW, "why"),
        ME,
        "sanction.applied",
        {"ch": CH, "kind": "timeout", "until": NOW, "reason": "why", "action": "a_5", "appeal": False},
    ),
    (
        MySanction(CH, "ban", "a_5", cause="lifted"),
        ME,
        "sanction.ended",
        {"ch": CH, "kind": "ban", "action": "a_5", "cause": "lifted"},
    ),
]
