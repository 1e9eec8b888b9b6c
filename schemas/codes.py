"""The one table of errors and close codes (PROTOCOL.md sections 13 and 14, HTTP statuses of REST).

Owns number, retry advice, HTTP status, default text and members of `err.d` of every code. Refuses to know
who raises them and how they reach a client.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Retry = Literal["never", "fix", "after", "reconnect"]
RowRetry = Literal["never", "fix", "after", "after_or_fix"]


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One error of section 13.

    `retry` is what a client is told; `after_or_fix` rows say `after` if a waiting time is known, else `fix`.
    `default_after_ms` stands in where nobody can know better. `d` names the members that `err.d` may have
    (a trailing `?` marks those that may be absent).
    """

    n: int
    code: str
    retry: RowRetry
    status: int
    message: str
    d: tuple[str, ...] = ()
    default_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class CloseRow:
    """One close code of section 14: 4000-4499 mean reconnect (positions stay valid), 4500-4999 do not."""

    close: int
    name: str
    reason: str
    retry: Literal["reconnect", "never"]

    @property
    def number(self) -> int:
        """The close code; the same as `close`."""
        return self.close


_HITS = ("category?", "rule?", "spans?", "text?")

_ERROR_ROWS = (
    ErrorRow(1101, "bad_frame", "fix", 400, "Send one JSON object in one text frame."),
    ErrorRow(1102, "unknown_command", "fix", 400, "There is no such command; check `t`."),
    ErrorRow(1103, "too_large", "fix", 413, "Too large; send less at once.", ("max", "have")),
    ErrorRow(
        1104,
        "bad_id",
        "fix",
        400,
        "`id` must be an integer from 1 to 9007199254740991 that is not in flight.",
    ),
    ErrorRow(
        1105,
        "too_many_in_flight",
        "after",
        400,
        "Too many commands at once; wait for replies before sending more.",
        default_after_ms=100,
    ),
    ErrorRow(1106, "bad_request", "fix", 400, "The request is not valid.", ("reason",)),
    ErrorRow(2101, "banned", "never", 403, "You are banned here.", ("until", "reason", "action", "appeal")),
    ErrorRow(
        2102, "timed_out", "after", 403, "You are timed out here.", ("until", "reason", "action", "appeal")
    ),
    ErrorRow(2103, "rate_limited", "after", 429, "Too fast; wait a moment.", ("bucket", "limit", "windowMs")),
    ErrorRow(2104, "slow_mode", "after", 429, "Slow mode is on; wait for your turn.", ("nextSendAt",)),
    ErrorRow(2105, "duplicate_text", "fix", 422, "You have just said the same; say something new.", ("mid",)),
    ErrorRow(
        2106,
        "mode_followers",
        "after_or_fix",
        422,
        "Only followers may write here; follow the channel first.",
        ("needSeconds", "haveSeconds"),
    ),
    ErrorRow(2107, "mode_members", "never", 422, "Only members may write here now.", ("until",)),
    ErrorRow(2108, "mode_emotes", "never", 422, "Only emotes may be sent here now.", ("until",)),
    ErrorRow(
        2109, "mode_unique", "never", 422, "This was already said here; only new lines are taken.", ("until",)
    ),
    ErrorRow(2110, "mode_readonly", "never", 422, "Nobody but staff may write here now.", ("until",)),
    ErrorRow(2111, "term", "fix", 422, "That contains words that are not welcome here.", _HITS),
    ErrorRow(2112, "link", "fix", 422, "That contains a link that is not welcome here.", _HITS),
    ErrorRow(2113, "spam", "fix", 422, "That looks like spam; write it another way.", _HITS),
    ErrorRow(
        2114, "warn_unacked", "fix", 422, "Read your warning and acknowledge it first.", ("action", "reason")
    ),
    ErrorRow(2115, "too_long", "fix", 422, "The text is too long; shorten it.", ("max", "have")),
    ErrorRow(2116, "empty", "fix", 422, "The text is empty; write something."),
    ErrorRow(
        2118,
        "account_age",
        "after_or_fix",
        422,
        "Your account is too new to write here.",
        ("needSeconds", "haveSeconds"),
    ),
    ErrorRow(3101, "unauthenticated", "fix", 401, "Sign in first, or check your credentials."),
    ErrorRow(3102, "token_expired", "fix", 401, "Your credentials have expired; sign in again."),
    ErrorRow(3103, "forbidden", "never", 403, "You may not do that here.", ("cap",)),
    ErrorRow(
        3104, "role_too_low", "never", 403, "You can't act on an equal or higher role.", ("targetRole",)
    ),
    ErrorRow(3105, "not_joined", "fix", 400, "Join the channel first."),
    ErrorRow(4101, "not_found", "never", 404, "There is no such thing here.", ("what", "command?")),
    ErrorRow(
        4102, "conflict", "fix", 409, "That does not fit the present state.", ("by?", "outcome?", "users?")
    ),
    ErrorRow(4103, "already", "never", 409, "That is already so.", ("pos?", "by?", "decision?")),
    ErrorRow(4104, "expired", "never", 410, "It is too late for that.", ("what",)),
    ErrorRow(
        5101, "internal", "after", 500, "Something went wrong here; try again soon.", default_after_ms=1000
    ),
    ErrorRow(
        5102,
        "overloaded",
        "after",
        503,
        "Too busy; it is not known whether a write took place, so repeat it with the same `idem`.",
        default_after_ms=1000,
    ),
)

_CLOSE_ROWS = (
    CloseRow(4000, "internal", "internal error", "reconnect"),
    CloseRow(4001, "draining", "server restarting", "reconnect"),
    CloseRow(4002, "no_pong", "no answer to ping", "reconnect"),
    CloseRow(4003, "too_slow", "too slow", "reconnect"),
    CloseRow(4005, "token_expired", "token expired", "reconnect"),
    CloseRow(4006, "session_ended", "credentials changed or session ended", "reconnect"),
    CloseRow(4008, "flooding", "flooding", "reconnect"),
    CloseRow(4500, "bad_credentials", "bad credentials", "never"),
    CloseRow(4501, "malformed", "malformed protocol", "never"),
    CloseRow(4502, "not_authenticated", "did not authenticate", "never"),
    CloseRow(4503, "banned", "banned from the instance", "never"),
    CloseRow(4504, "connection_limit", "connection limit", "never"),
    CloseRow(4505, "token_revoked", "token revoked", "never"),
    CloseRow(4507, "unsupported_version", "unsupported version", "never"),
)

ERRORS: Mapping[str, ErrorRow] = MappingProxyType({row.code: row for row in _ERROR_ROWS})
CLOSES: Mapping[int, CloseRow] = MappingProxyType({row.close: row for row in _CLOSE_ROWS})
