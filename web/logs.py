"""Owns what is written to standard error: one line a record, for people or as JSON, without secrets.

Refuses to decide what is worth a line. Nothing here sees headers, queries or bodies; what looks like a token
is blotted out all the same, in messages and tracebacks, as a second net under that rule.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable
from typing import IO, Any, Final

access = logging.getLogger("cascade.access")
audit = logging.getLogger("cascade.auth")

#: Session, API, guest and stream-key secrets begin with these letters.
_SECRETS: Final = re.compile(r"\b(cs|ct|cgt|csk|sk|live)_[A-Za-z0-9_-]{16,}|(?<=Bearer )\S+", re.ASCII)
#: Characters that end a line or steer a terminal, written out as JSON would.
_ESCAPES: Final = {code: f"\\u{code:04x}" for code in (*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029)}


def configure(level: str, style: str, stream: IO[str] | None = None) -> None:
    """Send all logging to `stream` (standard error) in `style` "human" or "json", from `level` up."""
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else HumanLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # uvicorn would name each WebSocket's peer and path at info; our own request log says what is needed.
    logging.getLogger("uvicorn.access").disabled = True
    for noisy in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(noisy)
        logger.handlers[:] = []
        logger.propagate = True
        logger.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def without_secrets(text: str) -> str:
    """`text` with everything that looks like a token blotted out."""
    return _SECRETS.sub(lambda found: (found[1] + "_…") if found[1] else "…", text)


def one_line(text: str) -> str:
    """`text` with control characters written out, so that nobody can forge a line or colour a terminal."""
    return text.translate(_ESCAPES)


class HumanLines(logging.Formatter):
    """`12:00:01 INFO  text key=value`, then the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        pairs = "".join(f" {key}={one_line(str(value))}" for key, value in _fields(record).items())
        line = f"{clock} {record.levelname:<7} {one_line(record.getMessage())}{pairs}"
        return without_secrets(line + _traceback(self, record))


class JsonLines(logging.Formatter):
    """One JSON object a line: `ts` (Unix ms), `level`, `logger`, `message`, the fields, `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "ts": int(record.created * 1000),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        trace = _traceback(self, record)
        if trace:
            entry["traceback"] = trace.strip()
        return without_secrets(json.dumps(entry, ensure_ascii=False, default=str).translate(_ESCAPES))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return getattr(record, "fields", {})


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return "\n" + formatter.formatException(record.exc_info) if record.exc_info else ""


def event(logger: logging.Logger, level: int, message: str, **fields: Any) -> None:
    """Write `message` with named `fields` (values of JSON types), which JSON lines keep apart."""
    logger.log(level, message, extra={"fields": fields})


def login_failed(address: str) -> None:
    """The stable line for fail2ban: `failed login from ADDRESS`, in both styles; never whose login."""
    audit.warning("failed login from %s", one_line(address))


#: Asked for by machines and by every page: their successes are lines for debugging only.
_QUIET: Final = ("/assets/", "/livez", "/readyz", "/healthz", "/metrics", "/favicon.ico")


def request_logger(enabled: bool) -> Callable[[str, str, int, float, str], None]:
    """A function that logs one request: method, path without query, status, milliseconds, address."""
    if not enabled:
        return lambda method, path, status, ms, address: None

    def log(method: str, path: str, status: int, ms: float, address: str) -> None:
        level = logging.WARNING if status >= 500 else logging.INFO
        if status < 400 and path.startswith(_QUIET):
            level = logging.DEBUG
        if access.isEnabledFor(level):
            event(
                access,
                level,
                "request",
                method=method,
                path=path[:200],
                status=status,
                ms=ms,
                address=address,
            )

    return log
