"""Owns API tokens: bots, overlays and personal ones, with the least rights that were asked for.

Refuses to know channels: whether a token's maker has rights in one is looked at whenever the token is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chatcore.people.announcements import Announcements
from chatcore.people.folding import fold_name
from chatcore.people.guests import Guests
from chatcore.people.principal import CLOSE_TOKEN_REVOKED, INSTANCE_ROLES, Principal
from chatcore.people.rules import (
    check_channels,
    check_display_name,
    check_scopes,
    derive_name,
    fault,
    name_candidates,
)
from chatcore.people.secrets import API, TOKEN_BYTES, hash_secret, make_token
from chatcore.people.sessions import need_session
from chatcore.people.store import ApiToken, Missing, Store, User
from chatcore.people.throttle import Throttle
from chatcore.people.views import public_user, token_info
from schemas import ids, resources
from schemas.errors import Refused

_NO_ROLES: frozenset[str] = frozenset()
#: Tokens of one maker; an expired one counts until it is revoked, or forgotten a week later.
TOKENS_OF_ONE = 50
#: Bots of one maker that have a token.
BOTS_OF_ONE = 20


class Tokens:
    """Tokens of users. `clock` gives Unix ms, `entropy(n)` n random bytes."""

    def __init__(
        self,
        store: Store,
        guests: Guests,
        throttle: Throttle,
        announcements: Announcements,
        *,
        clock: Callable[[], int],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._guests = guests
        self._throttle = throttle
        self._announcements = announcements
        self._clock = clock
        self._entropy = entropy
        # One is made at a time, so that no two are both the last that the limits allow.
        self._making = asyncio.Lock()

    async def create(self, by: Principal, wanted: resources.TokenCreate) -> resources.TokenCreated:
        """Make a token; the reply shows it this once. A bot is made too, unless `by` has one of that name.

        Raises Refused bad_request, forbidden, conflict (too many), rate_limited.
        """
        need_session(by)
        now = self._clock()
        channels, scopes = self._checked(by, wanted, now)
        shown = check_display_name(wanted.name, field="name")
        self._throttle.new_token(by.id, now)
        async with self._making:
            return await self._make(by, wanted, shown, channels, scopes, now)

    async def _make(
        self,
        by: Principal,
        wanted: resources.TokenCreate,
        shown: str,
        channels: frozenset[str] | None,
        scopes: frozenset[str],
        now: int,
    ) -> resources.TokenCreated:
        held = await self._store.tokens(by.id, None, TOKENS_OF_ONE)
        if len(held) >= TOKENS_OF_ONE:
            message = f"You have {TOKENS_OF_ONE} tokens; revoke one that is not needed any more."
            raise Refused("conflict", message)
        if wanted.kind == "bot":
            bots = {token.person for token in held if token.kind == "bot"}
            actor = await self._bot(shown, by.id, now, full=bots if len(bots) >= BOTS_OF_ONE else None)
        else:
            actor = await self._maker(by)
        secret = make_token(API, self._entropy(TOKEN_BYTES))
        token = ApiToken(
            id=ids.new_id(ids.TOKEN, now, self._entropy(8)),
            hash=hash_secret(secret),
            kind=wanted.kind,
            name=shown,
            person=actor.id,
            maker=by.id,
            scopes=scopes,
            channels=channels,
            created_at=now,
            expires_at=wanted.expires_at,
        )
        try:
            await self._store.add_token(token)
        except Missing:
            raise Refused("unauthenticated", "This account was deleted.") from None
        return resources.TokenCreated(id=token.id, token=secret, user=public_user(actor))

    async def page(self, by: Principal, query: resources.PageQuery) -> resources.TokenList:
        """The user's tokens, newest first, without their secrets."""
        need_session(by)
        found = await self._store.tokens(by.id, query.cursor, query.limit + 1)
        items: list[resources.TokenInfo] = []
        for token in found[: query.limit]:
            actor = await self._store.user(token.person)
            if actor is not None:
                items.append(token_info(token, public_user(actor)))
        return resources.TokenList(items=items, next=items[-1].id if len(found) > query.limit else None)

    async def revoke(self, by: Principal, token: str) -> None:
        """End one of the user's tokens; its sockets close with 4505. Raises Refused not_found."""
        need_session(by)
        actor = await self._store.end_token(by.id, token)
        if actor is None:
            raise Refused("not_found", "You have no such token.", d={"what": "token"})
        self._announcements.credential_ended(token, actor, CLOSE_TOKEN_REVOKED)

    def _checked(
        self, by: Principal, wanted: resources.TokenCreate, now: int
    ) -> tuple[frozenset[str] | None, frozenset[str]]:
        channels, scopes = check_channels(wanted.channels), check_scopes(wanted.scopes)
        if wanted.expires_at is not None and wanted.expires_at <= now:
            raise fault("expiresAt", "past", "That time has passed; give one in the future, or null.")
        lent = scopes & INSTANCE_ROLES
        if lent and (wanted.kind != "personal" or not lent <= by.instance_roles):
            message = "Only a personal token may have an instance role, and only one that you have yourself."
            raise fault("scopes", "too_wide", message)
        if wanted.kind == "overlay" and (channels is None or len(channels) != 1 or scopes):
            raise fault("channels", "overlay", "An overlay token reads one channel: name one, and no scopes.")
        return channels, scopes

    async def _maker(self, by: Principal) -> User:
        maker = await self._store.user(by.id)
        if maker is None:
            raise Refused("unauthenticated")
        return maker

    async def house_bot(self, display_name: str, now: int) -> User:
        """A bot without a maker: no token of it exists."""
        return await self._bot(display_name, None, now)

    async def _bot(self, shown: str, maker: str | None, now: int, *, full: set[str] | None = None) -> User:
        """The maker's bot of this name, made if there is none; if he has all he may, only one of `full`."""
        name = derive_name(shown)
        existing = await self._store.user_by_name(fold_name(name))
        own = existing if existing and existing.kind == "bot" and existing.maker == maker else None
        if full is not None and (own is None or own.id not in full):
            message = f"You have {BOTS_OF_ONE} bots; revoke the tokens of one that is not needed any more."
            raise Refused("conflict", message)
        if own is not None:
            return own
        if existing is not None:
            retired = await self._store.retire_bot(fold_name(name), now)
            if retired is not None:
                self._announcements.renamed(retired.named())
        bot = User(
            id=ids.new_id(ids.USER, now, self._entropy(8)),
            kind="bot",
            name=name,
            display_name=shown,
            email=None,
            password=None,
            roles=_NO_ROLES,
            maker=maker,
            created_at=now,
        )
        made = await self._store.create_user(bot, name_candidates(name, self._entropy(16)), _NO_ROLES)
        self._guests.name_taken(fold_name(made.name))
        return made
