"""Owns how people are shown over REST: stored records to bodies of `schemas.resources`. Pure."""

from __future__ import annotations

from msgspec import UNSET

from chatcore.people.principal import Principal
from chatcore.people.store import ApiToken, SignIn, User
from schemas import resources

_AGENT_MAX = 80
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def public_user(user: User) -> resources.User:
    """A user as anybody sees him."""
    return resources.User(
        id=user.id,
        name=user.name,
        display_name=user.display_name,
        created_at=user.created_at,
        kind=user.kind,
    )


def private_user(user: User, *, invite_url: str | None = None) -> resources.User:
    """A user as he and administrators see him."""
    return resources.User(
        id=user.id,
        name=user.name,
        display_name=user.display_name,
        created_at=user.created_at,
        kind=user.kind,
        email=user.email,
        roles=sorted(user.roles),
        invite_url=UNSET if invite_url is None else invite_url,
    )


def user_for(user: User, viewer: Principal | None) -> resources.User:
    """A user as `viewer` sees him: tokens with scopes see what all see."""
    itself = viewer is not None and viewer.id == user.id and viewer.scopes is None
    if itself or (viewer is not None and viewer.is_admin):
        return private_user(user)
    return public_user(user)


def session_entry(sign_in: SignIn, current: str) -> resources.SessionEntry:
    """One of a user's sessions; `current` is the credential that asks."""
    return resources.SessionEntry(
        id=sign_in.id,
        created_at=sign_in.created_at,
        expires_at=sign_in.expires_at,
        last_used_at=sign_in.used_at,
        current=sign_in.id == current,
        agent=sign_in.agent or None,
    )


def token_info(token: ApiToken, user: resources.User) -> resources.TokenInfo:
    """A token without its secret."""
    return resources.TokenInfo(
        id=token.id,
        kind=token.kind,
        name=token.name,
        channels=["*"] if token.channels is None else sorted(token.channels),
        scopes=sorted(token.scopes),
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.used_at,
        user=user,
    )


def agent_label(agent: str) -> str:
    """`Firefox on Linux` for a User-Agent header: enough to know one's own device again, and no more."""
    browser = next((label for mark, label in _BROWSERS if mark in agent), "")
    system = next((label for mark, label in _SYSTEMS if mark in agent), "")
    if not browser:
        return "".join(char for char in agent.partition("/")[0][:_AGENT_MAX] if char.isprintable())
    return f"{browser} on {system}" if system else browser
