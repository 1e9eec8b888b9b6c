"""Owns who is asking: the client's address through trusted proxies, the scheme, and where a page came from.

Pure functions of headers and settings. Refuses to answer requests; `security` and `auth` act on what is
found here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from urllib.parse import urlsplit

from web.setting_kinds import Network
from web.settings import Settings

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORWARDING: Final = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
)
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end.

    `address`: of the client, behind trusted proxies the one they report. `secure`: it came by https.
    `host`: the Host header, lower case. `loopback`: a program on this machine asked for this machine by a
    loopback name with no proxy in between (so neither a proxy's clients nor a rebound DNS name count).
    """

    address: str
    secure: bool
    host: str
    loopback: bool


class Standing(Enum):
    """Where a request's page came from."""

    SAME = "same"
    """From this host."""
    ALLOWED = "allowed"
    """From another site that the operator allows."""
    FOREIGN = "foreign"
    """From anywhere else."""
    UNKNOWN = "unknown"
    """Not said: no browser, or a plain navigation."""


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """A scope's headers by lower-case name; repeated ones joined, cookies as cookies are (RFC 6265 5.4)."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        if key in found:
            text = found[key] + ("; " if key == "cookie" else ", ") + text
        found[key] = text
    return found


def peer_of(scope: Mapping[str, Any], headers: Mapping[str, str], settings: Settings) -> Peer:
    """Who is at the other end of this HTTP request or WebSocket."""
    near = scope["client"][0] if scope.get("client") else ""
    secure = scope.get("scheme") in ("https", "wss")
    address = near
    if settings.trusted_proxies and _is_in(near, settings.trusted_proxies):
        address = forwarded_address(near, headers.get("x-forwarded-for", ""), settings.trusted_proxies)
        proto = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
        secure = proto in ("https", "wss") if proto else secure
    secure = secure or settings.public_url.startswith("https://")
    host = headers.get("host", "").lower()
    direct = not any(name in headers for name in _FORWARDING)
    loopback = direct and _is_loopback(near) and _without_port(host) in _LOOPBACK_NAMES
    return Peer(address, secure, host, loopback)


def forwarded_address(near: str, forwarded_for: str, trusted: Iterable[Network]) -> str:
    """The client's address: from the right, the first of X-Forwarded-For that is no trusted proxy.

    What stands further left was written by the client. An entry that is no address ends the search.
    """
    trusted = tuple(trusted)
    best = near
    for entry in reversed(forwarded_for.split(",")):
        found = _address(entry)
        if found is None:
            return best
        best = found
        if not _is_in(found, trusted):
            return best
    return best


def standing_of(headers: Mapping[str, str], peer: Peer, settings: Settings) -> Standing:
    """Judge `Origin`, and `Sec-Fetch-Site` where there is no Origin."""
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site")
    if origin is None:
        if site is None:
            return Standing.UNKNOWN
        return Standing.SAME if site in ("same-origin", "none") else Standing.FOREIGN
    if _is_own(origin, peer, settings) and site != "cross-site":
        return Standing.SAME
    return Standing.ALLOWED if origin in settings.allowed_origins else Standing.FOREIGN


def cookie_counts(standing: Standing, method: str) -> bool:
    """Whether the session cookie of an HTTP request is believed; cookies never cross origins."""
    return standing is Standing.SAME or (standing is Standing.UNKNOWN and method in SAFE_METHODS)


def cookie_counts_on_socket(standing: Standing, headers: Mapping[str, str]) -> bool:
    """Whether the cookie of a WebSocket is believed: only with an Origin of this host or an allowed one."""
    return "origin" in headers and standing in (Standing.SAME, Standing.ALLOWED)


def secure_cookie(peer: Peer, settings: Settings) -> bool:
    """Whether the session cookie is the one for https."""
    return peer.secure or settings.secure_cookies == "always"


def _is_own(origin: str, peer: Peer, settings: Settings) -> bool:
    if settings.public_url and origin == settings.public_url:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # A proxy that is not trusted may hide that people came by https; the other way round is an attack.
    schemes = ("https",) if peer.secure else ("http", "https")
    return bool(peer.host) and parts.netloc.lower() == peer.host and parts.scheme in schemes


def _address(entry: str) -> str | None:
    text = entry.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _is_in(address: str, networks: Iterable[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return any((mapped or parsed) in network for network in networks)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
