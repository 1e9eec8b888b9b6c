"""Owns sessions of users: making them at sign-in, listing and ending them, and logging in by password.

Refuses to know cookies and HTTP; the token it returns is all that web needs.
"""

from __future__ import annotations

from collections.abc import Callable

from chatcore.limits import address_key, address_label
from chatcore.people.announcements import Announcements
from chatcore.people.config import DAY_MS, PeopleConfig
from chatcore.people.credentials import principal_of
from chatcore.people.folding import fold_name
from chatcore.people.passwords import Passwords
from chatcore.people.principal import CLOSE_CREDENTIALS_CHANGED, Principal, SignedIn
from chatcore.people.rules import PASSWORD_LENGTH, check_password, fold_email, is_sound
from chatcore.people.secrets import SESSION, TOKEN_BYTES, hash_secret, make_token
from chatcore.people.store import Changes, Credential, Missing, SignIn, Store, User
from chatcore.people.throttle import Throttle
from chatcore.people.views import agent_label, private_user, session_entry
from schemas import ids, resources
from schemas.errors import Refused

_IDENTIFIER_MAX = 320


class Sessions:
    """Sign-ins of users. `clock` gives Unix ms, `entropy(n)` n random bytes."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        throttle: Throttle,
        announcements: Announcements,
        *,
        clock: Callable[[], int],
        entropy: Callable[[int], bytes],
        config: PeopleConfig,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._throttle = throttle
        self._announcements = announcements
        self._clock = clock
        self._entropy = entropy
        self._config = config

    async def login(self, identifier: str, password: str, *, address: str, agent: str) -> SignedIn:
        """A session for the holder of an email or name and its password.

        Raises Refused unauthenticated (without saying which was wrong), rate_limited, overloaded.
        """
        identifier = identifier.strip()[:_IDENTIFIER_MAX]
        account = identifier.casefold()
        self._throttle.login_begins(account, address, self._clock())
        try:
            user = await self._checked(identifier, password, address)
        except Refused:  # nobody judged the password
            self._throttle.login_passed(account, address)
            raise
        if user is None:
            raise Refused("unauthenticated", "Wrong name, email or password.")
        self._throttle.login_passed(account, address)
        return await self.begin(user, address=address, agent=agent)

    async def begin(self, user: User, *, address: str, agent: str) -> SignedIn:
        """A new session for `user`, who has proved who he is. If he has too many, his least used one ends."""
        now = self._clock()
        token = make_token(SESSION, self._entropy(TOKEN_BYTES))
        sign_in = SignIn(
            id=ids.new_id(ids.TOKEN, now, self._entropy(8)),
            hash=hash_secret(token),
            person=user.id,
            created_at=now,
            used_at=now,
            expires_at=now + self._config.session_days * DAY_MS,
            agent=agent_label(agent),
            address=address_label(address),
        )
        try:
            ended = await self._store.add_sign_in(sign_in, user.password)
        except Missing:
            message = "This account was changed or deleted just now; try again."
            raise Refused("unauthenticated", message) from None
        for session in ended:
            self._announcements.credential_ended(session, user.id, CLOSE_CREDENTIALS_CHANGED)
        principal = principal_of(Credential(sign_in, user))
        return SignedIn(token, sign_in.expires_at, principal, private_user(user))

    async def info(self, principal: Principal) -> resources.SessionInfo:
        """The session that asks. Raises Refused not_found for other credentials."""
        user = await self._store.user(principal.id)
        for sign_in in await self._store.sign_ins(principal.id, self._clock()):
            if sign_in.id == principal.credential and user is not None:
                return resources.SessionInfo(
                    user=private_user(user), expires_at=sign_in.expires_at, created_at=sign_in.created_at
                )
        raise Refused("not_found", "You are not signed in with a session.", d={"what": "session"})

    async def all_of(self, principal: Principal) -> resources.SessionList:
        """The user's sessions, newest first."""
        need_session(principal)
        found = await self._store.sign_ins(principal.id, self._clock())
        return resources.SessionList(
            items=[session_entry(sign_in, principal.credential) for sign_in in found], next=None
        )

    async def end(self, principal: Principal, session: str) -> None:
        """End one of the user's own sessions; its sockets close with 4006. Raises Refused not_found."""
        need_session(principal)
        if not await self._store.end_sign_ins(principal.id, only=session):
            raise Refused("not_found", "You have no such session.", d={"what": "session"})
        self._announcements.credential_ended(session, principal.id, CLOSE_CREDENTIALS_CHANGED)

    async def end_all(self, user: str, *, but: str | None = None) -> None:
        """End a user's sessions (but one); their sockets close with 4006."""
        for session in await self._store.end_sign_ins(user, but=but):
            self._announcements.credential_ended(session, user, CLOSE_CREDENTIALS_CHANGED)

    async def need_password(self, user: User, given: object, *, address: str) -> None:
        """Check that the user knows his present password. Raises Refused bad_request, rate_limited, overloaded."""
        account = f"current {user.id}"
        self._throttle.login_begins(account, address, self._clock())
        try:
            checked = await self._passwords.check(
                user.password, given if isinstance(given, str) else "", owner=address_key(address)
            )
        except Refused:
            self._throttle.login_passed(account, address)
            raise
        if not checked.ok:
            message = "Enter your present password to set a new one; what was given is not it."
            raise Refused("bad_request", message, field="currentPassword", d={"reason": "wrong"})
        self._throttle.login_passed(account, address)

    async def _checked(self, identifier: str, password: str, address: str) -> User | None:
        user = await self._named(identifier)
        stored = user.password if user is not None else None
        if len(password) > PASSWORD_LENGTH[1]:
            stored = None  # it can't be anybody's, and takes as long to refuse as any
            password = ""
        owner = address_key(address)
        checked = await self._passwords.check(stored, _comparable(password), owner=owner)
        if not checked.ok or user is None:
            return None
        if checked.outdated:
            fresh = await self._passwords.hash(_comparable(password), owner=owner)
            user = await self._store.change_user(user.id, Changes(password=fresh))
        return user

    async def _named(self, identifier: str) -> User | None:
        if not is_sound(identifier):
            return None
        if "@" in identifier[1:]:
            return await self._store.user_by_email(fold_email(identifier))
        folded = fold_name(identifier.removeprefix("@"))
        return await self._store.user_by_name(folded) if folded else None


def need_session(principal: Principal) -> None:
    """What concerns the account itself takes a sign-in, no token. Raises Refused forbidden."""
    if principal.kind != "user" or principal.scopes is not None:
        message = "Sign in with your password for this; a token or guest can't do it."
        raise Refused("forbidden", message, d={"cap": "account"})


def _comparable(password: str) -> str:
    """The password as it would have been stored; one that never could be, as it is."""
    try:
        return check_password(password)
    except Refused:
        return "".join(char for char in password if not "\ud800" <= char <= "\udfff")
