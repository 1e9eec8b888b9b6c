"""Owns the form of secrets that stand for a person: made of given entropy, told apart by prefix, hashed.

Refuses to know what a secret opens, and to draw randomness itself.
"""

from __future__ import annotations

import base64
import hashlib

SESSION = "cs_"
API = "ct_"
GUEST = "cgt_"

#: 160 bits in 40 letters: far beyond guessing, and a double click selects it.
TOKEN_BYTES = 20
#: 75 bits in three groups of five: read off a terminal and typed once.
CODE_BYTES = 10

_MAX_LENGTH = 200
_CODE_LETTERS = str.maketrans("il", "89")  # base32 has neither 0, 1, 8 nor 9


def make_token(prefix: str, entropy: bytes) -> str:
    """A new secret. ValueError if the entropy is under 128 bits."""
    if len(entropy) < 16:
        raise ValueError("A token needs at least 16 bytes of entropy.")
    return prefix + entropy.hex()


def hash_secret(secret: str) -> str:
    """What is stored and looked up. A plain hash suffices: a random secret leaves nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def kind_of(token: str) -> str | None:
    """The prefix of a well-formed token, None for anything else; saves a look-up of rubbish."""
    if len(token) > _MAX_LENGTH or not token.isascii():
        return None
    for prefix in (SESSION, API, GUEST):
        if token.startswith(prefix) and len(token) > len(prefix):
            return prefix
    return None


def make_code(entropy: bytes) -> str:
    """A code for people to type: `abcde-fghij-kmnpq`, without look-alike letters."""
    letters = base64.b32encode(entropy).decode("ascii").rstrip("=").lower().translate(_CODE_LETTERS)[:15]
    return "-".join(letters[start : start + 5] for start in range(0, len(letters), 5))


def same_code(given: str) -> str:
    """A typed code as it is compared: case, spaces and dashes don't matter."""
    return "".join(char for char in given.casefold() if char.isalnum())
