"""The whole application in this process, and a client that speaks HTTP to it without a network.

Knows REST by product.md; only building the application knows the server's modules.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.rest import checked_error
from web.app import Application, build
from web.settings import load

JSON = dict[str, Any]
HOST = "http://localhost:8080"


@dataclass(slots=True)
class Api:
    """A client of the application. Cookies are kept only where a test sends them."""

    app: Application
    peer: str = "127.0.0.1"
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def as_(self, token: str | None) -> "Api":
        """The same client with another Bearer token."""
        return Api(self.app, self.peer, token, self.headers)

    async def raw(self, method: str, path: str, **kw: Any) -> httpx2.Response:
        """One request; whatever comes back."""
        headers = {**self.headers, **kw.pop("headers", {})}
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        asgi: Any = self.app
        transport = httpx2.ASGITransport(app=asgi, client=(self.peer, 50_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
            return await client.request(method, path, headers=headers, **kw)

    async def ok(self, method: str, path: str, body: Any = None, status: int | None = None, **kw: Any) -> Any:
        """The JSON of a good answer, which must have this status if one is given."""
        if body is not None:
            kw["json"] = body
        response = await self.raw(method, path, **kw)
        assert response.status_code < 400, response.text
        assert status is None or response.status_code == status
        return response.json() if response.content else None

    async def refused(self, method: str, path: str, body: Any = None, **kw: Any) -> JSON:
        """The error of a refused request, its shape and status checked against the table."""
        if body is not None:
            kw["json"] = body
        response = await self.raw(method, path, **kw)
        assert response.status_code >= 400, response.text
        return checked_error(response)

    async def signup(self, name: str, **extra: Any) -> JSON:
        """`{token,expiresAt,user}` of a new account."""
        body = {
            "displayName": name,
            "name": name,
            "email": f"{name}@test.example",
            "password": f"password {name}",
        }
        return await self.ok("POST", "/api/auth/signup", {**body, **extra}, 201)


Running = Callable[..., Any]


@pytest.fixture
def running(tmp_path: Path) -> Running:
    """`async with running(**flags) as api`: the application with these settings, on one folder per test."""

    @asynccontextmanager
    async def run(**flags: str) -> AsyncGenerator[Api, None]:
        settings = load({"data": str(tmp_path), **flags}, {}, None)
        app = build(settings)
        async with app.http.router.lifespan_context(app.http):
            yield Api(app)

    return run


@pytest.fixture
async def api(running: Running) -> AsyncIterator[Api]:
    """The application with its defaults, rate limits off."""
    async with running(**{"limits.enabled": "off"}) as client:
        yield client


@pytest.fixture
async def admin(api: Api) -> Api:
    """A client of the first account, which administers the instance."""
    return api.as_((await api.signup("admin_ann"))["token"])


@pytest.fixture
async def bob(admin: Api) -> Api:
    """A client of an ordinary account."""
    return admin.as_((await admin.as_(None).signup("bob"))["token"])
