"""Owns what rows of 0002_people.sql mean, and the steps that transactions on them are made of.

Refuses to know threads and when a transaction begins or ends: it is given the connection.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from chatcore.people.folding import fold_name
from chatcore.people.principal import ADMIN
from chatcore.people.rules import fold_email
from chatcore.people.store import (
    DELETED_DISPLAY_NAME,
    DELETED_NAME,
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

# Every statement here is put together from constants of this package; values always travel as parameters.
# ruff: noqa: S608

USER = (
    "p.id, p.kind, p.name, p.display_name, p.email, p.password, p.roles, p.maker, p.created_at, p.deleted_at"
)
SIGN_IN = "s.id, s.hash, s.person, s.created_at, s.used_at, s.expires_at, s.agent, s.address"
API_KEY = (
    "t.id, t.hash, t.kind, t.name, t.person, t.maker, t.scopes, t.channels, t.created_at, t.used_at,"
    " t.expires_at"
)
GUEST = "g.id, g.hash, p.name, g.asked, p.created_at, g.used_at, g.renamed_at"
SELECT_USER = f"SELECT {USER} FROM person p WHERE p.kind <> 'guest'"
_OTHER_HAS_NAME = (
    "EXISTS (SELECT 1 FROM person o WHERE o.folded = {folded} AND o.kind <> 'guest')"
    " OR EXISTS (SELECT 1 FROM person o JOIN guest h ON h.id = o.id"
    " WHERE o.folded = {folded} AND o.kind = 'guest' AND o.id <> {own} AND h.used_at > {since})"
)
#: Parameters: folded, own id, since.
NAME_TAKEN = "SELECT " + _OTHER_HAS_NAME.format(folded="?1", own="?2", since="?3")
#: ?1 = since when other guests' names count.
SELECT_GUEST = (
    f"SELECT {GUEST}, {_OTHER_HAS_NAME.format(folded='p.folded', own='p.id', since='?1')}"
    " FROM guest g JOIN person p ON p.id = g.id"
)
SELECT_SIGN_IN = f"SELECT {SIGN_IN}, {USER} FROM sign_in s JOIN person p ON p.id = s.person"
SELECT_API_KEY = f"SELECT {API_KEY}, {USER} FROM api_token t JOIN person p ON p.id = t.person"

# -- rows to records -----------------------------------------------------------------------------------------


def to_user(row: Sequence[Any]) -> User:
    """A row of USER."""
    person, kind, name, display_name, email, password, roles, maker, created_at, deleted_at = row
    held = frozenset(roles.split())
    return User(person, kind, name, display_name, email, password, held, maker, created_at, deleted_at)


def to_token(row: Sequence[Any]) -> ApiToken:
    """A row of API_KEY."""
    key, hashed, kind, name, person, maker, scopes, channels, created_at, used_at, expires_at = row
    rights = frozenset(orjson.loads(scopes))
    places = None if channels is None else frozenset(orjson.loads(channels))
    return ApiToken(key, hashed, kind, name, person, maker, rights, places, created_at, used_at, expires_at)


def to_guest(row: Sequence[Any]) -> Guest:
    """A row of SELECT_GUEST."""
    return Guest(*row[:7], contested=bool(row[7]))


def to_sign_in(row: Sequence[Any]) -> Credential:
    """A row of SELECT_SIGN_IN."""
    return Credential(SignIn(*row[:8]), to_user(row[8:]))


def to_api_key(row: Sequence[Any]) -> Credential:
    """A row of SELECT_API_KEY."""
    return Credential(to_token(row[:11]), to_user(row[11:]))


def listed(items: Iterable[str]) -> str:
    """A JSON list, for `json_each` and for the columns that hold one."""
    return orjson.dumps(sorted(items)).decode()


def stored(user: User) -> tuple[str | None, ...]:
    """The columns of `person` that can change, from `name` to `roles`."""
    return (
        user.name,
        fold_name(user.name),
        user.display_name,
        user.email,
        None if user.email is None else fold_email(user.email),
        user.password,
        " ".join(sorted(user.roles)),
    )


# -- parts of transactions -----------------------------------------------------------------------------------


def living(db: sqlite3.Connection, user_id: str) -> User:
    """The user, not deleted, or Missing."""
    row = db.execute(f"{SELECT_USER} AND p.id = ? AND p.deleted_at IS NULL", (user_id,)).fetchone()
    if row is None:
        raise Missing
    return to_user(row)


def keep_an_admin(db: sqlite3.Connection, user: User) -> None:
    """Raise LastAdmin if this user is the only administrator."""
    rows = db.execute("SELECT id, roles FROM person WHERE roles <> '' AND deleted_at IS NULL").fetchall()
    if {found for found, roles in rows if ADMIN in roles.split()} == {user.id}:
        raise LastAdmin


def free_name(db: sqlite3.Connection, names: Sequence[str], own_id: str) -> str:
    """The first of `names` that nobody else has, or Taken."""
    sql = "SELECT EXISTS (SELECT 1 FROM person WHERE folded = ? AND kind <> 'guest' AND id <> ?)"
    for name in names:
        if not db.execute(sql, (fold_name(name), own_id)).fetchone()[0]:
            return name
    raise Taken("name")


def need_free_email(db: sqlite3.Connection, email: str | None, own_id: str) -> None:
    """Raise Taken if somebody else has this email."""
    if email is None:
        return
    sql = "SELECT EXISTS (SELECT 1 FROM person WHERE email_folded = ? AND id <> ?)"
    if db.execute(sql, (fold_email(email), own_id)).fetchone()[0]:
        raise Taken("email")


def apply_changes(db: sqlite3.Connection, user: User, changes: Changes) -> User:
    """Write `changes`; the user as he is then, or Taken."""
    need_free_email(db, changes.email, user.id)
    changed = replace(
        user,
        name=free_name(db, changes.names, user.id) if changes.names else user.name,
        display_name=user.display_name if changes.display_name is None else changes.display_name,
        email=user.email if changes.email is None else changes.email,
        password=user.password if changes.password is None else changes.password,
        roles=user.roles if changes.roles is None else changes.roles,
    )
    db.execute(
        "UPDATE person SET name = ?, folded = ?, display_name = ?, email = ?, email_folded = ?, password = ?,"
        " roles = ? WHERE id = ?",
        (*stored(changed), user.id),
    )
    return changed


def erase(db: sqlite3.Connection, person: str, now_ms: int) -> None:
    """Take from a person his name, email, password, roles and credentials; his row stays."""
    db.execute(
        "UPDATE person SET name = ?, folded = NULL, display_name = ?, email = NULL, email_folded = NULL,"
        " password = NULL, roles = '', deleted_at = ? WHERE id = ?",
        (DELETED_NAME, DELETED_DISPLAY_NAME, now_ms, person),
    )
    db.execute("DELETE FROM sign_in WHERE person = ?", (person,))
    db.execute("DELETE FROM api_token WHERE ?1 IN (person, maker)", (person,))
    db.execute("DELETE FROM invite WHERE person = ?", (person,))


def retire_bot(db: sqlite3.Connection, folded: str, now_ms: int) -> User | None:
    """Give a bot that has no good token left its former name; the bot as it is then, or None."""
    row = db.execute(
        f"{SELECT_USER} AND p.folded = ? AND p.kind = 'bot' AND p.maker IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM api_token t WHERE t.person = p.id AND coalesce(t.expires_at > ?, 1))",
        (folded, now_ms),
    ).fetchone()
    if row is None:
        return None
    bot = to_user(row)
    retired = replace(bot, name=former_name(bot))
    db.execute(
        "UPDATE person SET name = ?, folded = ? WHERE id = ?",
        (retired.name, fold_name(retired.name), bot.id),
    )
    return retired


def settle_guest(db: sqlite3.Connection, draft: GuestDraft, since_ms: int) -> Guest:
    """Make or rename one guest under the first free name; seen since `since_ms`, others keep theirs."""
    own, name = draft.guest.id, draft.guest.name
    for name in draft.names:
        if not db.execute(NAME_TAKEN, (fold_name(name), own, since_ms)).fetchone()[0]:
            break
    guest = replace(draft.guest, name=name)
    db.execute(
        "INSERT INTO person (id, kind, name, folded, display_name, created_at)"
        " VALUES (?, 'guest', ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
        " folded = excluded.folded, display_name = excluded.display_name",
        (own, name, fold_name(name), name, guest.created_at),
    )
    (used_at,) = db.execute(
        "INSERT INTO guest VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET asked = excluded.asked,"
        " used_at = max(used_at, excluded.used_at), renamed_at = excluded.renamed_at RETURNING used_at",
        (own, guest.hash, guest.asked, guest.used_at, guest.renamed_at),
    ).fetchone()
    return replace(guest, used_at=used_at)
