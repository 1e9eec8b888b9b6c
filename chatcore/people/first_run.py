"""Owns the rule of the first account: who may make it, on an instance that has none. Pure.

That it becomes the administrator, and that there is only one first, the store decides in the transaction that makes
it (`Store.create_user`).
"""

from __future__ import annotations

import hmac

from chatcore.people.principal import ADMIN
from chatcore.people.rules import fault
from chatcore.people.secrets import same_code

FIRST_ROLES = frozenset({ADMIN})


def check_first(given: str | None, code: str, *, loopback: bool) -> None:
    """Raise Refused bad_request unless this visitor may make the first account.

    `loopback` says that he sits at this machine and the server is in development mode (web decides that).
    """
    if given is None and loopback:
        return
    if given is None:
        raise fault(
            "code",
            "first_run",
            "The first account becomes the administrator: enter the code that the server printed at its start.",
        )
    if not hmac.compare_digest(same_code(given).encode(), same_code(code).encode()):
        raise fault("code", "unknown", "That is not the code that the server printed at its start.")
