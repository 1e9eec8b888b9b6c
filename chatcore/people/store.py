"""Owns the port to where people are kept: records and contract. Refuses to know SQL and what names may be.

Contract, held by one suite for every implementation (tests/contract/people):

- Each method is one transaction: it happens wholly or not at all, and when it returns it is durable.
- A method that raises has changed nothing. `Taken`, `Missing` and `LastAdmin` are the only expected failures.
- Names of users and bots are unique by `fold_name`, emails by `fold_email`; where a method is given several
  candidates, it takes the first free one, in the same transaction that stores it. Guests don't occupy names
  of users and bots.
- Ids are never reused. A deleted person keeps his row (kind, id, times) and loses name, email, password,
  roles and every credential.
- What is asked for and not there is left out of the answer; only writes to it raise `Missing`.
- Lists are newest first, by id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from chatcore.people.principal import Kind, Name

TokenKind = Literal["bot", "overlay", "personal"]

#: What a deleted person is shown as.
DELETED_NAME = "deleted"
DELETED_DISPLAY_NAME = "Deleted user"

#: A guest's name stays his for this long after he was last seen (protocol 4).
GUEST_NAME_MS = 24 * 3_600_000
#: A guest's identity ends this long after its last use (protocol 4).
GUEST_LIFE_MS = 30 * 24 * 3_600_000

#: So many sessions an account may have; one more ends the least recently used one.
SESSIONS_OF_ONE = 100

#: Ended credentials are kept this long, so that their holder is told "expired" and not "unknown".
GRACE_MS = 7 * 24 * 3_600_000


class Taken(Exception):
    """Somebody else has it; `args[0]` is `name` or `email`."""


class Missing(Exception):
    """No such person (any more)."""


class LastAdmin(Exception):
    """The instance would be left without an administrator."""


@dataclass(frozen=True, slots=True)
class User:
    """A user or bot as stored. `password` is a hash; None for bots and for an invite not yet taken up."""

    id: str
    kind: Kind
    name: str
    display_name: str
    email: str | None
    password: str | None
    roles: frozenset[str]
    maker: str | None
    created_at: int
    deleted_at: int | None = None

    def named(self) -> Name:
        """How he is shown."""
        return Name(self.id, self.name, self.display_name, self.kind)


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change of a user; None leaves it. `names` are candidates, the first free one is taken."""

    display_name: str | None = None
    email: str | None = None
    password: str | None = None
    roles: frozenset[str] | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session of a user: made by a login, ended by logout, revocation or time."""

    id: str
    hash: str
    person: str
    created_at: int
    used_at: int
    expires_at: int
    agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token of a program. `person` is as whom it acts, `maker` whose present rights bound it."""

    id: str
    hash: str
    kind: TokenKind
    name: str
    person: str
    maker: str
    scopes: frozenset[str]
    channels: frozenset[str] | None
    created_at: int
    used_at: int | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """What a secret opens: the session or token, and the user as whom it acts, as of one moment."""

    key: SignIn | ApiToken
    user: User


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest as stored. `asked` is the name he asked for, `name` the one he has."""

    id: str
    hash: str
    name: str
    asked: str
    created_at: int
    used_at: int
    renamed_at: int = 0
    #: Only in answers of `find_guests`: whether somebody with more right to `name` has come meanwhile.
    contested: bool = field(default=False, compare=False)

    def named(self) -> Name:
        """How he is shown."""
        return Name(self.id, self.name, self.name, "guest")


@dataclass(frozen=True, slots=True)
class GuestDraft:
    """A guest to be made or renamed: `guest.name` is replaced by the first free of `names`, read once."""

    guest: Guest
    names: Iterable[str]


def former_name(bot: User) -> str:
    """What a bot is called whose name went to somebody else: no name that can be chosen, and its own alone."""
    return f"{bot.name}-{bot.id[-8:]}"


class Store(Protocol):
    """Where people are kept. See the module for the contract; times are Unix ms."""

    async def has_users(self) -> bool:
        """Whether a user was ever made. Once true, it stays true."""
        ...

    async def create_user(self, user: User, names: Sequence[str], first_roles: frozenset[str]) -> User:
        """Store `user` under the first free of `names`; on an empty instance with `first_roles` added.

        Whether it is empty is decided in the same transaction, so that of two first accounts one is first.
        Raises Taken.
        """
        ...

    async def user(self, user_id: str) -> User | None:
        """A user or bot by id, also a deleted one; never a guest."""
        ...

    async def user_by_name(self, folded: str) -> User | None:
        """The user or bot whose name folds to `folded`."""
        ...

    async def user_by_email(self, folded: str) -> User | None:
        """The user whose email folds to `folded`."""
        ...

    async def users(self, query: str, before: str | None, limit: int) -> list[User]:
        """Undeleted users and bots whose name, display name or email contains `query`, ids below `before`.

        The case of ASCII letters does not matter.
        """
        ...

    async def change_user(self, user_id: str, changes: Changes) -> User:
        """Apply `changes`. Raises Taken, Missing, LastAdmin (the last one would lose the role)."""
        ...

    async def delete_user(self, user_id: str, now_ms: int) -> list[str]:
        """Delete a user, and the bots he made; returns the ids of all the people deleted.

        Raises Missing, LastAdmin.
        """
        ...

    async def names(self, ids: Iterable[str]) -> list[Name]:
        """How these people are shown, guests and deleted ones too."""
        ...

    async def put_invite(self, code_hash: str, user_id: str, expires_at: int) -> None:
        """Let whoever has the code set this user's password until `expires_at`; voids an older invite."""
        ...

    async def invited(self, code_hash: str, now_ms: int) -> User | None:
        """Whom a code that is still good invites."""
        ...

    async def redeem_invite(self, code_hash: str, now_ms: int, changes: Changes) -> User:
        """Apply `changes` to the invited user and use the code up. Raises Taken, Missing (no such code)."""
        ...

    async def add_sign_in(
        self, sign_in: SignIn, password: str | None, *, keep: int = SESSIONS_OF_ONE
    ) -> list[str]:
        """Store a session made with the password whose hash is `password`; its person has `keep` at most then.

        Returns the ids of those removed for it, which are the least recently used ones.
        Raises Missing if its person is deleted, or the password was changed meanwhile.
        """
        ...

    async def sign_ins(self, user_id: str, now_ms: int) -> list[SignIn]:
        """The user's sessions that have not expired."""
        ...

    async def end_sign_ins(
        self, user_id: str, *, only: str | None = None, but: str | None = None
    ) -> list[str]:
        """Remove the user's sessions (only one, or all but one); returns the ids of those removed."""
        ...

    async def add_token(self, token: ApiToken) -> None:
        """Store a token. Raises Missing if its person or maker is deleted."""
        ...

    async def tokens(self, maker: str, before: str | None, limit: int) -> list[ApiToken]:
        """The tokens a user made, expired ones too."""
        ...

    async def end_token(self, maker: str, token_id: str) -> str | None:
        """Remove one of a user's tokens; returns as whom it acted, None if he has no such token."""
        ...

    async def retire_bot(self, folded: str, now_ms: int) -> User | None:
        """Free a name that belongs to a bot which nobody can act as any more: a user made it, and none of its
        tokens is still good. The bot keeps its id and all it said, under `former_name`; returns it as it is
        then, None if nothing was freed.
        """
        ...

    async def find_sign_ins(self, hashes: Sequence[str]) -> dict[str, Credential]:
        """What these session tokens open, by hash, expired ones too; all in one read."""
        ...

    async def find_tokens(self, hashes: Sequence[str]) -> dict[str, Credential]:
        """What these API tokens open, by hash, expired ones too; all in one read."""
        ...

    async def find_guests(self, hashes: Sequence[str], since_ms: int) -> dict[str, Guest]:
        """Guests by the hash of their token, expired ones too, all in one read.

        `contested` says that a user or bot has the guest's name now, or another guest seen since `since_ms`.
        """
        ...

    async def settle_guests(self, drafts: Sequence[GuestDraft], now_ms: int) -> list[Guest]:
        """Make or rename guests, in order, in one transaction; each sees the names given before it.

        A name is free if no user or bot has it, nor another guest seen in the last 24 h. If none is free, the
        last candidate is given all the same (a guest is never turned away for that).
        """
        ...

    async def guests_named(self, folded: str, since_ms: int) -> list[Name]:
        """Guests of that name seen since then."""
        ...

    async def touch(self, used: Mapping[str, int]) -> None:
        """Note when these credentials (sessions, tokens, guests by id) were last used; older notes lose."""
        ...

    async def recent(self, since_ms: int, limit: int) -> tuple[list[Credential], list[Guest]]:
        """Credentials used since then, at most `limit` of each sort: to fill a cold cache."""
        ...

    async def forget_expired(self, now_ms: int) -> int:
        """Remove sessions, invites, API tokens and guests' tokens that ended more than a week ago; returns how many."""
        ...

    async def code(self, fresh: str) -> str:
        """The instance's first-run code; `fresh` becomes it if there is none yet."""
        ...
