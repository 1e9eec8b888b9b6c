"""Owns a small REST client for tests: signs people up and makes channels, and checks the one error shape.

It refuses to know the server's modules; every answer is judged by product.md alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.support.tables import check_error, status_of

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """An account made for a test; `token` is a session token, `cookie` the name=value the server set."""

    id: str
    name: str
    display_name: str
    email: str
    password: str
    token: str
    cookie: str


class RestRefused(Exception):
    """An error answer: `.status` and `.err` (the one shape)."""

    def __init__(self, status: int, err: JSON) -> None:
        super().__init__(f"{status} {err}")
        self.status = status
        self.err = err
        self.code: str = err["code"]


class Rest:
    """Requests to one server; bearer `token` if given. Cookies are never kept between requests."""

    def __init__(self, base: str, token: str | None = None, *, local_address: str | None = None) -> None:
        self.base = base
        self.token = token
        transport = httpx2.HTTPTransport(local_address=local_address, trust_env=False)
        self._client = httpx2.Client(base_url=base, transport=transport, timeout=30.0, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def raw(self, method: str, path: str, *, token: str | None = "", **kw: Any) -> httpx2.Response:
        """One request as it is; `token=None` sends none, default is this client's own."""
        bearer = self.token if token == "" else token
        headers = dict(kw.pop("headers", {}))
        if bearer is not None:
            headers.setdefault("Authorization", f"Bearer {bearer}")
        response = self._client.request(method, path, headers=headers, **kw)
        self._client.cookies.clear()
        return response

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = "", **kw: Any) -> Any:
        """The JSON of a good answer (None for 204); RestRefused for an error, whose shape is checked."""
        if body is not None:
            kw["json"] = body
        response = self.raw(method, path, token=token, **kw)
        if response.status_code < 400:
            return response.json() if response.content else None
        raise RestRefused(response.status_code, checked_error(response))

    def command(self, t: str, d: JSON | None = None, ch: str | None = None, **kw: Any) -> Any:
        """The commands door: the reply's `d`."""
        body: JSON = {} if d is None else {"d": d}
        if ch is not None:
            body["ch"] = ch
        return self.call("POST", f"/api/commands/{t}", body, **kw)

    def signup(self, name: str, *, display_name: str | None = None, **extra: Any) -> Person:
        """Make an account called `name` and sign it in."""
        shown, email, password = display_name or name, f"{name}@test.example", f"password of {name}"
        body = {"displayName": shown, "name": name, "email": email, "password": password, **extra}
        response = self.raw("POST", "/api/auth/signup", token=None, json=body)
        if response.status_code != 201:
            raise RestRefused(response.status_code, checked_error(response))
        got = response.json()
        cookie = response.headers.get("set-cookie", "").split(";")[0]
        return Person(got["user"]["id"], name, shown, email, password, got["token"], cookie)

    def login(self, identifier: str, password: str) -> JSON:
        """`{token,expiresAt,user}` of a login by name or e-mail."""
        key = "email" if "@" in identifier else "name"
        return self.call("POST", "/api/auth/login", {key: identifier, "password": password}, token=None)

    def channel(self, title: str, **extra: Any) -> JSON:
        """Make a channel; 201 Channel."""
        return self.call("POST", "/api/channels", {"title": title, **extra})


def checked_error(response: httpx2.Response) -> JSON:
    """The `error` member of an answer ≥ 400, checked against the table and its HTTP status."""
    body: Mapping[str, Any] = response.json()
    assert set(body) == {"error"}, f"errors have one shape: {response.status_code} {response.text[:300]}"
    err: JSON = body["error"]
    check_error(err)
    expected = status_of(err["code"])
    assert response.status_code == expected, f"{err['code']} is {expected}, got {response.status_code}"
    if expected == 429:
        assert "retry-after" in response.headers, "429 comes with Retry-After"
    return err
