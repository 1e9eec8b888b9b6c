"""The tables of PROTOCOL.md, as Markdown.

Owns their columns, and the markers between which they stand. Refuses to know the text around them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from schemas.catalog import CATALOG
from schemas.codes import CLOSES, ERRORS
from schemas.events import EVENTS
from schemas.generators.constants import limit_values
from schemas.rest import ENDPOINTS
from schemas.roles import CAPABILITIES, ROLES

_MARKED = re.compile(r"(<!-- generated:(\w+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def fill(text: str) -> str:
    """Put every generated table between its markers; KeyError for a marker that names none."""
    return _MARKED.sub(lambda m: m[1] + "\n" + TABLES[m[2]]() + "\n" + m[3], text)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell or ' ' for cell in line)} |\n" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`"


def _roles() -> str:
    def caps(role: str) -> str:
        return ", ".join(cap for cap, low in CAPABILITIES.items() if low == role)

    return _table(("capability", "from role"), ((caps(r), r) for r in reversed(ROLES) if caps(r)))


def _errors() -> str:
    rows = (
        (str(r.n), _code(r.code), r.retry, str(r.status), _code("{" + ", ".join(r.d) + "}"), r.message)
        for r in ERRORS.values()
    )
    return _table(("n", "code", "retry", "HTTP", "`err.d`", "default message"), rows)


def _closes() -> str:
    rows = ((str(r.close), _code(r.name), r.reason, r.retry) for r in CLOSES.values())
    return _table(("close", "name", "reason", "retry"), rows)


def _limits() -> str:
    return _table(("limit", "default"), ((_code(name), str(n)) for name, n in limit_values().items()))


def _rest() -> str:
    rows = (
        (
            f"`{e.method} {e.path}`",
            e.who,
            e.body.__name__ if e.body else "",
            ", ".join(str(s) for s in e.statuses) + (f" {e.reply.__name__}" if e.reply else ""),
            e.summary,
        )
        for e in ENDPOINTS
    )
    return _table(("endpoint", "who", "body", "reply", "what"), rows)


def _commands() -> str:
    rows = (
        (
            _code(s.t),
            str(s.section),
            s.channel,
            s.capability or "",
            s.bucket or "",
            "" if s.door else "socket only",
            "yes" if s.anonymous else "",
        )
        for s in CATALOG
    )
    return _table(("command", "section", "`ch`", "capability", "bucket", "door", "anonymous"), rows)


def _events() -> str:
    def lasting(durable: bool, report: bool) -> str:
        return "durable" if durable else "report" if report else "ephemeral"

    rows = (
        (
            _code(e.t),
            str(e.section),
            e.s or "-",
            lasting(e.durable, e.report),
            (e.d.__doc__ or "").split("\n")[0],
        )
        for e in EVENTS
    )
    return _table(("event", "section", "stream", "lasting", "what"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "roles": _roles,
    "errors": _errors,
    "closes": _closes,
    "limits": _limits,
    "rest": _rest,
    "commands": _commands,
    "events": _events,
}
"""The makers of tables by the name in their marker."""
