"""Owns the session cookie: its name, its attributes, and when it is believed.

Refuses to know what the token in it means.
"""

from __future__ import annotations

from typing import Final

SECURE_NAME: Final = "__Host-cascade"
PLAIN_NAME: Final = "cascade"
_LONGEST: Final = 512


def cookie_name(secure: bool) -> str:
    """`__Host-cascade` on https, which no other host or path can set; `cascade` on http."""
    return SECURE_NAME if secure else PLAIN_NAME


def set_cookie(token: str, *, secure: bool, max_age: int) -> str:
    """The value of Set-Cookie that keeps `token` for `max_age` seconds."""
    return (
        f"{cookie_name(secure)}={token}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{_secure(secure)}"
    )


def clear_cookie(*, secure: bool) -> str:
    """The value of Set-Cookie that takes the session's cookie away."""
    return f"{cookie_name(secure)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{_secure(secure)}"


def token_in(header: str | None, *, secure: bool) -> str | None:
    """The session token in a Cookie header, or None.

    Only the name that belongs to the scheme counts: on https a plain `cascade` may have been planted by
    another host or over http. Of several of that name none counts, for one of them was planted.
    """
    if not header:
        return None
    wanted = cookie_name(secure)
    found = [value for name, value in _pairs(header) if name == wanted]
    if len(found) != 1 or not 0 < len(found[0]) <= _LONGEST:
        return None
    return found[0]


def _pairs(header: str) -> list[tuple[str, str]]:
    parts = (part.partition("=") for part in header.split(";"))
    return [(name.strip(), value.strip().strip('"')) for name, _, value in parts]


def _secure(secure: bool) -> str:
    return "; Secure" if secure else ""
