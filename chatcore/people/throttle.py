"""Owns how often somebody may fail to prove who he is. Pure; the time is an argument.

A victim can't be locked out: nothing is counted per account alone. Failures count per address, and per account and
address; who comes from elsewhere with the right password has buckets of his own, which nobody else can empty.
Attempts are taken in advance and given back on success, so that many at once can't pass before the first has failed.
"""

from __future__ import annotations

import hashlib

from chatcore.limits import Buckets, Spec, address_key
from schemas.errors import Refused

#: Failed authentications per address (protocol 15).
FAILURES = Spec("auth", 20, 60_000)
#: Failed logins for one account from one address.
FAILURES_PER_ACCOUNT = Spec("auth", 10, 300_000)
#: New identities (guests, and likewise accounts) per address (protocol 15).
NEWCOMERS = Spec("auth", 10, 60_000, burst=50)
#: Renames of an account: each one rewrites what rooms have at hand, and a name worn for a moment misleads.
RENAMES = Spec("auth", 10, 60_000)
#: Tokens made by one user: each may make a bot too.
TOKENS = Spec("auth", 10, 60_000)
#: A guest's renames (protocol 4).
RENAME_MS = 60_000


class Throttle:
    """The buckets of authentication. All methods raise Refused rate_limited (bucket `auth`)."""

    def __init__(self, *, limits: bool = True) -> None:
        self._by_address = Buckets(FAILURES if limits else None)
        self._by_account = Buckets(FAILURES_PER_ACCOUNT if limits else None)
        self._new_guests = Buckets(NEWCOMERS if limits else None)
        self._new_users = Buckets(NEWCOMERS if limits else None)
        self._renames = Buckets(RENAMES if limits else None)
        self._new_tokens = Buckets(TOKENS if limits else None)

    def login_begins(self, account: str, address: str, now_ms: int) -> None:
        """Count an attempt as failed until `login_passed`."""
        self._by_account.check(_pair(account, address), now_ms)
        try:
            self._by_address.check(address_key(address), now_ms)
        except Refused:
            self._by_account.refund(_pair(account, address))
            raise

    def login_passed(self, account: str, address: str) -> None:
        """The attempt did not fail, or nobody judged it."""
        self._by_account.refund(_pair(account, address))
        self._by_address.refund(address_key(address))

    def may_authenticate(self, address: str, now_ms: int) -> None:
        """Raise if too many authentications from here have failed lately."""
        self._by_address.check_only(address_key(address), now_ms)

    def failed(self, address: str, now_ms: int) -> None:
        """Count a failed authentication; never raises."""
        self._by_address.take(address_key(address), now_ms)

    def new_guest(self, address: str, now_ms: int) -> None:
        """Count a new guest identity."""
        self._new_guests.check(address_key(address), now_ms)

    def new_user(self, address: str, now_ms: int) -> None:
        """Count a new account."""
        self._new_users.check(address_key(address), now_ms)

    def renames(self, user: str, now_ms: int) -> None:
        """Count an account's change of name."""
        self._renames.check(user, now_ms)

    def new_token(self, user: str, now_ms: int) -> None:
        """Count a token that a user makes."""
        self._new_tokens.check(user, now_ms)


def _pair(account: str, address: str) -> str:
    """One short key, however long the account's name that was tried."""
    return hashlib.sha256(f"{address_key(address)} {account}".encode("utf-8", "replace")).hexdigest()[:32]
