"""Owns the one face of people: what the rest of the server asks about who acts. Puts the parts together.

Refuses to know HTTP, sockets, rooms and channels.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from chatcore.people.accounts import Accounts
from chatcore.people.announcements import Announcements
from chatcore.people.config import ForgetMessages, OwnsChannels, PeopleConfig, no_messages, owns_nothing
from chatcore.people.credentials import Credentials
from chatcore.people.folding import fold_name
from chatcore.people.guests import CACHE, Guests
from chatcore.people.names import Names
from chatcore.people.passwords import Passwords
from chatcore.people.principal import GuestEntry, Name, Principal, Revocation, SignedIn
from chatcore.people.sessions import Sessions
from chatcore.people.store import GUEST_NAME_MS, Store
from chatcore.people.throttle import Throttle
from chatcore.people.tokens import Tokens
from schemas import resources
from schemas.errors import Refused

log = logging.getLogger(__name__)


class People:
    """Accounts, sessions, tokens, guests and names (product.md REST; protocol 4).

    `clock` gives Unix ms, `entropy(n)` n random bytes. `term_check(name)` says whether a guest's name hits a rule.
    `owns_channels` and `forget_messages` are asked when a user is deleted; both may be set later.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], int],
        entropy: Callable[[int], bytes],
        config: PeopleConfig | None = None,
        term_check: Callable[[str], bool] | None = None,
        owns_channels: OwnsChannels = owns_nothing,
        forget_messages: ForgetMessages = no_messages,
    ) -> None:
        self.config = config or PeopleConfig()
        self._store = store
        self._clock = clock
        self._used: dict[str, int] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._names = Names(store)
        self._credentials = Credentials(store, clock, self._used)
        self._announcements = Announcements(self._credentials, self._names)
        self._throttle = Throttle(limits=self.config.limits)
        self._passwords = Passwords(self.config.password_cost)
        self._guests = Guests(
            store,
            self._names,
            self._throttle,
            clock=clock,
            entropy=entropy,
            used=self._used,
            renamed=self._announcements.guest_renamed,
        )
        self._guests.term_check = term_check
        self._sessions = Sessions(
            store,
            self._passwords,
            self._throttle,
            self._announcements,
            clock=clock,
            entropy=entropy,
            config=self.config,
        )
        self._accounts = Accounts(
            store,
            self._sessions,
            self._guests,
            self._passwords,
            self._throttle,
            self._announcements,
            clock=clock,
            entropy=entropy,
            config=self.config,
            owns_channels=owns_channels,
            forget_messages=forget_messages,
        )
        self._tokens = Tokens(
            store, self._guests, self._throttle, self._announcements, clock=clock, entropy=entropy
        )

    # -- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Make ready: the first-run code, a warm cache (so that a crowd coming back reads nothing), upkeep."""
        await self._accounts.start()
        credentials, guests = await self._store.recent(self._clock() - GUEST_NAME_MS, CACHE)
        self._credentials.fill(credentials)
        self._guests.fill(guests)
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """Write down who was here and stop. Call it before the database is closed. Idempotent."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        await self._credentials.close()
        await self._guests.close()
        await self._names.close()
        self._passwords.close()
        try:
            await self.flush()
        except Exception:
            log.exception("Noting who was here failed at the end; dates of last use may be old.")

    async def flush(self) -> None:
        """Write down who was here when. A failing store loses notes of last use and nothing else."""
        used = dict(self._used)
        self._used.clear()
        if used:
            await self._store.touch(used)

    def first_run_code(self) -> str | None:
        """The one-time code to print at start, while the instance has no account."""
        return self._accounts.first_code

    # -- who acts --------------------------------------------------------------------------------------------

    async def authenticate(self, token: str, *, address: str | None = None) -> Principal:
        """Who holds a session token (`cs_…`) or API token (`ct_…`).

        With an `address`, failures count there, and too many are refused before they are looked at; a token
        known to be good is not, so that nobody's failures lock out who shares his address.
        Raises Refused unauthenticated, token_expired, rate_limited, overloaded.
        """
        if address is None or self._credentials.knows(token):
            return self._named(await self._credentials.resolve(token))
        self._throttle.may_authenticate(address, self._clock())
        try:
            return self._named(await self._credentials.resolve(token))
        except Refused as refused:
            if refused.code == "unauthenticated":
                self._throttle.failed(address, self._clock())
            raise

    def _named(self, principal: Principal) -> Principal:
        """Whoever is let in is about to be shown: his name is at hand from now on."""
        self._names.put(Name(principal.id, principal.name, principal.display_name, principal.kind))
        return principal

    async def guest(self, name: str, token: str | None = None, *, address: str) -> GuestEntry:
        """Let a guest in (protocol 4). Raises Refused bad_request, term, rate_limited, overloaded."""
        return await self._guests.enter(name, token, address=address)

    def is_revoked(self, principal: Principal) -> bool:
        """Whether a principal resolved a moment ago has ended meanwhile: ask right after registering a socket,
        since a revocation between the two was announced to nobody who would have closed it.
        """
        return principal.kind != "guest" and not self._credentials.is_current(principal)

    def seen(self, principal: Principal) -> None:
        """Somebody is still here: his credential and, if he is a guest, his name stay his."""
        self._used[principal.credential] = self._clock()

    # -- accounts and sessions -------------------------------------------------------------------------------

    async def signup(
        self,
        *,
        display_name: str,
        email: str,
        password: str,
        name: str | None = None,
        code: str | None = None,
        address: str,
        loopback: bool = False,
        agent: str = "",
    ) -> SignedIn:
        """Make an account and sign in; `code` is the first-run code or an invitation's.

        Raises Refused bad_request (with field), conflict (field name or email), rate_limited, overloaded.
        """
        return await self._accounts.sign_up(
            display_name=display_name,
            name=name,
            email=email,
            password=password,
            code=code,
            address=address,
            loopback=loopback,
            agent=agent,
        )

    async def login(self, identifier: str, password: str, *, address: str, agent: str = "") -> SignedIn:
        """Sign in by email or name. Raises Refused unauthenticated, rate_limited, overloaded."""
        return await self._sessions.login(identifier, password, address=address, agent=agent)

    async def session(self, principal: Principal) -> resources.SessionInfo:
        """The session that asks. Raises Refused not_found."""
        return await self._sessions.info(principal)

    async def logout(self, principal: Principal) -> None:
        """End the session that asks; its sockets close with 4006. Raises Refused forbidden, not_found."""
        await self._sessions.end(principal, principal.credential)

    async def list_sessions(self, principal: Principal) -> resources.SessionList:
        """The user's sessions. Raises Refused forbidden."""
        return await self._sessions.all_of(principal)

    async def revoke_session(self, principal: Principal, session: str) -> None:
        """End one of the user's sessions. Raises Refused forbidden, not_found."""
        await self._sessions.end(principal, session)

    async def get_user(self, ref: str, viewer: Principal | None) -> resources.User:
        """A user or bot by id or `@name`, as `viewer` may see him. Raises Refused not_found."""
        return await self._accounts.get(ref, viewer)

    async def list_users(self, by: Principal, query: resources.UserQuery) -> resources.UserList:
        """Users, for administrators. Raises Refused forbidden."""
        return await self._accounts.page(by, query)

    async def create_user(self, by: Principal, wanted: resources.UserCreate) -> resources.User:
        """Make an account for somebody. Raises Refused forbidden, bad_request, conflict, overloaded."""
        return await self._accounts.create(by, wanted)

    async def patch_user(
        self, by: Principal, ref: str, changes: dict[str, Any], *, address: str
    ) -> resources.User:
        """Change a user; `changes` is `resources.changes(patch)`.

        Raises Refused bad_request, forbidden, not_found, conflict, rate_limited, overloaded.
        """
        return await self._accounts.patch(by, ref, changes, address=address)

    async def delete_user(self, by: Principal, ref: str, messages: str = "anonymise") -> None:
        """Delete a user. Raises Refused conflict (owns channels, last administrator), forbidden, not_found."""
        await self._accounts.delete(by, ref, messages)

    # -- tokens ----------------------------------------------------------------------------------------------

    async def create_token(self, by: Principal, wanted: resources.TokenCreate) -> resources.TokenCreated:
        """Make a token, shown once. Raises Refused bad_request, forbidden, conflict, rate_limited."""
        return await self._tokens.create(by, wanted)

    async def list_tokens(self, by: Principal, query: resources.PageQuery) -> resources.TokenList:
        """The user's tokens. Raises Refused forbidden."""
        return await self._tokens.page(by, query)

    async def revoke_token(self, by: Principal, token: str) -> None:
        """End a token; its sockets close with 4505. Raises Refused forbidden, not_found."""
        await self._tokens.revoke(by, token)

    # -- names -----------------------------------------------------------------------------------------------

    async def names(self, ids: Iterable[str]) -> dict[str, Name]:
        """How these people are shown; ids of nobody are left out."""
        return await self._names.names(ids)

    def name_of(self, person: str) -> Name | None:
        """The same from the cache, without waiting; None if it is not there."""
        return self._names.name_of(person)

    async def house_bot(self, display_name: str) -> Principal:
        """A bot that belongs to the instance and is nobody's; made at the first call. It has no credential."""
        bot = await self._tokens.house_bot(display_name, self._clock())
        return Principal(bot.id, "bot", bot.name, bot.display_name, frozenset(), bot.id, None)

    async def find_user(self, ref: str) -> Name | None:
        """Anybody by id, or the user or bot of a `@name`; None if there is none (guests: `guests_named`)."""
        if not ref.startswith("@"):
            return (await self.names((ref,))).get(ref)
        try:
            return (await self._accounts.find(ref)).named()
        except Refused:
            return None

    async def guests_named(self, name: str) -> list[Name]:
        """Guests of that name (with or without `@`) seen in the last 24 h; for names, the room says which is here."""
        folded = fold_name(name.removeprefix("@")[:64])
        return await self._store.guests_named(folded, self._clock() - GUEST_NAME_MS)

    # -- what others hear ------------------------------------------------------------------------------------

    @property
    def on_revoked(self) -> list[Callable[[Revocation], None]]:
        """Called on the loop after credentials ended or changed."""
        return self._announcements.on_revoked

    @property
    def on_renamed(self) -> list[Callable[[Name], None]]:
        """Called on the loop after somebody's name changed."""
        return self._announcements.on_renamed

    @property
    def owns_channels(self) -> OwnsChannels:
        """The port that is asked before a user is deleted."""
        return self._accounts.owns_channels

    @owns_channels.setter
    def owns_channels(self, port: OwnsChannels) -> None:
        self._accounts.owns_channels = port

    @property
    def forget_messages(self) -> ForgetMessages:
        """The port that erases or anonymises a deleted user's messages."""
        return self._accounts.forget_messages

    @forget_messages.setter
    def forget_messages(self, port: ForgetMessages) -> None:
        self._accounts.forget_messages = port

    @property
    def term_check(self) -> Callable[[str], bool] | None:
        """Says whether a guest's name hits a rule."""
        return self._guests.term_check

    @term_check.setter
    def term_check(self, check: Callable[[str], bool] | None) -> None:
        self._guests.term_check = check

    # -- upkeep ----------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        since_sweep = self.config.sweep_s
        while True:
            await asyncio.sleep(self.config.flush_s)
            since_sweep += self.config.flush_s
            try:
                await self.flush()
                if since_sweep >= self.config.sweep_s:
                    since_sweep = 0.0
                    await self._store.forget_expired(self._clock())
            except Exception:
                log.exception("Noting who was here failed; it is tried again later.")
