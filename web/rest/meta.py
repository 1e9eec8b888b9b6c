"""Owns /api/openapi.json and /api/asyncapi.json: the generated descriptions, served as they are."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response

from web.rest.wire import at


@cache
def _document(name: str) -> tuple[bytes, str]:
    data = (resources.files("schemas") / "generated" / name).read_bytes()
    return data, f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def _serve(request: Request, name: str) -> Response:
    data, etag = _document(name)
    headers = {"etag": etag, "cache-control": "no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type="application/json")


async def openapi(request: Request) -> Response:
    """OpenAPI 3.1 of the REST API."""
    return _serve(request, "openapi.json")


async def asyncapi(request: Request) -> Response:
    """AsyncAPI 3 of the socket."""
    return _serve(request, "asyncapi.json")


routes = [at("/api/openapi.json", GET=openapi), at("/api/asyncapi.json", GET=asyncapi)]
