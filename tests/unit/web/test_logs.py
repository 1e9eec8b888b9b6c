"""Log lines: one a record, no forged ones, no secrets, and the line that fail2ban reads."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from web import logs


@pytest.fixture
def restored() -> Iterator[None]:
    """The root logger as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def written(style: str, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level, style, stream)
    return stream


@pytest.mark.usefixtures("restored")
def test_json_lines_keep_fields_apart() -> None:
    stream = written("json")
    logs.event(logging.getLogger("cascade.x"), logging.INFO, "request", method="GET", status=200)
    entry = json.loads(stream.getvalue())
    assert entry["message"] == "request"
    assert (entry["level"], entry["logger"], entry["method"], entry["status"]) == (
        "info",
        "cascade.x",
        "GET",
        200,
    )
    assert entry["ts"] > 1_700_000_000_000


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("style", ["json", "human"])
def test_one_record_is_one_line_whatever_is_in_it(style: str) -> None:
    stream = written(style)
    logs.event(logging.getLogger("cascade.x"), logging.INFO, "a\nb\x1b[31m", path="/x\r\nforged\u2028y\x9b")
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert "\u2028" not in text
    if style == "json":
        assert json.loads(text)


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("style", ["json", "human"])
def test_what_looks_like_a_secret_is_blotted_out(style: str) -> None:
    stream = written(style)
    secrets = [
        "cs_abcdefghijklmnop234567abcdefgh",
        "ct_abcdefghijklmnop234567abcdefgh",
        "cgt_abcdefghijklmnop2345",
    ]
    try:
        raise ValueError(" ".join(secrets))
    except ValueError:
        logging.getLogger("cascade.x").exception("failed with Bearer s3cr3t for %s", secrets[0])
    text = stream.getvalue()
    assert "Traceback" in text
    assert "s3cr3t" not in text
    for secret in secrets:
        assert secret not in text


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("style", ["json", "human"])
def test_the_line_of_a_failed_login_is_stable(style: str) -> None:
    stream = written(style, "warning")
    logs.login_failed("203.0.113.9")
    assert "failed login from 203.0.113.9" in stream.getvalue()


@pytest.mark.usefixtures("restored")
def test_the_request_log_can_be_switched_off_and_marks_failures() -> None:
    stream = written("human")
    logs.request_logger(False)("GET", "/a", 200, 1.0, "1.1.1.1")
    assert stream.getvalue() == ""
    logs.request_logger(True)("GET", "/a", 500, 1.0, "1.1.1.1")
    assert "WARNING" in stream.getvalue()
    assert "path=/a status=500" in stream.getvalue()


@pytest.mark.usefixtures("restored")
def test_what_machines_ask_for_all_day_is_for_debugging_unless_it_fails() -> None:
    stream = written("human")
    log = logs.request_logger(True)
    for path in ("/livez", "/metrics", "/assets/abc/app/main.js"):
        log("GET", path, 200, 1.0, "1.1.1.1")
    assert stream.getvalue() == ""
    log("GET", "/readyz", 503, 1.0, "1.1.1.1")
    assert "/readyz" in stream.getvalue()


def test_the_default_is_standard_error(monkeypatch: pytest.MonkeyPatch, restored: None) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure("info", "human")
    logging.getLogger("cascade.x").info("hello")
    assert stream.getvalue().endswith("hello\n")
