"""The error table, the close table, and the two exceptions that carry their rows."""

import json

import pytest

from schemas import codec
from schemas.codes import CLOSES, ERRORS, ErrorRow
from schemas.errors import Disconnect, Refused

ALL = sorted(ERRORS.values(), key=lambda row: row.n)
EXPECTED = {
    1101: "bad_frame",
    1102: "unknown_command",
    1103: "too_large",
    1104: "bad_id",
    1105: "too_many_in_flight",
    1106: "bad_request",
    2101: "banned",
    2102: "timed_out",
    2103: "rate_limited",
    2104: "slow_mode",
    2105: "duplicate_text",
    2106: "mode_followers",
    2107: "mode_members",
    2108: "mode_emotes",
    2109: "mode_unique",
    2110: "mode_readonly",
    2111: "term",
    2112: "link",
    2113: "spam",
    2114: "warn_unacked",
    2115: "too_long",
    2116: "empty",
    2118: "account_age",
    3101: "unauthenticated",
    3102: "token_expired",
    3103: "forbidden",
    3104: "role_too_low",
    3105: "not_joined",
    4101: "not_found",
    4102: "conflict",
    4103: "already",
    4104: "expired",
    5101: "internal",
    5102: "overloaded",
}


def _id(row: ErrorRow) -> str:
    return row.code


def test_numbers_and_codes_are_those_of_the_protocol() -> None:
    assert {row.n: row.code for row in ALL} == EXPECTED


def test_http_statuses_follow_the_ranges() -> None:
    special = {"too_large": 413, "banned": 403, "timed_out": 403, "rate_limited": 429, "slow_mode": 429}
    special |= {"unauthenticated": 401, "token_expired": 401, "forbidden": 403, "role_too_low": 403}
    special |= {"not_joined": 400, "not_found": 404, "conflict": 409, "already": 409, "expired": 410}
    special |= {"internal": 500, "overloaded": 503}
    for row in ALL:
        assert row.status == special.get(row.code, 400 if row.n < 2000 else 422), row.code


@pytest.mark.parametrize("row", ALL, ids=_id)
def test_after_ms_is_there_exactly_when_one_is_to_wait(row: ErrorRow) -> None:
    if row.retry == "after":
        assert Refused(row.code, after_ms=5).retry == "after"
        if row.default_after_ms is None:
            with pytest.raises(ValueError, match="needs after_ms"):
                Refused(row.code)
        else:
            assert Refused(row.code).after_ms == row.default_after_ms
    elif row.retry == "after_or_fix":
        assert (Refused(row.code, after_ms=5).retry, Refused(row.code).retry) == ("after", "fix")
    else:
        assert Refused(row.code).retry == row.retry
        with pytest.raises(ValueError, match="takes no after_ms"):
            Refused(row.code, after_ms=5)


@pytest.mark.parametrize("row", ALL, ids=_id)
def test_every_refusal_is_shown_alike_on_socket_and_rest(row: ErrorRow) -> None:
    refused = Refused(row.code, after_ms=7 if row.retry == "after" else None)
    err = json.loads(codec.encode_reply_error(3, refused))["err"]
    assert err == json.loads(codec.error_body(refused))["error"]
    assert (err["code"], err["n"], err["d"]) == (row.code, row.n, {})
    assert err["message"].endswith(".")
    assert ("afterMs" in err) == (err["retry"] == "after")
    assert "field" not in err


def test_unknown_code_is_a_bug_of_the_caller() -> None:
    with pytest.raises(KeyError):
        Refused("nonsense")
    with pytest.raises(KeyError):
        Disconnect(4999)
    with pytest.raises(KeyError):
        Disconnect(4000, code="nonsense")


def test_close_codes_are_those_of_the_protocol() -> None:
    assert set(CLOSES) == {
        *(4000, 4001, 4002, 4003, 4005, 4006, 4008),
        *(4500, 4501, 4502, 4503, 4504, 4505, 4507),
    }
    for row in CLOSES.values():
        assert row.retry == ("reconnect" if row.close < 4500 else "never")
        assert len(row.reason.encode()) <= 123, "must fit into a close frame"


def test_bye_says_what_the_close_code_means() -> None:
    assert json.loads(codec.encode_bye(Disconnect(4003, after_ms=500)))["d"] == {
        "close": 4003,
        "code": None,
        "reason": "too slow",
        "retry": "reconnect",
        "afterMs": 500,
    }
    bye = json.loads(codec.encode_bye(Disconnect(4500, "wrong", code="unauthenticated")))["d"]
    assert bye == {"close": 4500, "code": "unauthenticated", "reason": "wrong", "retry": "never"}
