"""Owns what a name, display name, email, password, scope may be, and how names are derived. Pure.

Refuses to know who has which name: it only offers candidates, the store takes the first that is free.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from chatcore.people.folding import fold_name
from chatcore.people.principal import ADMIN, CREATOR, INSTANCE_ROLES
from schemas.errors import Refused
from schemas.ids import CHANNEL, is_id
from schemas.roles import CAPABILITIES

NAME_LENGTH = (3, 25)
GUEST_NAME_LENGTH = (2, 25)
DISPLAY_LENGTH = (1, 40)
PASSWORD_LENGTH = (8, 200)
EMAIL_MAX = 254

_NAME = re.compile(r"[a-z0-9_]{3,25}")
_UNNAMEABLE = re.compile(r"[^a-z0-9_]+")
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
# Joins emoji and shapes letters of several scripts; harmless in a display name, which is never compared.
_JOINERS = frozenset("\u200c\u200d")

#: Names that would be taken for the server or its staff.
RESERVED_NAMES = frozenset(
    (
        "admin",
        "administrator",
        "cascade",
        "deleted",
        "everyone",
        "here",
        "moderator",
        "server",
        "staff",
        "system",
    )
)

#: What the scopes of a token may name: channel capabilities, and the instance roles its maker may lend it.
SCOPES = frozenset(CAPABILITIES) | INSTANCE_ROLES


def fault(field: str, reason: str, message: str) -> Refused:
    """The refusal for a bad member: which, why for programs, and the remedy for people."""
    return Refused("bad_request", message, field=field, d={"reason": reason})


def check_name(name: str, *, field: str = "name", trusted: bool = False) -> str:
    """A registered name as chosen; only an administrator's choice (`trusted`) may be a reserved one.

    Raises Refused bad_request.
    """
    if not _NAME.fullmatch(name):
        raise fault(
            field, "form", "A name has 3 to 25 of the characters a-z, 0-9 and _: for example `river_7`."
        )
    if name in RESERVED_NAMES and not trusted:
        raise fault(field, "reserved", "That name is reserved; choose another.")
    return name


def check_display_name(text: str, *, field: str = "displayName") -> str:
    """A display name, NFC and trimmed. Raises Refused bad_request."""
    shown = _clean(text, field, DISPLAY_LENGTH, allowed=_JOINERS)
    if _is_unseen(shown):
        raise fault(field, "invisible", "A display name needs at least one visible character.")
    return shown


def check_guest_name(text: str, *, field: str = "d.guest.name") -> str:
    """A guest's name, NFC and trimmed (protocol 4). Raises Refused bad_request."""
    name = _clean(text, field, GUEST_NAME_LENGTH, allowed=frozenset())
    if _is_unseen(name):
        raise fault(field, "invisible", "A guest's name needs at least one visible character.")
    if name.startswith("@"):
        raise fault(field, "form", "A guest's name does not begin with @; leave it out.")
    return name


def check_email(text: str, *, field: str = "email") -> str:
    """An email address, checked for its shape only: whether it exists, only a letter could tell."""
    email = unicodedata.normalize("NFC", text.strip())
    local, at, domain = email.rpartition("@")
    shaped = bool(at and local and domain) and "@" not in local and len(email) <= EMAIL_MAX
    if not shaped or domain.startswith(".") or domain.endswith(".") or ".." in domain or _has_blank(email):
        raise fault(field, "form", "That is no email address; it looks like `ann@example.com`.")
    return email


def fold_email(email: str) -> str:
    """The form in which two addresses are the same account's."""
    return unicodedata.normalize("NFC", email.strip().casefold())


def check_password(text: str, *, field: str = "password") -> str:
    """A password of 8 to 200 code points, NFC so that keyboards agree. Raises Refused bad_request."""
    password = unicodedata.normalize("NFC", text)
    low, high = PASSWORD_LENGTH
    if len(password) < low:
        raise fault(field, "too_short", f"A password needs at least {low} characters.")
    if len(password) > high:
        raise fault(field, "too_long", f"A password may have {high} characters at most.")
    if not is_sound(password):
        raise fault(field, "characters", "The password is not valid Unicode; type it again.")
    return password


def check_roles(roles: Iterable[str], *, field: str = "roles") -> frozenset[str]:
    """Instance roles. Raises Refused bad_request."""
    wanted = frozenset(roles)
    unknown = sorted(wanted - INSTANCE_ROLES)
    if unknown:
        raise fault(field, "unknown", f"There is no instance role {unknown[0]!r}; use {ADMIN} or {CREATOR}.")
    return wanted


def check_scopes(scopes: Iterable[str], *, field: str = "scopes") -> frozenset[str]:
    """Scopes of a token; `key.*` stands for all capabilities that begin with `key.`. Raises Refused."""
    wanted: set[str] = set()
    for scope in scopes:
        family = {cap for cap in SCOPES if scope.endswith(".*") and cap.startswith(scope[:-1])}
        if scope in SCOPES:
            family = {scope}
        if not family:
            raise fault(field, "unknown", f"There is no scope {scope[:40]!r}; use capabilities (protocol 7).")
        wanted |= family
    return frozenset(wanted)


def check_channels(channels: Iterable[str], *, field: str = "channels") -> frozenset[str] | None:
    """Channels of a token: ids, or None for all (`"*"`). Raises Refused bad_request."""
    wanted = frozenset(channels)
    if wanted == frozenset("*"):
        return None
    if not wanted or len(wanted) > 100 or any(not is_id(ref, CHANNEL) for ref in wanted):
        raise fault(field, "form", 'Name 1 to 100 channels by their ids (`c_…`), or `"*"` alone for all.')
    return wanted


def is_sound(text: str) -> bool:
    """Whether a text could be stored at all: a lone half of a surrogate pair can't."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def derive_name(display_name: str) -> str:
    """The registered name nearest to a display name; it has a legal form but may be taken or too plain."""
    base = _UNNAMEABLE.sub("_", fold_name(display_name.replace(" ", "_"))).strip("_")[: NAME_LENGTH[1]]
    return base if len(base) >= NAME_LENGTH[0] else f"{base or 'user'}_{'user' if base else ''}".strip("_")


def name_candidates(base: str, entropy: bytes) -> list[str]:
    """`base`, then `base` with 2 to 6 digits: the first that is free becomes the name."""
    head = base[: NAME_LENGTH[1] - 7]
    candidates = [] if base in RESERVED_NAMES else [base]
    return candidates + [f"{head}_{digits}" for digits in _digits(entropy, (2, 2, 3, 4, 5, 6, 6, 6))]


def guest_candidates(name: str, entropy: bytes) -> Iterator[str]:
    """`name`, then `name-NN`, `name-NNN`, `name-NNNN` (protocol 4): the first that is free is given.

    With 24 bytes of entropy there are some twenty, so that thousands of one name still find theirs.
    """
    if fold_name(name) not in RESERVED_NAMES:
        yield name
    head = name[: GUEST_NAME_LENGTH[1] - 5].rstrip()
    for digits in _digits(entropy, (2, 2, 3, 3, *(4,) * 12)):
        yield f"{head}-{digits}"


def _digits(entropy: bytes, lengths: tuple[int, ...]) -> Iterator[str]:
    number = int.from_bytes(entropy, "big")
    for length in lengths:
        number, chosen = divmod(number, 9 * 10 ** (length - 1))
        yield str(chosen + 10 ** (length - 1))


def _clean(text: str, field: str, length: tuple[int, int], *, allowed: frozenset[str]) -> str:
    low, high = length
    if len(text) > high * 8:  # not worth normalising: no honest text shrinks so much
        raise fault(field, "too_long", f"At most {high} characters.")
    clean = unicodedata.normalize("NFC", text).strip()
    if not clean.isascii() or not clean.isprintable():
        for char in clean:
            if unicodedata.category(char) in _INVISIBLE and char not in allowed:
                raise fault(field, "characters", f"Remove the invisible character U+{ord(char):04X}.")
    if not low <= len(clean) <= high:
        reason = "too_short" if len(clean) < low else "too_long"
        raise fault(field, reason, f"It has {len(clean)} characters; between {low} and {high} are possible.")
    return clean


def _is_unseen(name: str) -> bool:
    """Whether a name shows nothing, or only marks that have no letter to stand on."""
    return all(unicodedata.category(char).startswith("M") for char in fold_name(name))


def _has_blank(text: str) -> bool:
    return any(char.isspace() or unicodedata.category(char) in _INVISIBLE for char in text)
