"""Values that commands, replies, events and REST bodies share, and the crude bounds of the wire.

Owns sizes that protect the server (lengths, ranges) and small records (users, modes, cases). Refuses to
judge text: NFC, trimming and the 500 code points of a message are the room's rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType, field

T = TypeVar("T")
Maybe = T | UnsetType
"""A member that may be absent on the wire; `UNSET` leaves it out."""

MAX_INT: Final = 2**53 - 1

Count = Annotated[int, Meta(ge=0, le=MAX_INT)]
Number = Annotated[int, Meta(ge=1, le=MAX_INT)]
Millis = Annotated[int, Meta(ge=0, le=MAX_INT)]
Seconds = Annotated[int, Meta(ge=1, le=31_536_000)]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
UserName = Annotated[str, Meta(min_length=1, max_length=64)]
"""A user id, or `@name`."""
ChannelName = Annotated[str, Meta(min_length=1, max_length=64)]
"""A channel id, or `@slug` where a command says so."""
Secret = Annotated[str, Meta(min_length=1, max_length=4096)]
Cursor = Annotated[str, Meta(min_length=1, max_length=512)]
Reason = Annotated[str, Meta(max_length=500)]
Mids = Annotated[list[Id], Meta(min_length=1, max_length=200)]
Idem = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[!-~]+$(?!\n)")]

Pos = tuple[str, Count]
"""A position `[epoch, n]`; epochs are compared for equality only."""
Span = tuple[Count, Count]
"""Half-open, in code points of the text."""

StreamName = Literal["room", "mod", "me"]
UserKind = Literal["user", "guest", "bot"]
By = Literal["author", "staff", "automod"]
SanctionKind = Literal["timeout", "ban"]
CaseKind = Literal["hold", "report", "flag", "appeal"]
CaseStatus = Literal["open", "decided", "expired"]
Decision = Literal["allow", "deny"]
ModeName = Literal[
    "slow", "followers", "members", "emotes", "unique", "readonly", "links", "accountAge", "delay"
]
ModeValue = bool | int | str
RuleKind = Literal["word", "wildcard", "phrase", "regex", "domain", "shape"]
RuleAction = Literal["refuse", "hold", "mask", "flag", "allow"]
LiveState = Literal["offline", "scheduled", "connecting", "live", "interrupted", "ended"]
ReportPolicy = Literal[
    "spam", "hate", "harassment", "sexual", "violence", "selfHarm", "illegal", "copyright", "other"
]


class Fault(ValueError):
    """A rule between members is broken; `schemas.codec` turns it into `bad_request` with this field.

    `field` is relative to the structure that raises it (wire spelling); `reason` a short class.
    """

    def __init__(self, field: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.reason = reason
        self.message = message


class Payload(Struct, frozen=True, rename="camel"):
    """Base of all that travels in `d`: camelCase on the wire, unknown members ignored."""


class Badge(Payload, frozen=True):
    """A mark beside a name, for people."""

    id: str
    title: str


class UserRef(Payload, frozen=True):
    """A user as others see him; `kind`, `roles` and `badges` where the place calls for them."""

    id: str
    name: str
    display_name: str
    kind: Maybe[str] = UNSET
    roles: Maybe[Sequence[str]] = UNSET
    badges: Maybe[Sequence[Badge]] = UNSET


class NameRef(Payload, frozen=True):
    """A user in short, in staff's events: who did it, to whom."""

    id: str
    name: str
    display_name: Maybe[str] = UNSET
    role: Maybe[str] = UNSET


class Member(Payload, frozen=True):
    """Somebody present in a room (`room.who`); `since` is when the first connection joined."""

    id: str
    name: str
    display_name: str
    kind: str
    roles: list[str]
    since: int


class Mode(Payload, frozen=True):
    """The present value of a mode; `until` null = without end."""

    value: ModeValue
    until: int | None


class Playback(Payload, frozen=True):
    """Where a player finds the stream."""

    hls: str
    whep: Maybe[str] = UNSET
    llhls: Maybe[str] = UNSET
    dash: Maybe[str] = UNSET


class Counts(Payload, frozen=True):
    """Viewers: joined people plus anonymous connections. Chatters: authors of the last five minutes."""

    viewers: int
    chatters: int


class StreamInfo(Payload, frozen=True):
    """What the room knows of the broadcast."""

    state: LiveState
    session: str | None
    title: str
    playback: Playback | None
    since: int


class Pinned(Payload, frozen=True):
    """A pinned message, by id; `until` null = until unpinned."""

    mid: str
    until: int | None


class Poll(Payload, frozen=True):
    """An open poll with its present tally."""

    poll: str
    question: str
    options: list[str]
    tally: list[int]
    ends_at: Maybe[int] = UNSET


class RoomState(Payload, frozen=True):
    """What every reader of a room sees of it (section 5)."""

    title: str
    category: str | None
    tags: list[str]
    owner: UserRef
    modes: dict[str, Mode]
    stream: StreamInfo
    counts: Counts
    pinned: list[Pinned]
    poll: Poll | None


class Sanction(Payload, frozen=True):
    """A sanction in force on the reader himself; `until` null = without end."""

    kind: SanctionKind
    until: int | None
    reason: str | None
    action: str
    appeal: bool


class Warned(Payload, frozen=True):
    """A warning the reader has not yet acknowledged."""

    action: str
    reason: str


class You(Payload, frozen=True):
    """What the reader may do here, and what keeps him from it."""

    role: str
    caps: list[str]
    sanction: Sanction | None
    warn: Warned | None
    next_send_at: int | None


class Cause(Payload, frozen=True):
    """Why a case exists: a rule's hit, a scorer's hint, or a report."""

    src: Literal["rule", "hint", "report"]
    id: str
    label: Maybe[str | None] = UNSET
    spans: Maybe[list[Span]] = UNSET
    score: Maybe[float] = UNSET
    by: Maybe[NameRef | None] = UNSET
    note: Maybe[str | None] = UNSET


class Subject(Payload, frozen=True):
    """What a case is about; an appeal has `action` instead of `mid`."""

    mid: Maybe[str] = UNSET
    user: Maybe[NameRef | None] = UNSET
    text: Maybe[str | None] = UNSET
    sent_at: Maybe[int] = UNSET
    action: Maybe[str] = UNSET


class Claim(Payload, frozen=True):
    """Who works on a case, and until when it is his."""

    by: NameRef
    until: int


class Case(Payload, frozen=True):
    """An entry of the review queue (section 9)."""

    case: str
    kind: CaseKind
    status: CaseStatus
    subject: Subject
    causes: list[Cause]
    count: int
    claim: Claim | None
    expires_at: int | None
    decision: Maybe[Decision] = UNSET
    by: Maybe[NameRef] = UNSET
    action: Maybe[str] = UNSET


class Target(Payload, frozen=True):
    """What an action was done to."""

    user: Maybe[NameRef | None] = UNSET
    mids: Maybe[list[str]] = UNSET
    case: Maybe[str] = UNSET
    rule: Maybe[str] = UNSET


class ActionEntry(Payload, frozen=True):
    """One act of moderation, as staff see it and as audit keeps it (section 8)."""

    action: str
    kind: str
    actor: NameRef | None
    on_behalf_of: NameRef | None
    via: str
    target: Target
    params: dict[str, Any]
    reason: str | None
    inverse_of: str | None
    undone_by: str | None
    undoable: bool


class Rule(Payload, frozen=True):
    """A word, domain or shape rule (section 10). `id` replaces an existing one."""

    kind: RuleKind
    pattern: Annotated[str, Meta(min_length=1, max_length=500)]
    do: RuleAction
    id: Maybe[Id | None] = UNSET
    substring: bool = False
    normalize: Maybe[bool | None] = UNSET
    case_sensitive: bool = False
    allow: Annotated[list[Annotated[str, Meta(min_length=1, max_length=500)]], Meta(max_length=100)] = field(
        default_factory=list[str]
    )
    limit: Maybe[Count | None] = UNSET
    seconds: Maybe[Seconds | None] = UNSET
    timeout: Seconds | None = None
    exempt: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=32)] = field(
        default_factory=list[str]
    )
    category: Annotated[str, Meta(max_length=64)] | None = None
    text: Annotated[str, Meta(max_length=500)] | None = None
    shadow: bool = False
    until: Millis | None = None
    note: Annotated[str, Meta(max_length=500)] = ""

    def __post_init__(self) -> None:
        if self.case_sensitive and self.normalize is True:
            raise Fault(
                "normalize", "contradiction", "A case-sensitive rule can't normalize; drop one of the two."
            )
