"""Owns what a session or API token opens: look-ups gathered per turn, and a bounded cache of their results.

Refuses to know passwords and guests, and to make or end credentials: it is told of every end and change.

A cached answer is right until it is dropped here, since every change of a user, session or token passes through
this process (SQLite means one); expiry is looked at anew each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from chatcore.batch import Batcher
from chatcore.people.principal import Principal
from chatcore.people.secrets import API, SESSION, hash_secret, kind_of
from chatcore.people.store import Credential, SignIn, Store
from schemas.errors import Refused

#: About 15 MB of principals at most.
CACHE = 20_000
#: Of so many changes it is remembered that they happened, for look-ups that were under way.
CHANGES = 4_096


def principal_of(found: Credential) -> Principal:
    """As whom and with which rights a credential acts."""
    key, user = found.key, found.user
    if isinstance(key, SignIn):
        return Principal(user.id, user.kind, user.name, user.display_name, user.roles, key.id, key.expires_at)
    read_only = key.kind == "overlay"
    return Principal(
        user.id,
        user.kind,
        user.name,
        user.display_name,
        frozenset() if read_only else user.roles & key.scopes,
        key.id,
        key.expires_at,
        scopes=key.scopes,
        channels=key.channels,
        maker=key.maker,
        read_only=read_only,
    )


class Credentials:
    """Resolves tokens. `clock` gives Unix ms; `used` collects who was here when, for a later write."""

    def __init__(
        self, store: Store, clock: Callable[[], int], used: dict[str, int], *, capacity: int = CACHE
    ) -> None:
        self._store = store
        self._clock = clock
        self._used = used
        self._capacity = capacity
        self._known: OrderedDict[str, Principal] = OrderedDict()
        self._by_owner: dict[str, set[str]] = {}
        self._changed: OrderedDict[str, int] = OrderedDict()
        self._changes = 0
        self._sign_ins: Batcher[str, Credential | None] = Batcher(self._find_sign_ins)
        self._tokens: Batcher[str, Credential | None] = Batcher(self._find_tokens)

    async def resolve(self, token: str) -> Principal:
        """Who holds `token`. Raises Refused unauthenticated, token_expired, overloaded."""
        kind = kind_of(token)
        if kind not in (SESSION, API):
            raise Refused("unauthenticated")
        hashed = hash_secret(token)
        principal = self._known.get(hashed)
        if principal is None:
            principal = await self._load(hashed, kind)
        else:
            self._known.move_to_end(hashed)
        now = self._clock()
        if principal.expires_at is not None and principal.expires_at <= now:
            raise Refused("token_expired")
        self._used[principal.credential] = now
        return principal

    def knows(self, token: str) -> bool:
        """Whether `token` was good lately: resolving it reads nothing and tells a guesser nothing."""
        return hash_secret(token) in self._known

    def is_current(self, principal: Principal) -> bool:
        """Whether a principal resolved a moment ago is still what its credential opens."""
        return any(
            self._known.get(hashed) is principal for hashed in self._by_owner.get(principal.credential, ())
        )

    def drop(self, *owners: str) -> None:
        """Forget all that belongs to these: ids of users (also as makers of tokens) or of credentials."""
        for owner in owners:
            self._changes += 1
            self._changed[owner] = self._changes
            self._changed.move_to_end(owner)
            if len(self._changed) > CHANGES:
                self._changed.popitem(last=False)
            for hashed in tuple(self._by_owner.get(owner, ())):
                self._forget(hashed)

    def fill(self, found: Iterable[Credential]) -> None:
        """Put in what the store knows, least important last; only as long as nothing has to give way."""
        for credential in found:
            if len(self._known) >= self._capacity:
                return
            self._remember(credential.key.hash, principal_of(credential))

    async def close(self) -> None:
        """Give up reads under way."""
        await self._sign_ins.close()
        await self._tokens.close()

    async def _load(self, hashed: str, kind: str) -> Principal:
        batcher = self._sign_ins if kind == SESSION else self._tokens
        while True:
            before = self._changes
            found = await batcher.submit(hashed)
            if found is None:
                raise Refused("unauthenticated")
            principal = principal_of(found)
            if not any(self._changed.get(owner, 0) > before for owner in _owners(principal)):
                return self._remember(hashed, principal)
            # It was changed while it was read: read again, else a revoked session could stay for ever.

    def _remember(self, hashed: str, principal: Principal) -> Principal:
        known = self._known.get(hashed)
        if known is not None:  # another look-up of the same token was first
            return known
        self._known[hashed] = principal
        for owner in _owners(principal):
            self._by_owner.setdefault(owner, set()).add(hashed)
        if len(self._known) > self._capacity:
            self._forget(next(iter(self._known)))
        return principal

    def _forget(self, hashed: str) -> None:
        for owner in _owners(self._known.pop(hashed)):
            held = self._by_owner.get(owner)
            if held is not None:
                held.discard(hashed)
                if not held:
                    del self._by_owner[owner]

    async def _find_sign_ins(self, hashes: list[str]) -> list[Credential | None]:
        found = await self._store.find_sign_ins(hashes)
        return [found.get(hashed) for hashed in hashes]

    async def _find_tokens(self, hashes: list[str]) -> list[Credential | None]:
        found = await self._store.find_tokens(hashes)
        return [found.get(hashed) for hashed in hashes]


def _owners(principal: Principal) -> set[str]:
    owners = {principal.credential, principal.id}
    return owners if principal.maker is None else owners | {principal.maker}
