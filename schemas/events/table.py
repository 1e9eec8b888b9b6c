"""The table of all events: stream, lastingness, payload and section of each.

Owns what AsyncAPI, the protocol's table and the browser's constants are made from. Refuses to know who hears
what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schemas.events.notices import (
    AppealUpdated,
    CaseChanged,
    CaseDecided,
    CaseExpired,
    CaseNew,
    HoldOpened,
    HoldResolved,
    Notify,
    PollClosed,
    PollOpened,
    PollTally,
    ReactAgg,
    RecordReady,
    StreamHealth,
    StreamState,
)
from schemas.events.room import (
    Action,
    Delayed,
    MsgBack,
    MsgGone,
    MsgNew,
    MuteChanged,
    MyRoleChanged,
    PinSet,
    PinUnset,
    RoleChanged,
    RoomCleared,
    RoomMode,
    RuleChanged,
    SanctionApplied,
    SanctionEnded,
    UserSanctioned,
    UserUnsanctioned,
    WarnIssued,
)
from schemas.events.session import (
    Bye,
    Goaway,
    Head,
    Hello,
    Ping,
    PresenceCount,
    PresenceDelta,
    ResumeDone,
    RoomSnapshot,
    Skip,
    StreamClosed,
    StreamOpen,
)
from schemas.values import Payload


@dataclass(frozen=True, slots=True)
class EventSpec:
    """One event: its `t`, payload, the stream it belongs to (None: the connection), and its lastingness.

    `report`: carries a position in `d.pos` and is no event of the stream.
    """

    t: str
    d: type[Payload]
    s: Literal["room", "mod", "me"] | None
    durable: bool
    section: int
    report: bool = False


def _all_events() -> tuple[EventSpec, ...]:
    def durable(s: Literal["room", "mod", "me"], section: int, **of: type[Payload]) -> list[EventSpec]:
        return [EventSpec(t.replace("_", ".", 1), d, s, True, section) for t, d in of.items()]

    def passing(s: Literal["room", "mod", "me"] | None, section: int, **of: type[Payload]) -> list[EventSpec]:
        return [EventSpec(t.replace("_", ".", 1), d, s, False, section) for t, d in of.items()]

    def report(t: str, d: type[Payload]) -> EventSpec:
        return EventSpec(t, d, "room", False, 4, report=True)

    return (
        *passing(None, 4, hello=Hello, ping=Ping, goaway=Goaway, bye=Bye),
        report("head", Head),
        report("resume.done", ResumeDone),
        report("room.snapshot", RoomSnapshot),
        report("stream.open", StreamOpen),
        report("stream.closed", StreamClosed),
        EventSpec("skip", Skip, "room", True, 3),
        *passing("room", 5, presence_count=PresenceCount, presence_delta=PresenceDelta),
        *durable("room", 6, msg_new=MsgNew, msg_gone=MsgGone, msg_back=MsgBack),
        *durable("room", 7, role_changed=RoleChanged),
        *durable("room", 8, room_cleared=RoomCleared, room_mode=RoomMode, user_sanctioned=UserSanctioned),
        *durable("room", 8, user_unsanctioned=UserUnsanctioned, pin_set=PinSet, pin_unset=PinUnset),
        *durable("room", 11, poll_opened=PollOpened, poll_closed=PollClosed),
        *passing("room", 11, poll_tally=PollTally, react_agg=ReactAgg),
        *durable("room", 12, stream_state=StreamState, record_ready=RecordReady),
        *passing("mod", 12, stream_health=StreamHealth),
        *durable("mod", 8, action=Action, rule_changed=RuleChanged, delayed=Delayed),
        *durable("mod", 9, case_new=CaseNew, case_changed=CaseChanged, case_decided=CaseDecided),
        *durable("mod", 9, case_expired=CaseExpired),
        *durable("me", 7, role_changed=MyRoleChanged),
        *durable("me", 8, sanction_applied=SanctionApplied, sanction_ended=SanctionEnded),
        *durable("me", 8, warn_issued=WarnIssued, mute_changed=MuteChanged),
        *durable("me", 9, hold_opened=HoldOpened, hold_resolved=HoldResolved, appeal_updated=AppealUpdated),
        *durable("me", 11, notify=Notify),
    )


EVENTS = _all_events()
"""Every event of the protocol. Streams of `skip`, `head` and the other reports vary; `room` stands for all."""
