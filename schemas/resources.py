"""REST bodies (PROTOCOL.md section 16): accounts, channels, chat, tokens, health.

Owns member names and types of what the REST endpoints take and give, in the conventions of the protocol.
Refuses to know routes and HTTP statuses: those stand in `schemas.rest`. Bodies of PATCH refuse unknown
members; all others ignore them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from schemas.commands import MsgSend
from schemas.values import Count, Cursor, Fault, Id, LiveState, Maybe, Millis, Payload, Playback

DisplayName = Annotated[str, Meta(min_length=1, max_length=40)]
LoginName = Annotated[str, Meta(min_length=1, max_length=100)]
Email = Annotated[str, Meta(min_length=3, max_length=320)]
Password = Annotated[str, Meta(min_length=1, max_length=1024)]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Slug = Annotated[str, Meta(min_length=1, max_length=64)]
Category = Annotated[str, Meta(max_length=64)]
Tags = Annotated[list[Annotated[str, Meta(min_length=1, max_length=32)]], Meta(max_length=16)]
Visibility = Literal["public", "unlisted", "members", "password", "hook"]
InstanceRole = Literal["admin", "creator"]
Roles = Annotated[list[InstanceRole], Meta(max_length=2)]
PageLimit = Annotated[int, Meta(ge=1, le=200)]


class Patch(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Base of PATCH bodies: only the named members change, unknown ones are refused."""


def changes(patch: Patch) -> dict[str, Any]:
    """The members that a PATCH names, by their Python names; nested ones likewise."""
    given = ((f.name, getattr(patch, f.name)) for f in msgspec.structs.fields(patch))
    return {
        name: changes(value) if isinstance(value, Patch) else value
        for name, value in given
        if value is not UNSET
    }


# -- auth --------------------------------------------------------------------------------------------------


class Signup(Payload, frozen=True):
    """`code` is the first-run code or the code of an invitation."""

    display_name: DisplayName
    email: Email
    password: Password
    name: LoginName | None = None
    code: Annotated[str, Meta(max_length=200)] | None = None


class Login(Payload, frozen=True):
    """Either `email` or `name`."""

    password: Password
    email: Email | None = None
    name: LoginName | None = None

    def __post_init__(self) -> None:
        if (self.email is None) == (self.name is None):
            raise Fault("email", "ambiguous", "Give either `email` or `name`.")


class User(Payload, frozen=True):
    """A user; `email` and `roles` for himself and administrators, `inviteUrl` once when made without password."""

    id: str
    name: str
    display_name: str
    created_at: int
    kind: Maybe[str] = UNSET
    email: Maybe[str | None] = UNSET
    roles: Maybe[list[str]] = UNSET
    invite_url: Maybe[str] = UNSET


class SignedIn(Payload, frozen=True):
    """A new session; the token is for programs, browsers also get the cookie."""

    token: str
    expires_at: int
    user: User


class SessionInfo(Payload, frozen=True):
    """The session of this request."""

    user: User
    expires_at: int
    created_at: int


class SessionEntry(Payload, frozen=True):
    """One of a user's sessions."""

    id: str
    created_at: int
    expires_at: int
    last_used_at: int
    current: bool
    agent: Maybe[str | None] = UNSET


class SessionList(Payload, frozen=True):
    """A user's sessions."""

    items: list[SessionEntry]
    next: str | None


# -- users -------------------------------------------------------------------------------------------------


class UserCreate(Payload, frozen=True):
    """Make an account for somebody; without a password he gets an invitation."""

    display_name: DisplayName
    email: Email
    roles: Roles = field(default_factory=list[InstanceRole])
    password: Password | None = None
    name: LoginName | None = None


class UserPatch(Patch, frozen=True):
    """`roles` for administrators only; a new password needs `currentPassword` of oneself."""

    display_name: DisplayName | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    current_password: Password | UnsetType = UNSET
    roles: Roles | UnsetType = UNSET


class UserList(Payload, frozen=True):
    """A page of users."""

    items: list[User]
    next: str | None


class UserQuery(Payload, frozen=True):
    """Parameters of the list of users."""

    q: Annotated[str, Meta(max_length=100)] | None = None
    limit: PageLimit = 50
    cursor: Cursor | None = None


class UserDelete(Payload, frozen=True):
    """What becomes of his messages."""

    messages: Literal["erase", "anonymise"] = "anonymise"


class PageQuery(Payload, frozen=True):
    """Parameters of any list."""

    limit: PageLimit = 50
    cursor: Cursor | None = None


# -- channels ----------------------------------------------------------------------------------------------


class HintPolicy(Payload, frozen=True):
    """What a scorer's advice leads to."""

    scorer: Annotated[str, Meta(max_length=64)] = "detoxify"
    thresholds: dict[str, Annotated[float, Meta(ge=0, le=1)]] = field(
        default_factory=lambda: {"toxicity": 0.9}
    )
    do: Literal["flag", "hold", "none"] = "flag"


class RetentionDays(Payload, frozen=True):
    """How long things are kept; null = without end."""

    messages: Annotated[int, Meta(ge=1, le=36_500)] | None = 365
    audit: Annotated[int, Meta(ge=1, le=36_500)] | None = None


class Policy(Payload, frozen=True):
    """How a channel wants its room kept."""

    guests: bool = True
    anonymous_read: bool = True
    text_max: Annotated[int, Meta(ge=1, le=500)] = 500
    explain: Literal["none", "category", "full"] = "category"
    hold_seconds: Annotated[int, Meta(ge=10, le=86_400)] = 900
    hold_expiry: Literal["deny", "allow"] = "deny"
    hint: HintPolicy = HintPolicy()
    ban_hides: bool = False
    guests_vote: bool = False
    retention_days: RetentionDays = RetentionDays()


class HintPatch(Patch, frozen=True):
    """Changes of the hint policy."""

    scorer: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    thresholds: dict[str, Annotated[float, Meta(ge=0, le=1)]] | UnsetType = UNSET
    do: Literal["flag", "hold", "none"] | UnsetType = UNSET


class RetentionPatch(Patch, frozen=True):
    """Changes of retention."""

    messages: Annotated[int, Meta(ge=1, le=36_500)] | UnsetType | None = UNSET
    audit: Annotated[int, Meta(ge=1, le=36_500)] | UnsetType | None = UNSET


class PolicyPatch(Patch, frozen=True):
    """Changes of the policy; what is not named stays."""

    guests: bool | UnsetType = UNSET
    anonymous_read: bool | UnsetType = UNSET
    text_max: Annotated[int, Meta(ge=1, le=500)] | UnsetType = UNSET
    explain: Literal["none", "category", "full"] | UnsetType = UNSET
    hold_seconds: Annotated[int, Meta(ge=10, le=86_400)] | UnsetType = UNSET
    hold_expiry: Literal["deny", "allow"] | UnsetType = UNSET
    hint: HintPatch | UnsetType = UNSET
    ban_hides: bool | UnsetType = UNSET
    guests_vote: bool | UnsetType = UNSET
    retention_days: RetentionPatch | UnsetType = UNSET


class ChannelCreate(Payload, frozen=True):
    """Make a channel; `slug` is derived from the title if absent, `ownerId` is oneself."""

    title: Title
    slug: Slug | None = None
    owner_id: Id | None = None
    category: Category | None = None
    tags: Tags = field(default_factory=list[str])
    mature: bool = False
    visibility: Visibility = "public"


class ChannelPatch(Patch, frozen=True):
    """Changes of a channel; what is not named stays."""

    title: Title | UnsetType = UNSET
    slug: Slug | UnsetType = UNSET
    category: Category | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET
    mature: bool | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    scheduled_at: Millis | UnsetType | None = UNSET
    policy: PolicyPatch | UnsetType = UNSET


class Channel(Payload, frozen=True):
    """A channel; `policy` for its owner and administrators, `streamKey` once, in the answer that made it."""

    id: str
    slug: str
    owner_id: str
    title: str
    category: str | None
    tags: list[str]
    live_state: LiveState
    viewers: int
    started_at: int | None
    scheduled_at: int | None
    thumbnail_url: str | None
    playback: Playback | None
    mature: bool
    visibility: Visibility
    created_at: Maybe[int] = UNSET
    policy: Maybe[Policy] = UNSET
    stream_key: Maybe[str] = UNSET


class ChannelList(Payload, frozen=True):
    """A page of channels."""

    items: list[Channel]
    next: str | None


class ChannelQuery(Payload, frozen=True):
    """Parameters of the list of channels."""

    owner_id: Id | None = None
    live: bool | None = None
    upcoming: bool | None = None
    category: Category | None = None
    tag: Annotated[str, Meta(max_length=32)] | None = None
    q: Annotated[str, Meta(max_length=100)] | None = None
    limit: PageLimit = 50
    cursor: Cursor | None = None


# -- chat --------------------------------------------------------------------------------------------------


class ChatSend(Payload, frozen=True):
    """The `d` of msg.send; `content` is another name of `text`."""

    text: str | None = None
    content: str | None = None
    reply_to: Id | None = None
    idem: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[!-~]+$(?!\n)")] | None = None

    def __post_init__(self) -> None:
        if self.text is None and self.content is None:
            raise Fault("text", "missing", "`text` is missing; add it.")
        if self.text is not None and self.content is not None:
            raise Fault("content", "ambiguous", "Give `text` or its other name `content`, not both.")

    def command(self) -> MsgSend:
        """The command that this body stands for."""
        text = self.text if self.text is not None else self.content
        return MsgSend(text=text or "", reply_to=self.reply_to, idem=self.idem)


class ChatQuery(Payload, frozen=True):
    """Parameters of reading chat over REST."""

    before: Count | None = None
    limit: PageLimit = 25


class ChatPage(Payload, frozen=True):
    """Whole `msg.new` events, ascending."""

    events: list[Raw]
    more: bool


# -- tokens ------------------------------------------------------------------------------------------------


class TokenCreate(Payload, frozen=True):
    """Make a token; its rights are its scopes within what its maker may do. `*` = all channels."""

    kind: Literal["bot", "overlay", "personal"]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    channels: Annotated[list[Id], Meta(min_length=1, max_length=100)]
    scopes: Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=64)] = field(
        default_factory=list[str]
    )
    expires_at: Millis | None = None


class TokenInfo(Payload, frozen=True):
    """A token without its secret."""

    id: str
    kind: Literal["bot", "overlay", "personal"]
    name: str
    channels: list[str]
    scopes: list[str]
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    user: User


class TokenCreated(Payload, frozen=True):
    """A new token; `token` is shown once."""

    id: str
    token: str
    user: User


class TokenList(Payload, frozen=True):
    """One's tokens."""

    items: list[TokenInfo]
    next: str | None


# -- health ------------------------------------------------------------------------------------------------

Status = Literal["ok", "degraded", "down"]


class Check(Payload, frozen=True):
    """One part's health; `host` for administrators only."""

    status: Status
    ms: Maybe[float] = UNSET
    reason: Maybe[str] = UNSET
    host: Maybe[str] = UNSET


class Health(Payload, frozen=True):
    """The health of the whole and of its parts."""

    status: Status
    version: str
    checks: dict[str, Check]
