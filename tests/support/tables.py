"""Owns the tables of protocol.md 13, 14 and 3-4, transcribed by hand.

It refuses to import `schemas`: a black-box test that read the server's table could not tell when it is wrong.
"""

from typing import Any

ERRORS: dict[str, tuple[int, frozenset[str]]] = {
    code: (n, frozenset(retry.split("|")))
    for n, code, retry in (
        (1101, "bad_frame", "fix"),
        (1102, "unknown_command", "fix"),
        (1103, "too_large", "fix"),
        (1104, "bad_id", "fix"),
        (1105, "too_many_in_flight", "after"),
        (1106, "bad_request", "fix"),
        (2101, "banned", "never|after"),
        (2102, "timed_out", "never|after"),
        (2103, "rate_limited", "after"),
        (2104, "slow_mode", "after"),
        (2105, "duplicate_text", "fix"),
        (2106, "mode_followers", "after|fix"),
        (2107, "mode_members", "never"),
        (2108, "mode_emotes", "never"),
        (2109, "mode_unique", "never"),
        (2110, "mode_readonly", "never"),
        (2111, "term", "fix"),
        (2112, "link", "fix"),
        (2113, "spam", "fix"),
        (2114, "warn_unacked", "fix"),
        (2115, "too_long", "fix"),
        (2116, "empty", "fix"),
        (2118, "account_age", "after|fix"),
        (3101, "unauthenticated", "fix"),
        (3102, "token_expired", "fix"),
        (3103, "forbidden", "never"),
        (3104, "role_too_low", "never"),
        (3105, "not_joined", "fix"),
        (4101, "not_found", "never"),
        (4102, "conflict", "fix"),
        (4103, "already", "never"),
        (4104, "expired", "never"),
        (5101, "internal", "after"),
        (5102, "overloaded", "after"),
    )
}
"""code -> (n, the retry words it may carry)."""

REQUIRED_D: dict[str, frozenset[str]] = {
    "too_large": frozenset({"max", "have"}),
    "too_long": frozenset({"max", "have"}),
    "bad_request": frozenset({"reason"}),
    "rate_limited": frozenset({"bucket", "limit", "windowMs"}),
    "slow_mode": frozenset({"nextSendAt"}),
    "forbidden": frozenset({"cap"}),
    "role_too_low": frozenset({"targetRole"}),
    "not_found": frozenset({"what"}),
}
"""code -> members that `err.d` must have."""

BUCKETS = frozenset({"send", "join", "auth", "query", "mod", "check", "react", "report"})

CLOSES: dict[int, str] = {
    **dict.fromkeys((4000, 4001, 4002, 4003, 4005, 4006, 4008), "reconnect"),
    **dict.fromkeys((4500, 4501, 4502, 4503, 4504, 4505, 4507), "never"),
}
"""Close code -> the `retry` of the `bye` that comes before it."""

EPHEMERAL = frozenset(
    {
        "hello", "ping", "head", "goaway", "bye", "resume.done", "stream.open", "stream.closed",
        "room.snapshot", "presence.count", "presence.delta", "poll.tally", "react.agg", "stream.health",
        "notify",
    }
)  # fmt: skip
"""Events that may come without `pos`."""

CONTROL_POSITION = frozenset({"resume.done", "stream.open", "stream.closed", "head", "room.snapshot"})
"""Frames that carry a position in `d.pos` and never at top level."""


def status_of(code: str) -> int:
    """The HTTP status that product.md gives to an error code."""
    special = {
        "too_large": 413, "banned": 403, "timed_out": 403, "rate_limited": 429, "slow_mode": 429,
        "unauthenticated": 401, "token_expired": 401, "forbidden": 403, "role_too_low": 403,
        "not_found": 404, "conflict": 409, "already": 409, "expired": 410, "internal": 500, "overloaded": 503,
    }  # fmt: skip
    return special.get(code) or {1: 400, 2: 422, 3: 403}[ERRORS[code][0] // 1000]


def check_error(err: dict[str, Any]) -> None:
    """Raise AssertionError unless `err` is a row of protocol 13, shaped as protocol 2 says."""
    code = err.get("code")
    assert code in ERRORS, f"code outside the table: {err}"
    n, retries = ERRORS[code]
    assert err.get("n") == n, f"{code} has n {n}: {err}"
    assert err.get("retry") in retries, f"{code} has retry {sorted(retries)}: {err}"
    assert isinstance(err.get("message"), str), f"a message for people: {err}"
    assert err["message"], f"a message for people: {err}"
    assert isinstance(err.get("d"), dict), f"err.d is always present: {err}"
    after = err.get("afterMs")
    assert ("afterMs" in err) == (err["retry"] == "after"), f"afterMs exactly with retry after: {err}"
    assert after is None or (type(after) is int and after >= 0), f"afterMs is whole milliseconds: {err}"
    missing = REQUIRED_D.get(code, frozenset[str]()) - err["d"].keys()
    assert not missing, f"{code} lacks d.{sorted(missing)}: {err}"
    if code == "bad_request":
        assert isinstance(err.get("field"), str), f"bad_request names the field: {err}"
    if code == "rate_limited":
        assert err["d"]["bucket"] in BUCKETS, f"unknown bucket: {err}"
