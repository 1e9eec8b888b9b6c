"""The two expected failures of the whole system (law 10).

Owns `Refused` (a command or request is answered no) and `Disconnect` (a connection ends). Refuses to know
how they are shown; anything else that escapes is a bug and is shown as `internal`.
"""

from __future__ import annotations

from typing import Any, Literal

from schemas.codes import CLOSES, ERRORS, Retry


class Refused(Exception):
    """A command or request is refused with one row of the error table (PROTOCOL.md section 13).

    `code` is a row of `schemas.codes.ERRORS` (KeyError otherwise). `after_ms` is given exactly when the
    row's retry is `after` (ValueError otherwise; rows with a default fill it in); rows that are
    `after_or_fix` become `after` with it and `fix` without. `field` is the path of the offending member
    (`d.text`), `d` the machine-readable details of the row.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        field: str | None = None,
        after_ms: int | None = None,
        d: dict[str, Any] | None = None,
    ) -> None:
        row = ERRORS[code]
        if row.retry == "after" and after_ms is None:
            after_ms = row.default_after_ms
        if row.retry == "after" and after_ms is None:
            raise ValueError(f"{code} needs after_ms")
        if row.retry in ("never", "fix") and after_ms is not None:
            raise ValueError(f"{code} takes no after_ms")
        self.row = row
        self.code = code
        self.n = row.n
        self.status = row.status
        self.message = row.message if message is None else message
        self.retry: Retry = _retry(row.retry, after_ms)
        self.field = field
        self.after_ms = after_ms
        self.d: dict[str, Any] = {} if d is None else d
        super().__init__(code, self.message)

    def __repr__(self) -> str:
        where = f", field={self.field!r}" if self.field else ""
        return f"Refused({self.code!r}, {self.message!r}{where})"


class Disconnect(Exception):
    """A connection is to be closed with a row of the close table (PROTOCOL.md section 14).

    `close` is a number of `schemas.codes.CLOSES` (KeyError otherwise); `code` names the error that led to
    it, if one did; `after_ms` is how long the client should wait before it reconnects.
    """

    def __init__(
        self, close: int, reason: str | None = None, *, code: str | None = None, after_ms: int | None = None
    ) -> None:
        row = CLOSES[close]
        if code is not None and code not in ERRORS:
            raise KeyError(code)
        self.row = row
        self.close = close
        self.reason = row.reason if reason is None else reason
        self.retry: Literal["reconnect", "never"] = row.retry
        self.code = code
        self.after_ms = after_ms
        super().__init__(close, self.reason)

    def __repr__(self) -> str:
        return f"Disconnect({self.close}, {self.reason!r})"


def _retry(row: str, after_ms: int | None) -> Retry:
    if row == "never":
        return "never"
    return "fix" if after_ms is None else "after"
