"""Owns telling the rest of the server that a credential ended or a name changed, after the caches were told.

Refuses to know who listens. A listener that fails does not keep the others from hearing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from chatcore.people.credentials import Credentials
from chatcore.people.names import Names
from chatcore.people.principal import Name, Revocation

log = logging.getLogger(__name__)


class Announcements:
    """`on_revoked` and `on_renamed` are lists of plain functions, called on the loop."""

    def __init__(self, credentials: Credentials, names: Names) -> None:
        self.on_revoked: list[Callable[[Revocation], None]] = []
        self.on_renamed: list[Callable[[Name], None]] = []
        self._credentials = credentials
        self._names = names

    def credential_ended(self, credential: str, user: str, close: int) -> None:
        """One session or token is no more: its sockets are closed with `close`."""
        self._credentials.drop(credential)
        self._tell(Revocation(credential, user, close))

    def user_changed(self, user: str, close: int) -> None:
        """All that a user's credentials allow has changed: all his sockets are closed with `close`."""
        self._credentials.drop(user)
        self._tell(Revocation(None, user, close))

    def renamed(self, name: Name) -> None:
        """Somebody is shown in another way from now on."""
        self._credentials.drop(name.id)
        self._names.changed(name)
        self.guest_renamed(name)

    def guest_renamed(self, name: Name) -> None:
        """The same for a guest, who has no credential in the cache."""
        for listener in self.on_renamed:
            try:
                listener(name)
            except Exception:
                log.exception("A listener to renames failed.")

    def _tell(self, revocation: Revocation) -> None:
        for listener in self.on_revoked:
            try:
                listener(revocation)
            except Exception:
                log.exception("A listener to revocations failed.")
