"""Owns accounts: signing up, being invited, changing and deleting users.

Refuses to know HTTP, channels and messages: whether a user owns channels, and what becomes of his messages, it asks
through two ports.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chatcore.limits import address_key
from chatcore.people.announcements import Announcements
from chatcore.people.config import DAY_MS, ForgetMessages, OwnsChannels, PeopleConfig
from chatcore.people.first_run import FIRST_ROLES, check_first
from chatcore.people.folding import fold_name
from chatcore.people.guests import Guests
from chatcore.people.passwords import Passwords
from chatcore.people.principal import CLOSE_CREDENTIALS_CHANGED, Principal, SignedIn
from chatcore.people.rules import (
    check_display_name,
    check_email,
    check_name,
    check_password,
    check_roles,
    derive_name,
    fault,
    is_sound,
    name_candidates,
)
from chatcore.people.secrets import CODE_BYTES, hash_secret, make_code, same_code
from chatcore.people.sessions import Sessions, need_session
from chatcore.people.store import Changes, LastAdmin, Missing, Store, Taken, User
from chatcore.people.throttle import Throttle
from chatcore.people.views import private_user, user_for
from schemas import ids, resources
from schemas.errors import Refused

_NO_ROLES: frozenset[str] = frozenset()


class Accounts:
    """Users and their making. `clock` gives Unix ms, `entropy(n)` n random bytes."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        guests: Guests,
        passwords: Passwords,
        throttle: Throttle,
        announcements: Announcements,
        *,
        clock: Callable[[], int],
        entropy: Callable[[int], bytes],
        config: PeopleConfig,
        owns_channels: OwnsChannels,
        forget_messages: ForgetMessages,
    ) -> None:
        self.owns_channels = owns_channels
        self.forget_messages = forget_messages
        self.first_code: str | None = None
        self._store = store
        self._sessions = sessions
        self._guests = guests
        self._passwords = passwords
        self._throttle = throttle
        self._announcements = announcements
        self._clock = clock
        self._entropy = entropy
        self._config = config

    async def start(self) -> None:
        """On an empty instance, have the code ready that the first account needs; the same after a restart."""
        if not await self._store.has_users():
            self.first_code = await self._store.code(make_code(self._entropy(CODE_BYTES)))

    # -- signing up ------------------------------------------------------------------------------------------

    async def sign_up(
        self,
        *,
        display_name: str,
        name: str | None,
        email: str,
        password: str,
        code: str | None,
        address: str,
        loopback: bool,
        agent: str,
    ) -> SignedIn:
        """Make an account, or take up an invitation, and sign in.

        Raises Refused bad_request (field says which), conflict (name or email is taken), rate_limited, overloaded.
        """
        first = self.first_code is not None
        shown = check_display_name(display_name)
        chosen = check_name(name, trusted=first) if name else None
        mail, secret = check_email(email), check_password(password)
        invite = await self._admit(code or None, address, loopback)
        changes = Changes(
            display_name=shown,
            email=mail,
            password=await self._passwords.hash(secret, owner=address_key(address)),
            names=(chosen,) if chosen else (),
        )
        if invite is not None:
            user = await self._redeem(invite, changes)
        else:
            self._throttle.new_user(address, self._clock())
            user = await self._make(changes, _NO_ROLES)
        return await self._sessions.begin(user, address=address, agent=agent)

    async def _admit(self, code: str | None, address: str, loopback: bool) -> str | None:
        """The hash of the invitation that is taken up, None if it takes none."""
        self._throttle.may_authenticate(address, self._clock())
        try:
            if self.first_code is not None:
                check_first(code, self.first_code, loopback=loopback)
                return None
            if code is not None:
                invite = hash_secret(same_code(code))
                if await self._store.invited(invite, self._clock()) is None:
                    message = "This code was used, has expired, or is mistyped; ask for a new invitation."
                    raise fault("code", "unknown", message)
                return invite
        except Refused:
            if code is not None:
                self._throttle.failed(address, self._clock())
            raise
        if self._config.signup == "invite":
            raise fault(
                "code", "missing", "Accounts are made by invitation here; enter the code you were sent."
            )
        return None

    async def _redeem(self, invite: str, changes: Changes) -> User:
        try:
            user = await self._with_name(
                changes.names, lambda: self._store.redeem_invite(invite, self._clock(), changes)
            )
        except Taken as taken:
            raise _taken(taken) from None
        except Missing:
            raise fault("code", "unknown", "This code was used just now; ask for a new invitation.") from None
        self._guests.name_taken(fold_name(user.name))
        self._announcements.renamed(user.named())
        return user

    async def _make(self, made: Changes, roles: frozenset[str]) -> User:
        now = self._clock()
        shown = made.display_name or ""
        names: Sequence[str] = made.names or name_candidates(derive_name(shown), self._entropy(16))
        draft = User(
            id=ids.new_id(ids.USER, now, self._entropy(8)),
            kind="user",
            name=names[0],
            display_name=shown,
            email=made.email,
            password=made.password,
            roles=roles,
            maker=None,
            created_at=now,
        )
        try:
            user = await self._with_name(
                made.names, lambda: self._store.create_user(draft, names, FIRST_ROLES)
            )
        except Taken as taken:
            raise _taken(taken) from None
        self.first_code = None
        self._guests.name_taken(fold_name(user.name))
        return user

    async def _with_name(self, chosen: Sequence[str], store: Callable[[], Awaitable[User]]) -> User:
        """What `store` gives; where only a bot without a good token has the chosen name, that gives way."""
        try:
            return await store()
        except Taken as taken:
            if taken.args[0] != "name" or not chosen:
                raise
            bot = await self._store.retire_bot(fold_name(chosen[0]), self._clock())
            if bot is None:
                raise
        self._announcements.renamed(bot.named())
        return await store()

    # -- users -----------------------------------------------------------------------------------------------

    async def get(self, ref: str, viewer: Principal | None) -> resources.User:
        """A user or bot by id or `@name`. Raises Refused not_found."""
        return user_for(await self.find(ref), viewer)

    async def find(self, ref: str) -> User:
        """The same as stored. Raises Refused not_found, for deleted ones too."""
        if not is_sound(ref):
            user = None
        elif ref.startswith("@"):
            folded = fold_name(ref[1:65])
            user = await self._store.user_by_name(folded) if folded else None
        else:
            user = await self._store.user(ref)
        if user is None or user.deleted_at is not None:
            raise Refused("not_found", "There is no such user.", d={"what": "user"})
        return user

    async def page(self, by: Principal, query: resources.UserQuery) -> resources.UserList:
        """Users for administrators, newest first."""
        need_admin(by)
        sought = query.q or ""
        if not is_sound(sought + (query.cursor or "")):
            raise fault("q", "characters", "The search is not valid Unicode; type it again.")
        found = await self._store.users(sought, query.cursor, query.limit + 1)
        items = [private_user(user) for user in found[: query.limit]]
        return resources.UserList(items=items, next=items[-1].id if len(found) > query.limit else None)

    async def create(self, by: Principal, wanted: resources.UserCreate) -> resources.User:
        """Make an account for somebody; without a password the reply has his invitation, this once."""
        need_admin(by)
        changes = Changes(
            display_name=check_display_name(wanted.display_name),
            email=check_email(wanted.email),
            names=(check_name(wanted.name, trusted=True),) if wanted.name else (),
        )
        roles = check_roles(wanted.roles)
        if wanted.password is not None:
            secret = check_password(wanted.password)
            hashed = await self._passwords.hash(secret, owner=by.id)
            changes = Changes(
                display_name=changes.display_name,
                email=changes.email,
                names=changes.names,
                password=hashed,
            )
        user = await self._make(changes, roles)
        return private_user(user, invite_url=None if wanted.password else await self._invite(user))

    async def _invite(self, user: User) -> str:
        code = make_code(self._entropy(CODE_BYTES))
        expires_at = self._clock() + self._config.invite_days * DAY_MS
        await self._store.put_invite(hash_secret(same_code(code)), user.id, expires_at)
        return f"/signup#invite={code}"

    async def patch(self, by: Principal, ref: str, named: dict[str, Any], *, address: str) -> resources.User:
        """Change what is named of a user: oneself, or anybody as administrator.

        Raises Refused bad_request, forbidden, not_found, conflict, rate_limited, overloaded.
        """
        user = await self.find(ref)
        self._may_change(by, user)
        if "roles" in named:
            need_admin(by)
        password = named.get("password")
        if password is not None:
            password = check_password(password)
        changes = Changes(
            display_name=check_display_name(named["display_name"]) if "display_name" in named else None,
            email=check_email(named["email"]) if "email" in named else None,
            roles=check_roles(named["roles"]) if "roles" in named else None,
        )
        if changes.display_name not in (None, user.display_name) and not by.is_admin:
            self._throttle.renames(user.id, self._clock())
        if password is not None:
            if by.id == user.id:
                need_session(by)
                await self._sessions.need_password(user, named.get("current_password"), address=address)
            hashed = await self._passwords.hash(password, owner=address_key(address))
            changes = Changes(changes.display_name, changes.email, hashed, changes.roles)
        changed = await self._apply(user, changes)
        await self._tell(by, user, changed)
        return user_for(changed, by)

    async def delete(self, by: Principal, ref: str, messages: str) -> None:
        """Delete a user and his bots, and erase or anonymise his messages. Raises Refused conflict while he
        owns channels or is the last administrator; forbidden, not_found.
        """
        user = await self.find(ref)
        self._may_change(by, user)
        if by.id == user.id:
            need_session(by)
        if await self.owns_channels(user.id):
            raise Refused("conflict", "This user still owns channels; delete them or give them away first.")
        try:
            gone = await self._store.delete_user(user.id, self._clock())
        except LastAdmin:
            raise _last_admin() from None
        except Missing:
            raise Refused("not_found", d={"what": "user"}) from None
        for person in gone:
            deleted = await self._store.user(person)
            if deleted is not None:
                self._announcements.renamed(deleted.named())
            self._announcements.user_changed(person, CLOSE_CREDENTIALS_CHANGED)
            await self.forget_messages(person, messages)

    async def _apply(self, user: User, changes: Changes) -> User:
        try:
            return await self._store.change_user(user.id, changes)
        except Taken as taken:
            raise _taken(taken) from None
        except LastAdmin:
            raise _last_admin() from None
        except Missing:
            raise Refused("not_found", d={"what": "user"}) from None

    async def _tell(self, by: Principal, before: User, after: User) -> None:
        if after.named() != before.named():
            self._announcements.renamed(after.named())
        if after.password != before.password:
            await self._sessions.end_all(after.id, but=by.credential if by.id == after.id else None)
        if after.roles != before.roles:
            self._announcements.user_changed(after.id, CLOSE_CREDENTIALS_CHANGED)

    def _may_change(self, by: Principal, user: User) -> None:
        if by.is_admin:
            return
        if by.id != user.id or by.scopes is not None:
            raise Refused(
                "forbidden", "Only he himself and administrators may do this.", d={"cap": "account"}
            )


def need_admin(by: Principal) -> None:
    """Raise Refused forbidden unless `by` administers the instance."""
    if not by.is_admin:
        raise Refused("forbidden", "Only administrators of this instance may do this.", d={"cap": "admin"})


def _taken(taken: Taken) -> Refused:
    field = str(taken.args[0])
    messages = {
        "name": "That name is taken; choose another.",
        "email": "There is an account with that email; log in, or use another address.",
    }
    return Refused("conflict", messages[field], field=field)


def _last_admin() -> Refused:
    return Refused("conflict", "He is the last administrator; make somebody else one first.")
