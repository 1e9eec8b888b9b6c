"""The `d` of every event (PROTOCOL.md sections 4-12), one structure each, named after its `t`.

Owns member names and types of what the server says unasked, and the list of all events (`EVENTS`). Refuses
to know who hears them. Members that may be absent are `UNSET` unless given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import UNSET, field

from schemas.replies import RoomJoinReply
from schemas.values import (
    ActionEntry,
    By,
    Case,
    CaseKind,
    Claim,
    Decision,
    LiveState,
    Maybe,
    ModeName,
    ModeValue,
    NameRef,
    Payload,
    Playback,
    Pos,
    RoomState,
    SanctionKind,
    StreamInfo,
    UserRef,
    You,
)

# -- section 4: session ------------------------------------------------------------------------------------


class HelloLimits(Payload, frozen=True):
    """What this server takes: bytes a frame, commands in flight, channels, code points, events a page."""

    frame: int
    in_flight: int
    channels: int
    text: int
    history: int


class Hello(Payload, frozen=True):
    """The first frame of every connection."""

    v: int
    server: str
    ping_ms: int
    pong_ms: int
    auth_ms: int
    limits: HelloLimits


class Ping(Payload, frozen=True):
    """Answer with `pong`, or with anything else."""

    now: int


class Head(Payload, frozen=True):
    """Where a quiet stream stands; whoever has less reads `history {"after": n}`."""

    pos: Pos


class Goaway(Payload, frozen=True):
    """A planned restart: open the new socket in `reconnectInMs`, the old one closes by `deadlineMs`."""

    reason: str
    reconnect_in_ms: int
    deadline_ms: int


class Bye(Payload, frozen=True):
    """Why the server closes now. `afterMs` is absent where reconnecting makes no sense."""

    close: int
    code: str | None
    reason: str
    retry: Literal["reconnect", "never"]
    after_ms: Maybe[int] = UNSET


class ResumeDone(Payload, frozen=True):
    """A resumed stream has caught up; `state` and `you` for `room` only."""

    pos: Pos
    state: Maybe[RoomState] = UNSET
    you: Maybe[You] = UNSET


class RoomSnapshot(RoomJoinReply, frozen=True):
    """A new start where a resume was refused; `d` is that of the reply of `room.join`."""


class StreamOpen(Payload, frozen=True):
    """A stream begins for this reader, after `pos`."""

    pos: Pos


class StreamClosed(Payload, frozen=True):
    """A stream ends for this reader, at `pos`."""

    pos: Pos


class Skip(Payload, frozen=True):
    """Numbers `from` up to this event's own n (both included) were erased or have expired."""

    from_: int = field(name="from")


# -- section 5: presence -----------------------------------------------------------------------------------


class PresenceCount(Payload, frozen=True):
    """Viewers and chatters, over all nodes."""

    viewers: int
    chatters: int


class PresenceDelta(Payload, frozen=True):
    """Who came and who left, in small rooms."""

    in_: list[UserRef] = field(name="in")
    out: list[str]


# -- section 6: messages -----------------------------------------------------------------------------------


class Frag(Payload, frozen=True):
    """A part of the text that is not plain; half-open, in code points."""

    k: Literal["mention", "link", "emote"]
    start: int
    end: int
    user: Maybe[str] = UNSET
    href: Maybe[str] = UNSET
    emote: Maybe[str] = UNSET


class ReplyRef(Payload, frozen=True):
    """The message answered; `text` (≤ 80 code points) null or absent when it is not visible."""

    mid: str
    root: str
    user: UserRef | None
    text: Maybe[str | None] = UNSET


class Gone(Payload, frozen=True):
    """Who withdrew the message, and the class of the reason."""

    by: By
    reason: Maybe[str] = UNSET


class MsgNew(Payload, frozen=True):
    """A message. With `gone` it has no `text`, `frags` and `reply.text`; `user` null = erased."""

    mid: str
    user: UserRef | None
    text: Maybe[str] = UNSET
    frags: Maybe[Sequence[Frag]] = UNSET
    reply: Maybe[ReplyRef | None] = UNSET
    flags: Maybe[Sequence[str]] = UNSET
    sent_at: Maybe[int] = UNSET
    reacts: Maybe[dict[str, int]] = UNSET
    gone: Maybe[Gone] = UNSET


class MsgGone(Payload, frozen=True):
    """Messages withdrawn: `mids` (≤ 200), or all of `user` from n `from` to n `to`."""

    by: By
    mids: Maybe[Sequence[str]] = UNSET
    user: Maybe[str] = UNSET
    from_: Maybe[int] = field(default=UNSET, name="from")
    to: Maybe[int] = UNSET
    reason: Maybe[str] = UNSET


class BackMessage(Payload, frozen=True):
    """A message that came back, encoded like `msg.new`."""

    n: int
    ts: int
    d: Any


class MsgBack(Payload, frozen=True):
    """Messages restored: `messages` (≤ 50), or a range to re-read by `history`."""

    messages: Maybe[list[BackMessage]] = UNSET
    user: Maybe[str] = UNSET
    from_: Maybe[int] = field(default=UNSET, name="from")
    to: Maybe[int] = UNSET


# -- sections 7 and 8: roles, moderation -------------------------------------------------------------------


class RoleChanged(Payload, frozen=True):
    """Somebody's role here changed (room)."""

    user: str
    role: str


class MyRoleChanged(Payload, frozen=True):
    """One's own role in a channel changed (me)."""

    ch: str
    role: str
    caps: list[str]


class RoomCleared(Payload, frozen=True):
    """Everything before n `before` is hidden."""

    before: int
    by: By


class RoomMode(Payload, frozen=True):
    """A mode was set."""

    name: ModeName
    value: ModeValue
    until: int | None
    by: By


class UserSanctioned(Payload, frozen=True):
    """Somebody may not write here any more (room)."""

    user: UserRef
    kind: SanctionKind
    until: int | None


class UserUnsanctioned(Payload, frozen=True):
    """The end of a sanction (room)."""

    user: UserRef
    cause: Literal["expired", "lifted", "undone", "appeal"]


class SanctionApplied(Payload, frozen=True):
    """One's own sanction (me)."""

    ch: str
    kind: SanctionKind
    until: int | None
    reason: str | None
    action: str
    appeal: bool


class SanctionEnded(Payload, frozen=True):
    """One's own sanction has ended (me)."""

    ch: str
    kind: SanctionKind
    action: str
    cause: Literal["expired", "lifted", "undone", "appeal"]


class WarnIssued(Payload, frozen=True):
    """One was warned (me); acknowledge it by `warn.ack`."""

    ch: str
    action: str
    reason: str
    mids: list[str]


class RuleChanged(Payload, frozen=True):
    """A rule was put or deleted (mod); the rules are re-read by `rule.list`."""

    action: str
    op: Literal["put", "deleted"]
    rule: Maybe[str] = UNSET
    count: Maybe[int] = UNSET


class PinSet(Payload, frozen=True):
    """A message was pinned."""

    mid: str
    until: int | None
    by: By


class PinUnset(Payload, frozen=True):
    """A message was unpinned."""

    mid: str
    by: By


class Action(ActionEntry, frozen=True):
    """One act of moderation (mod)."""


class Delayed(Payload, frozen=True):
    """A message waits for the mode `delay` (mod); staff may delete it meanwhile."""

    mid: str
    user: UserRef
    text: str
    until: int


class MuteChanged(Payload, frozen=True):
    """One's own mute of somebody, for one's other devices (me)."""

    user: str
    on: bool


# -- section 9: cases --------------------------------------------------------------------------------------


class CaseNew(Case, frozen=True):
    """A case was opened (mod), whole."""


class CaseChanged(Payload, frozen=True):
    """A claim, a further report or a further hit (mod); only what changed."""

    case: str
    claim: Maybe[Claim | None] = UNSET
    count: Maybe[int] = UNSET
    causes: Maybe[list[Any]] = UNSET
    status: Maybe[str] = UNSET


class CaseDecided(Payload, frozen=True):
    """A case was decided (mod)."""

    case: str
    decision: Decision
    by: NameRef | None
    action: str


class CaseExpired(Payload, frozen=True):
    """Nobody decided in time (mod); `decision` is what the policy said."""

    case: str
    decision: Decision
    kind: Maybe[CaseKind] = UNSET


class HoldOpened(Payload, frozen=True):
    """One's message waits for staff (me)."""

    ch: str
    mid: str
    expires_at: int | None
    case: Maybe[str] = UNSET


class HoldResolved(Payload, frozen=True):
    """What became of it (me); `pos` if published."""

    ch: str
    mid: str
    outcome: Literal["allowed", "denied", "expired"]
    case: Maybe[str] = UNSET
    pos: Maybe[Pos] = UNSET


class AppealUpdated(Payload, frozen=True):
    """One's appeal (me)."""

    ch: str
    case: str
    action: str
    status: Literal["open", "upheld", "overturned", "expired"]
    text: Maybe[str | None] = UNSET


# -- section 11: engagement and notices --------------------------------------------------------------------


class PollOpened(Payload, frozen=True):
    """A poll was opened."""

    poll: str
    question: str
    options: list[str]
    ends_at: int


class PollTally(Payload, frozen=True):
    """The present tally (ephemeral)."""

    poll: str
    tally: list[int]


class PollClosed(Payload, frozen=True):
    """A poll has ended."""

    poll: str
    question: str
    options: list[str]
    tally: list[int]


class ReactAgg(Payload, frozen=True):
    """Reactions: `[mid, key, total]`, or for bursts `[null, key, increase]` (ephemeral)."""

    items: list[tuple[str | None, str, int]]


class Notify(Payload, frozen=True):
    """A notice (me): ids, never text."""

    kind: Literal["mention", "reply", "follow", "live", "tip"]
    ch: Maybe[str] = UNSET
    mid: Maybe[str] = UNSET
    by: Maybe[UserRef] = UNSET


# -- section 12: media -------------------------------------------------------------------------------------


class StreamState(StreamInfo, frozen=True):
    """The broadcast changed its state."""


class RecordReady(Payload, frozen=True):
    """A recording can be watched."""

    recording: str
    session: str
    playback: Maybe[Playback | None] = UNSET


class StreamHealth(Payload, frozen=True):
    """How the ingest does, for staff (ephemeral)."""

    bitrate_kbps: int
    fps: float
    keyframe_ms: int
    advice: list[str]
    state: Maybe[LiveState] = UNSET


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
