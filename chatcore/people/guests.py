"""Owns guests: visitors with a lasting identity and a name, who never signed up (protocol 4).

Refuses to know rooms, sanctions and words: a name is judged by a function it is given.

A guest who was here lately costs no read: the cache holds at most one guest per folded name, and is told of every
name that a user, bot or other guest takes. Everything else is gathered, reads and writes alike.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace

from chatcore.batch import Batcher
from chatcore.people.folding import fold_name
from chatcore.people.names import Names
from chatcore.people.principal import GuestEntry, Name, Principal
from chatcore.people.rules import check_guest_name, guest_candidates
from chatcore.people.secrets import GUEST, TOKEN_BYTES, hash_secret, kind_of, make_token
from chatcore.people.store import GUEST_LIFE_MS, GUEST_NAME_MS, Guest, GuestDraft, Store
from chatcore.people.throttle import NEWCOMERS, RENAME_MS, Throttle
from schemas import ids
from schemas.errors import Refused

#: About 10 MB of guests at most.
CACHE = 20_000
_NO_ROLES: frozenset[str] = frozenset()


class Guests:
    """Lets guests in. `used` collects who was here when, for a later write."""

    def __init__(
        self,
        store: Store,
        names: Names,
        throttle: Throttle,
        *,
        clock: Callable[[], int],
        entropy: Callable[[int], bytes],
        used: dict[str, int],
        renamed: Callable[[Name], None],
        capacity: int = CACHE,
    ) -> None:
        self.term_check: Callable[[str], bool] | None = None
        self._store = store
        self._names = names
        self._throttle = throttle
        self._clock = clock
        self._entropy = entropy
        self._used = used
        self._renamed = renamed
        self._capacity = capacity
        self._known: OrderedDict[str, Guest] = OrderedDict()
        self._by_name: dict[str, str] = {}
        self._taken = 0
        self._finder: Batcher[str, Guest | None] = Batcher(self._find)
        self._settler: Batcher[GuestDraft, Guest] = Batcher(self._settle)

    async def enter(self, name: str, token: str | None, *, address: str) -> GuestEntry:
        """Let a guest in, as the one he was if `token` is his and alive, else as a new one.

        Raises Refused bad_request (field d.guest.name), term, rate_limited, overloaded.
        """
        asked = check_guest_name(name)
        if self.term_check is not None and self.term_check(asked):
            raise Refused("term", "Choose another name: this one is not allowed here.")
        known = await self._returning(token)
        if known is None:
            return await self._new(asked, address)
        return await self._again(known, asked)

    def name_taken(self, folded: str) -> None:
        """Somebody with more right has this name now: the guest who has it is looked at anew when he comes."""
        self._taken += 1
        hashed = self._by_name.get(folded)
        if hashed is not None:
            self._forget(hashed)

    def fill(self, guests: Iterable[Guest]) -> None:
        """Put in what the store knows, least important last; only as long as nothing has to give way."""
        for guest in guests:
            if len(self._known) >= self._capacity:
                return
            if not guest.contested and fold_name(guest.name) not in self._by_name:
                self._remember(guest)
                self._names.put(guest.named())

    async def close(self) -> None:
        """Give up what is under way."""
        await self._finder.close()
        await self._settler.close()

    async def _returning(self, token: str | None) -> Guest | None:
        if token is None or kind_of(token) != GUEST:
            return None
        hashed = hash_secret(token)
        now = self._clock()
        guest = self._known.get(hashed)
        if guest is not None and self._seen(guest) > now - GUEST_NAME_MS:
            self._known.move_to_end(hashed)
            return guest
        self._forget(hashed)
        before = self._taken
        guest = await self._finder.submit(hashed)
        if guest is None or self._seen(guest) + GUEST_LIFE_MS <= now:
            return None
        if hashed in self._known:  # renamed while this was read
            return self._known[hashed]
        if not guest.contested and before == self._taken:
            self._remember(guest)
        return guest

    async def _new(self, asked: str, address: str) -> GuestEntry:
        now = self._clock()
        self._throttle.new_guest(address, now)
        token = make_token(GUEST, self._entropy(TOKEN_BYTES))
        guest = Guest(
            ids.new_id(ids.GUEST, now, self._entropy(8)), hash_secret(token), asked, asked, now, now
        )
        settled = await self._settler.submit(GuestDraft(guest, guest_candidates(asked, self._entropy(24))))
        self._names.put(settled.named())
        return self._entry(settled, now, token)

    async def _again(self, guest: Guest, asked: str) -> GuestEntry:
        now = self._clock()
        if asked not in (guest.name, guest.asked):
            wait = guest.renamed_at + RENAME_MS - now
            if wait > 0:
                message = f"A guest can change his name once a minute; try again in {-(-wait // 1000)} s."
                raise Refused("rate_limited", message, after_ms=wait, d={**NEWCOMERS.details(), "limit": 1})
            guest = await self._rename(replace(guest, asked=asked, renamed_at=now))
        elif guest.contested:
            guest = await self._rename(guest)
        else:
            self._names.put(guest.named())
        self._used[guest.id] = now
        return self._entry(guest, now, None)

    async def _rename(self, guest: Guest) -> Guest:
        draft = GuestDraft(replace(guest, contested=False), guest_candidates(guest.asked, self._entropy(24)))
        settled = await self._settler.submit(draft)
        if settled.name != guest.name:
            self._names.changed(settled.named())
            self._renamed(settled.named())
        return settled

    def _entry(self, guest: Guest, now: int, token: str | None) -> GuestEntry:
        expires_at = now + GUEST_LIFE_MS
        principal = Principal(guest.id, "guest", guest.name, guest.name, _NO_ROLES, guest.id, expires_at)
        return GuestEntry(principal, token, expires_at)

    def _seen(self, guest: Guest) -> int:
        return max(guest.used_at, self._used.get(guest.id, 0))

    def _remember(self, guest: Guest) -> None:
        folded = fold_name(guest.name)
        self._forget(guest.hash)
        if folded in self._by_name:
            self._forget(self._by_name[folded])
        self._known[guest.hash] = guest
        self._by_name[folded] = guest.hash
        if len(self._known) > self._capacity:
            self._forget(next(iter(self._known)))

    def _forget(self, hashed: str) -> None:
        guest = self._known.pop(hashed, None)
        if guest is not None:
            del self._by_name[fold_name(guest.name)]

    async def _find(self, hashes: list[str]) -> list[Guest | None]:
        found = await self._store.find_guests(hashes, self._clock() - GUEST_NAME_MS)
        return [found.get(hashed) for hashed in hashes]

    async def _settle(self, drafts: list[GuestDraft]) -> list[Guest]:
        before = self._taken
        settled = await self._store.settle_guests(drafts, self._clock())
        for guest in settled:
            if before == self._taken:
                self._remember(guest)
            else:  # a name was taken meanwhile, perhaps this one: what was known of him is out of date too
                self._forget(guest.hash)
        return settled
