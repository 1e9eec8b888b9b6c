"""Owns the values that say who acts and what became of a credential. Decides nothing, stores nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schemas.resources import User

#: What a person is: somebody who signed up, a program with a token, or a visitor with a lasting identity.
Kind = Literal["user", "guest", "bot"]

#: Close codes of protocol 14 that people cause.
CLOSE_CREDENTIALS_CHANGED = 4006
CLOSE_TOKEN_REVOKED = 4505

#: Instance roles (protocol 7). They are no channel roles and give no channel capability by themselves.
ADMIN = "admin"
CREATOR = "creator"
INSTANCE_ROLES = frozenset({ADMIN, CREATOR})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts. Where a function takes `Principal | None`, None is an anonymous reader.

    `credential` is the id of the session or token; of a guest his own id. With `scopes` set, what he may do
    is scopes ∩ his channel role ∩ the present rights of `maker`. `read_only` (an overlay) reads as if
    anonymous: it is given no `me` stream and is never counted as present.
    """

    id: str
    kind: Kind
    name: str
    display_name: str
    instance_roles: frozenset[str]
    credential: str
    expires_at: int | None
    scopes: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    maker: str | None = None
    read_only: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether he administers the instance with this credential."""
        return ADMIN in self.instance_roles


@dataclass(frozen=True, slots=True)
class Name:
    """How a person is shown; joined to events when they are encoded, so that a rename shows on old ones."""

    id: str
    name: str
    display_name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session. `token` is shown this once; the server keeps its hash. `user` as he sees himself."""

    token: str
    expires_at: int
    principal: Principal
    user: User


@dataclass(frozen=True, slots=True)
class GuestEntry:
    """A guest let in. `guest_token` only if the identity is new, and only this time (protocol 4)."""

    principal: Principal
    guest_token: str | None
    expires_at: int


@dataclass(frozen=True, slots=True)
class Revocation:
    """Sockets to close with `close`: those of `credential`, or all of `user` where `credential` is None.

    `user` is the one who acted with it: for a bot's token the bot.
    """

    credential: str | None
    user: str | None
    close: int
