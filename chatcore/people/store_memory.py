"""Owns the twin of the people store that lives in memory: for tests, and to show what the contract means.

Refuses to outlive its process. Nothing here awaits, so every method is one step as seen by all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from chatcore.people.folding import fold_name
from chatcore.people.principal import ADMIN, Name
from chatcore.people.rules import fold_email
from chatcore.people.store import (
    DELETED_DISPLAY_NAME,
    DELETED_NAME,
    GRACE_MS,
    GUEST_LIFE_MS,
    GUEST_NAME_MS,
    SESSIONS_OF_ONE,
    ApiToken,
    Changes,
    Credential,
    Guest,
    GuestDraft,
    LastAdmin,
    Missing,
    SignIn,
    Taken,
    User,
    former_name,
)


class MemoryStore:
    """The store in dictionaries; see `chatcore.people.store.Store` for what each method promises."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._sign_ins: dict[str, SignIn] = {}
        self._tokens: dict[str, ApiToken] = {}
        self._guests: dict[str, Guest] = {}
        self._guest_names: dict[str, Name] = {}
        self._invites: dict[str, tuple[str, int]] = {}
        self._code: str | None = None

    # -- users -----------------------------------------------------------------------------------------------

    async def has_users(self) -> bool:
        return any(user.kind == "user" for user in self._users.values())

    async def create_user(self, user: User, names: Sequence[str], first_roles: frozenset[str]) -> User:
        self._email_free(user.email, user.id)
        roles = user.roles if await self.has_users() else user.roles | first_roles
        made = replace(user, name=self._free_name(names, user.id), roles=roles)
        self._users[user.id] = made
        return made

    async def user(self, user_id: str) -> User | None:
        return self._users.get(user_id)

    async def user_by_name(self, folded: str) -> User | None:
        return next((user for user in self._alive() if fold_name(user.name) == folded), None)

    async def user_by_email(self, folded: str) -> User | None:
        return next((user for user in self._alive() if user.email and fold_email(user.email) == folded), None)

    async def users(self, query: str, before: str | None, limit: int) -> list[User]:
        wanted = _lower(query)
        found = [
            user
            for user in self._alive()
            if (before is None or user.id < before)
            and any(wanted in _lower(text) for text in (user.name, user.display_name, user.email or ""))
        ]
        return sorted(found, key=lambda user: user.id, reverse=True)[:limit]

    async def change_user(self, user_id: str, changes: Changes) -> User:
        user = self._living(user_id)
        if changes.roles is not None and ADMIN not in changes.roles:
            self._not_last_admin(user)
        changed = self._changed(user, changes)
        self._users[user_id] = changed
        return changed

    async def delete_user(self, user_id: str, now_ms: int) -> list[str]:
        user = self._living(user_id)
        self._not_last_admin(user)
        gone = [user_id, *(bot.id for bot in self._alive() if bot.maker == user_id)]
        for person in gone:
            self._users[person] = replace(
                self._users[person],
                name=DELETED_NAME,
                display_name=DELETED_DISPLAY_NAME,
                email=None,
                password=None,
                roles=frozenset(),
                deleted_at=now_ms,
            )
        lost = set(gone)
        self._sign_ins = {key: row for key, row in self._sign_ins.items() if row.person not in lost}
        self._tokens = {key: row for key, row in self._tokens.items() if not lost & {row.person, row.maker}}
        self._invites = {code: row for code, row in self._invites.items() if row[0] not in lost}
        return gone

    async def names(self, ids: Iterable[str]) -> list[Name]:
        found: list[Name] = []
        for person in ids:
            if person in self._users:
                found.append(self._users[person].named())
            elif person in self._guest_names:
                found.append(self._guest_names[person])
        return found

    # -- invites and the first run ---------------------------------------------------------------------------

    async def put_invite(self, code_hash: str, user_id: str, expires_at: int) -> None:
        self._living(user_id)
        self._invites = {code: row for code, row in self._invites.items() if row[0] != user_id}
        self._invites[code_hash] = (user_id, expires_at)

    async def invited(self, code_hash: str, now_ms: int) -> User | None:
        user_id, expires_at = self._invites.get(code_hash, ("", 0))
        return self._users.get(user_id) if expires_at > now_ms else None

    async def redeem_invite(self, code_hash: str, now_ms: int, changes: Changes) -> User:
        user = await self.invited(code_hash, now_ms)
        if user is None:
            raise Missing
        changed = self._changed(user, changes)
        self._users[user.id] = changed
        del self._invites[code_hash]
        return changed

    async def code(self, fresh: str) -> str:
        self._code = self._code or fresh
        return self._code

    # -- sessions and tokens ---------------------------------------------------------------------------------

    async def add_sign_in(
        self, sign_in: SignIn, password: str | None, *, keep: int = SESSIONS_OF_ONE
    ) -> list[str]:
        if self._living(sign_in.person).password != password:
            raise Missing
        others = [row for row in self._sign_ins.values() if row.person == sign_in.person]
        others.sort(key=lambda row: (row.used_at, row.id), reverse=True)
        gone = [row.id for row in others[keep - 1 :]]
        for key in gone:
            del self._sign_ins[key]
        self._sign_ins[sign_in.id] = sign_in
        return gone

    async def sign_ins(self, user_id: str, now_ms: int) -> list[SignIn]:
        found = [row for row in self._sign_ins.values() if row.person == user_id and row.expires_at > now_ms]
        return sorted(found, key=lambda row: row.id, reverse=True)

    async def end_sign_ins(
        self, user_id: str, *, only: str | None = None, but: str | None = None
    ) -> list[str]:
        ended = [
            row.id
            for row in self._sign_ins.values()
            if row.person == user_id and only in (None, row.id) and row.id != but
        ]
        for key in ended:
            del self._sign_ins[key]
        return ended

    async def add_token(self, token: ApiToken) -> None:
        self._living(token.person)
        self._living(token.maker)
        self._tokens[token.id] = token

    async def tokens(self, maker: str, before: str | None, limit: int) -> list[ApiToken]:
        found = [
            row for row in self._tokens.values() if row.maker == maker and (before is None or row.id < before)
        ]
        return sorted(found, key=lambda row: row.id, reverse=True)[:limit]

    async def end_token(self, maker: str, token_id: str) -> str | None:
        token = self._tokens.get(token_id)
        if token is None or token.maker != maker:
            return None
        return self._tokens.pop(token_id).person

    async def retire_bot(self, folded: str, now_ms: int) -> User | None:
        bot = await self.user_by_name(folded)
        if bot is None or bot.kind != "bot" or bot.maker is None:
            return None
        mine = [row for row in self._tokens.values() if row.person == bot.id]
        if any(row.expires_at is None or row.expires_at > now_ms for row in mine):
            return None
        self._users[bot.id] = replace(bot, name=former_name(bot))
        return self._users[bot.id]

    async def find_sign_ins(self, hashes: Sequence[str]) -> dict[str, Credential]:
        rows = (row for row in self._sign_ins.values() if row.hash in hashes)
        return {row.hash: Credential(row, self._users[row.person]) for row in rows}

    async def find_tokens(self, hashes: Sequence[str]) -> dict[str, Credential]:
        rows = (row for row in self._tokens.values() if row.hash in hashes)
        return {row.hash: Credential(row, self._users[row.person]) for row in rows}

    async def touch(self, used: Mapping[str, int]) -> None:
        for key, now_ms in used.items():
            if key in self._sign_ins:
                row = self._sign_ins[key]
                self._sign_ins[key] = replace(row, used_at=max(row.used_at, now_ms))
            elif key in self._tokens:
                token = self._tokens[key]
                self._tokens[key] = replace(token, used_at=max(token.used_at or 0, now_ms))
            elif key in self._guests:
                guest = self._guests[key]
                self._guests[key] = replace(guest, used_at=max(guest.used_at, now_ms))

    # -- guests ----------------------------------------------------------------------------------------------

    async def find_guests(self, hashes: Sequence[str], since_ms: int) -> dict[str, Guest]:
        wanted = set(hashes)
        return {
            guest.hash: replace(guest, contested=self._contested(guest.id, fold_name(guest.name), since_ms))
            for guest in self._guests.values()
            if guest.hash in wanted
        }

    async def settle_guests(self, drafts: Sequence[GuestDraft], now_ms: int) -> list[Guest]:
        settled: list[Guest] = []
        since_ms = now_ms - GUEST_NAME_MS
        for draft in drafts:
            name = draft.guest.name
            for name in draft.names:
                if not self._contested(draft.guest.id, fold_name(name), since_ms):
                    break
            before = self._guests.get(draft.guest.id, draft.guest)
            guest = replace(draft.guest, name=name, used_at=max(before.used_at, draft.guest.used_at))
            self._guests[guest.id] = guest
            self._guest_names[guest.id] = guest.named()
            settled.append(guest)
        return settled

    async def guests_named(self, folded: str, since_ms: int) -> list[Name]:
        found = [
            guest
            for guest in self._guests.values()
            if fold_name(guest.name) == folded and guest.used_at > since_ms
        ]
        return [guest.named() for guest in sorted(found, key=lambda guest: guest.id, reverse=True)]

    async def recent(self, since_ms: int, limit: int) -> tuple[list[Credential], list[Guest]]:
        credentials = [
            Credential(row, self._users[row.person])
            for row in (*_latest(self._sign_ins, since_ms, limit), *_latest(self._tokens, since_ms, limit))
        ]
        latest = [guest.hash for guest in _latest(self._guests, since_ms, limit)]
        found = await self.find_guests(latest, since_ms)
        return credentials, [found[hashed] for hashed in latest]

    async def forget_expired(self, now_ms: int) -> int:
        ended = now_ms - GRACE_MS
        before = self._size()
        self._sign_ins = {key: row for key, row in self._sign_ins.items() if row.expires_at > ended}
        self._invites = {code: row for code, row in self._invites.items() if row[1] > ended}
        self._guests = {key: row for key, row in self._guests.items() if row.used_at + GUEST_LIFE_MS > ended}
        self._tokens = {
            key: row for key, row in self._tokens.items() if row.expires_at is None or row.expires_at > ended
        }
        return before - self._size()

    # -- inside ----------------------------------------------------------------------------------------------

    def _size(self) -> int:
        return len(self._sign_ins) + len(self._invites) + len(self._guests) + len(self._tokens)

    def _alive(self) -> list[User]:
        return [user for user in self._users.values() if user.deleted_at is None]

    def _living(self, user_id: str) -> User:
        user = self._users.get(user_id)
        if user is None or user.deleted_at is not None:
            raise Missing
        return user

    def _not_last_admin(self, user: User) -> None:
        admins = {other.id for other in self._alive() if ADMIN in other.roles}
        if admins == {user.id}:
            raise LastAdmin

    def _free_name(self, names: Sequence[str], own_id: str) -> str:
        taken = {fold_name(user.name) for user in self._alive() if user.id != own_id}
        for name in names:
            if fold_name(name) not in taken:
                return name
        raise Taken("name")

    def _email_free(self, email: str | None, own_id: str) -> None:
        taken = {fold_email(user.email) for user in self._alive() if user.email and user.id != own_id}
        if email is not None and fold_email(email) in taken:
            raise Taken("email")

    def _changed(self, user: User, changes: Changes) -> User:
        self._email_free(changes.email, user.id)
        return replace(
            user,
            name=self._free_name(changes.names, user.id) if changes.names else user.name,
            display_name=user.display_name if changes.display_name is None else changes.display_name,
            email=user.email if changes.email is None else changes.email,
            password=user.password if changes.password is None else changes.password,
            roles=user.roles if changes.roles is None else changes.roles,
        )

    def _contested(self, own_id: str, folded: str, since_ms: int) -> bool:
        return any(fold_name(user.name) == folded for user in self._alive()) or any(
            other.id != own_id and other.used_at > since_ms and fold_name(other.name) == folded
            for other in self._guests.values()
        )


Used = TypeVar("Used", SignIn, ApiToken, Guest)


def _latest(rows: dict[str, Used], since_ms: int, limit: int) -> list[Used]:
    used = [row for row in rows.values() if (row.used_at or 0) > since_ms]
    return sorted(used, key=lambda row: row.used_at or 0, reverse=True)[:limit]


def _lower(text: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in text)
