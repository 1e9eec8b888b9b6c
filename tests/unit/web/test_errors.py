"""Failures over HTTP: the shape, the status, Retry-After, and what a bug is shown as."""

import json
import logging

import pytest

from schemas.codes import ERRORS
from schemas.errors import Refused
from tests.support.tables import check_error, status_of
from web import errors


def test_a_refusal_has_the_one_shape_and_the_status_of_its_row() -> None:
    response = errors.refusal(Refused("bad_request", "No.", field="d.text", d={"reason": "x"}))
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert json.loads(bytes(response.body))["error"]["field"] == "d.text"


@pytest.mark.parametrize("code", sorted(ERRORS.keys() - {"not_joined"}))  # that one is the socket's alone
def test_every_row_has_the_status_of_product_md(code: str) -> None:
    after = 1500 if ERRORS[code].retry == "after" else None
    response = errors.refusal(Refused(code, after_ms=after))
    assert response.status_code == status_of(code)
    assert ("retry-after" in response.headers) == (after is not None)


@pytest.mark.parametrize(("after_ms", "seconds"), [(1, "1"), (1000, "1"), (1001, "2"), (12_000, "12")])
def test_retry_after_is_whole_seconds_rounded_up(after_ms: int, seconds: str) -> None:
    refused = Refused("rate_limited", after_ms=after_ms, d={"bucket": "send", "limit": 1, "windowMs": 1})
    assert errors.refusal(refused).headers["retry-after"] == seconds


def test_a_bug_is_logged_with_its_traceback_and_told_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise RuntimeError("the secret inside")
    except RuntimeError as error:
        with caplog.at_level(logging.ERROR):
            response = errors.internal(error, "GET", "/x")
    assert response.status_code == 500
    assert b"secret" not in bytes(response.body)
    assert "the secret inside" in caplog.text
    check_error(json.loads(bytes(response.body))["error"])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 431, 500, 503])
def test_starlette_s_own_refusals_are_rows_of_the_table(status: int) -> None:
    refused = errors.refused_of(status, "BREW")
    check_error(json.loads(bytes(errors.refusal(refused).body))["error"])
