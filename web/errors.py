"""Owns how failures are shown over HTTP: one shape, the status from the one table, Retry-After where it waits.

Refuses to decide anything. `Refused` is shown as it is; what else escapes is a bug: logged with its
traceback, shown as `internal` (law 10).
"""

from __future__ import annotations

import http
import logging
from math import ceil
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from chatcore.log.database import DatabaseUnavailable
from chatcore.log.port import Unavailable
from schemas.codec import error_body
from schemas.errors import Refused
from web.pages import not_found_page

log = logging.getLogger("cascade.errors")


def refusal(
    refused: Refused, *, status: int | None = None, headers: dict[str, str] | None = None
) -> Response:
    """The answer to a refused request; `status` only where HTTP has a finer one than the table."""
    extra = dict(headers or {})
    if refused.after_ms is not None:
        extra["retry-after"] = str(max(1, ceil(refused.after_ms / 1000)))
    if refused.status == 401:
        extra.setdefault("www-authenticate", "Bearer")
    extra["cache-control"] = "no-store"
    return Response(
        error_body(refused), status or refused.status, headers=extra, media_type="application/json"
    )


def internal(error: BaseException, method: str, path: str) -> Response:
    """The answer to a bug: says nothing of it to the client, all to the log."""
    log.error("internal error in %s %s", method, path[:200], exc_info=error)
    return refusal(Refused("internal"))


async def on_refused(request: Request, error: Exception) -> Response:
    """Handler of `Refused`."""
    del request
    assert isinstance(error, Refused)
    if error.code in ("bad_request", "bad_frame") and not error.field:
        error.field = "body"  # of what can't be pinned to a member: an empty name, half a character, no JSON
    return refusal(error)


async def on_http(request: Request, error: Exception) -> Response:
    """Handler of Starlette's own refusals: no such path, wrong method, body too large."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and _is_visit(request):
        return not_found_page(request)
    headers = dict(error.headers or {})
    return refusal(refused_of(error.status_code, request.method), status=error.status_code, headers=headers)


def _is_visit(request: Request) -> bool:
    """Whether a person came with a browser, and not a program to the API."""
    accepted = request.headers.get("accept", "")
    is_page = not request.url.path.startswith(("/api/", "/assets/"))
    return request.method in ("GET", "HEAD") and "text/html" in accepted and is_page


def refused_of(status: int, method: str) -> Refused:
    """The row that comes nearest to an HTTP status which Starlette gave by itself."""
    if status == 404:
        return Refused("not_found", "There is nothing at this address.", d={"what": "path"})
    if status == 405:
        text = f"This address does not take {method[:16]}."
        return Refused("bad_request", text, field="method", d={"reason": "method"})
    if status == 413:
        return Refused("too_large", "The body is too large; send less.", d={"max": None, "have": None})
    if status == 401:
        return Refused("unauthenticated")
    if status == 403:
        return Refused("forbidden", d={"cap": None})
    if status >= 500:
        return Refused("internal")
    phrase = http.HTTPStatus(status).phrase.lower()
    return Refused("bad_request", f"The request is not valid: {phrase}.", field="body", d={"reason": "http"})


async def on_unavailable(request: Request, error: Exception) -> Response:
    """Handler of a database that can't be read or written: an operator's problem, so it is logged."""
    log.error("the database failed in %s %s: %s", request.method, request.url.path[:200], error)
    return refusal(Refused("overloaded"))


exception_handlers: dict[Any, Any] = {
    Refused: on_refused,
    HTTPException: on_http,
    DatabaseUnavailable: on_unavailable,
    Unavailable: on_unavailable,
}
