"""Owns the people store in SQLite: what each promise of the port is as SQL (tables of 0002_people.sql).

Refuses to know who calls and why. Reads go through the readers; each write is one work of the writer thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chatcore.log.database import Database
from chatcore.people.principal import ADMIN, Name
from chatcore.people.sqlite_rows import (
    API_KEY,
    SELECT_API_KEY,
    SELECT_GUEST,
    SELECT_SIGN_IN,
    SELECT_USER,
    SIGN_IN,
    USER,
    apply_changes,
    erase,
    free_name,
    keep_an_admin,
    listed,
    living,
    need_free_email,
    retire_bot,
    settle_guest,
    stored,
    to_api_key,
    to_guest,
    to_sign_in,
    to_token,
    to_user,
)
from chatcore.people.store import (
    GRACE_MS,
    GUEST_LIFE_MS,
    GUEST_NAME_MS,
    SESSIONS_OF_ONE,
    ApiToken,
    Changes,
    Credential,
    Guest,
    GuestDraft,
    Missing,
    SignIn,
    User,
)

# Every statement here is put together from constants of this package; values always travel as parameters.
# ruff: noqa: S608


class SqliteStore:
    """The store over a `Database`; see `chatcore.people.store.Store` for what each method promises."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # -- users -----------------------------------------------------------------------------------------------

    async def has_users(self) -> bool:
        return bool((await self._db.query("SELECT EXISTS (SELECT 1 FROM person WHERE kind = 'user')"))[0][0])

    async def create_user(self, user: User, names: Sequence[str], first_roles: frozenset[str]) -> User:
        def work(db: sqlite3.Connection) -> User:
            (used,) = db.execute("SELECT EXISTS (SELECT 1 FROM person WHERE kind = 'user')").fetchone()
            need_free_email(db, user.email, user.id)
            made = replace(
                user,
                name=free_name(db, names, user.id),
                roles=user.roles if used else user.roles | first_roles,
            )
            db.execute(
                "INSERT INTO person (id, kind, name, folded, display_name, email, email_folded, password,"
                " roles, maker, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (made.id, made.kind, *stored(made), made.maker, made.created_at),
            )
            return made

        return await self._db.write(work)

    async def user(self, user_id: str) -> User | None:
        return await self._one_user("p.id = ?", user_id)

    async def user_by_name(self, folded: str) -> User | None:
        return await self._one_user("p.folded = ?", folded)

    async def user_by_email(self, folded: str) -> User | None:
        return await self._one_user("p.email_folded = ?", folded)

    async def users(self, query: str, before: str | None, limit: int) -> list[User]:
        pattern = "%" + query.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        rows = await self._db.query(
            f"{SELECT_USER} AND p.deleted_at IS NULL AND p.id < ?1 AND (p.name LIKE ?2 ESCAPE '\\'"
            " OR p.display_name LIKE ?2 ESCAPE '\\' OR p.email LIKE ?2 ESCAPE '\\')"
            " ORDER BY p.id DESC LIMIT ?3",
            (before or "~", pattern, limit),
        )
        return [to_user(row) for row in rows]

    async def change_user(self, user_id: str, changes: Changes) -> User:
        def work(db: sqlite3.Connection) -> User:
            user = living(db, user_id)
            if changes.roles is not None and ADMIN not in changes.roles:
                keep_an_admin(db, user)
            return apply_changes(db, user, changes)

        return await self._db.write(work)

    async def delete_user(self, user_id: str, now_ms: int) -> list[str]:
        def work(db: sqlite3.Connection) -> list[str]:
            keep_an_admin(db, living(db, user_id))
            rows = db.execute("SELECT id FROM person WHERE maker = ? AND deleted_at IS NULL", (user_id,))
            gone = [user_id, *(bot for (bot,) in rows.fetchall())]
            for person in gone:
                erase(db, person, now_ms)
            return gone

        return await self._db.write(work)

    async def names(self, ids: Iterable[str]) -> list[Name]:
        rows = await self._db.query(
            "SELECT id, name, display_name, kind FROM person WHERE id IN (SELECT value FROM json_each(?))",
            (listed(ids),),
        )
        return [Name(*row) for row in rows]

    # -- invites and the first run ---------------------------------------------------------------------------

    async def put_invite(self, code_hash: str, user_id: str, expires_at: int) -> None:
        def work(db: sqlite3.Connection) -> None:
            living(db, user_id)
            db.execute("DELETE FROM invite WHERE person = ?", (user_id,))
            db.execute("INSERT INTO invite VALUES (?, ?, ?)", (code_hash, user_id, expires_at))

        await self._db.write(work)

    async def invited(self, code_hash: str, now_ms: int) -> User | None:
        rows = await self._db.query(
            f"SELECT {USER} FROM invite i JOIN person p ON p.id = i.person"
            " WHERE i.hash = ? AND i.expires_at > ?",
            (code_hash, now_ms),
        )
        return to_user(rows[0]) if rows else None

    async def redeem_invite(self, code_hash: str, now_ms: int, changes: Changes) -> User:
        def work(db: sqlite3.Connection) -> User:
            row = db.execute(
                "DELETE FROM invite WHERE hash = ? AND expires_at > ? RETURNING person", (code_hash, now_ms)
            ).fetchone()
            if row is None:
                raise Missing
            return apply_changes(db, living(db, row[0]), changes)

        return await self._db.write(work)

    async def code(self, fresh: str) -> str:
        def work(db: sqlite3.Connection) -> str:
            db.execute("INSERT OR IGNORE INTO meta VALUES ('first_run_code', ?)", (fresh,))
            return db.execute("SELECT value FROM meta WHERE key = 'first_run_code'").fetchone()[0]

        return await self._db.write(work)

    # -- sessions and tokens ---------------------------------------------------------------------------------

    async def add_sign_in(
        self, sign_in: SignIn, password: str | None, *, keep: int = SESSIONS_OF_ONE
    ) -> list[str]:
        def work(db: sqlite3.Connection) -> list[str]:
            if living(db, sign_in.person).password != password:
                raise Missing
            gone = db.execute(
                "DELETE FROM sign_in WHERE id IN (SELECT id FROM sign_in WHERE person = ?"
                " ORDER BY used_at DESC, id DESC LIMIT -1 OFFSET ?) RETURNING id",
                (sign_in.person, keep - 1),
            ).fetchall()
            db.execute(
                "INSERT INTO sign_in VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    sign_in.id,
                    sign_in.hash,
                    sign_in.person,
                    sign_in.created_at,
                    sign_in.used_at,
                    sign_in.expires_at,
                    sign_in.agent,
                    sign_in.address,
                ),
            )
            return [row[0] for row in gone]

        return await self._db.write(work)

    async def sign_ins(self, user_id: str, now_ms: int) -> list[SignIn]:
        rows = await self._db.query(
            f"SELECT {SIGN_IN} FROM sign_in s WHERE s.person = ? AND s.expires_at > ? ORDER BY s.id DESC",
            (user_id, now_ms),
        )
        return [SignIn(*row) for row in rows]

    async def end_sign_ins(
        self, user_id: str, *, only: str | None = None, but: str | None = None
    ) -> list[str]:
        def work(db: sqlite3.Connection) -> list[str]:
            rows = db.execute(
                "DELETE FROM sign_in WHERE person = ? AND id = coalesce(?, id) AND id <> coalesce(?, '')"
                " RETURNING id",
                (user_id, only, but),
            )
            return [row[0] for row in rows.fetchall()]

        return await self._db.write(work)

    async def add_token(self, token: ApiToken) -> None:
        def work(db: sqlite3.Connection) -> None:
            living(db, token.person)
            living(db, token.maker)
            db.execute(
                "INSERT INTO api_token VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    token.id,
                    token.hash,
                    token.kind,
                    token.name,
                    token.person,
                    token.maker,
                    listed(token.scopes),
                    None if token.channels is None else listed(token.channels),
                    token.created_at,
                    token.used_at,
                    token.expires_at,
                ),
            )

        await self._db.write(work)

    async def tokens(self, maker: str, before: str | None, limit: int) -> list[ApiToken]:
        rows = await self._db.query(
            f"SELECT {API_KEY} FROM api_token t WHERE t.maker = ? AND t.id < ? ORDER BY t.id DESC LIMIT ?",
            (maker, before or "~", limit),
        )
        return [to_token(row) for row in rows]

    async def end_token(self, maker: str, token_id: str) -> str | None:
        def work(db: sqlite3.Connection) -> str | None:
            sql = "DELETE FROM api_token WHERE maker = ? AND id = ? RETURNING person"
            row = db.execute(sql, (maker, token_id)).fetchone()
            return None if row is None else row[0]

        return await self._db.write(work)

    async def retire_bot(self, folded: str, now_ms: int) -> User | None:
        return await self._db.write(lambda db: retire_bot(db, folded, now_ms))

    async def find_sign_ins(self, hashes: Sequence[str]) -> dict[str, Credential]:
        rows = await self._db.query(
            f"{SELECT_SIGN_IN} WHERE s.hash IN (SELECT value FROM json_each(?))", (listed(hashes),)
        )
        return {row[1]: to_sign_in(row) for row in rows}

    async def find_tokens(self, hashes: Sequence[str]) -> dict[str, Credential]:
        rows = await self._db.query(
            f"{SELECT_API_KEY} WHERE t.hash IN (SELECT value FROM json_each(?))", (listed(hashes),)
        )
        return {row[1]: to_api_key(row) for row in rows}

    async def touch(self, used: Mapping[str, int]) -> None:
        rows = [(now_ms, key) for key, now_ms in used.items()]

        def work(db: sqlite3.Connection) -> None:
            db.executemany("UPDATE guest SET used_at = max(used_at, ?) WHERE id = ?", rows)
            db.executemany("UPDATE sign_in SET used_at = max(used_at, ?) WHERE id = ?", rows)
            db.executemany("UPDATE api_token SET used_at = max(coalesce(used_at, 0), ?) WHERE id = ?", rows)

        await self._db.write(work)

    # -- guests ----------------------------------------------------------------------------------------------

    async def find_guests(self, hashes: Sequence[str], since_ms: int) -> dict[str, Guest]:
        rows = await self._db.query(
            f"{SELECT_GUEST} WHERE g.hash IN (SELECT value FROM json_each(?2))", (since_ms, listed(hashes))
        )
        return {row[1]: to_guest(row) for row in rows}

    async def settle_guests(self, drafts: Sequence[GuestDraft], now_ms: int) -> list[Guest]:
        def work(db: sqlite3.Connection) -> list[Guest]:
            return [settle_guest(db, draft, now_ms - GUEST_NAME_MS) for draft in drafts]

        return await self._db.write(work)

    async def guests_named(self, folded: str, since_ms: int) -> list[Name]:
        rows = await self._db.query(
            "SELECT p.id, p.name, p.display_name, p.kind FROM person p JOIN guest g ON g.id = p.id"
            " WHERE p.folded = ? AND p.kind = 'guest' AND g.used_at > ? ORDER BY p.id DESC",
            (folded, since_ms),
        )
        return [Name(*row) for row in rows]

    async def recent(self, since_ms: int, limit: int) -> tuple[list[Credential], list[Guest]]:
        latest = "WHERE {0}.used_at > ?1 ORDER BY {0}.used_at DESC LIMIT ?2"
        known = (since_ms, limit)
        credentials = [
            *map(to_sign_in, await self._db.query(f"{SELECT_SIGN_IN} {latest.format('s')}", known)),
            *map(to_api_key, await self._db.query(f"{SELECT_API_KEY} {latest.format('t')}", known)),
        ]
        # The limit comes first, so that only those taken are checked for somebody with more right to the name.
        newest = "(SELECT id FROM guest WHERE used_at > ?1 ORDER BY used_at DESC LIMIT ?2)"
        guests = await self._db.query(f"{SELECT_GUEST} WHERE g.id IN {newest} ORDER BY g.used_at DESC", known)
        return credentials, [to_guest(row) for row in guests]

    async def forget_expired(self, now_ms: int) -> int:
        ended = now_ms - GRACE_MS

        def work(db: sqlite3.Connection) -> int:
            return (
                db.execute("DELETE FROM sign_in WHERE expires_at <= ?", (ended,)).rowcount
                + db.execute("DELETE FROM api_token WHERE expires_at <= ?", (ended,)).rowcount
                + db.execute("DELETE FROM invite WHERE expires_at <= ?", (ended,)).rowcount
                + db.execute("DELETE FROM guest WHERE used_at <= ?", (ended - GUEST_LIFE_MS,)).rowcount
            )

        return await self._db.write(work)

    async def _one_user(self, where: str, value: str) -> User | None:
        rows = await self._db.query(f"{SELECT_USER} AND {where}", (value,))
        return to_user(rows[0]) if rows else None
