"""Identifiers: a prefix that names the kind, then the time, then randomness (PROTOCOL.md section 0).

Owns their form. Refuses to read a clock or a source of randomness: both are arguments.
"""

from __future__ import annotations

import functools
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
_LETTERS: Final = frozenset(_ALPHABET)
_TIME_BITS: Final = 50
_MAX_LENGTH: Final = 64

USER: Final = "u_"
GUEST: Final = "g_"
CHANNEL: Final = "c_"
MESSAGE: Final = "m_"
ACTION: Final = "a_"
CASE: Final = "k_"
RULE: Final = "r_"
STREAM_SESSION: Final = "s_"
POLL: Final = "p_"
CONNECTION: Final = "x_"
TOKEN: Final = "t_"  # noqa: S105  a prefix, no secret
STREAM_KEY: Final = "sk_"

PREFIXES: Final = frozenset(
    (USER, GUEST, CHANNEL, MESSAGE, ACTION, CASE, RULE, STREAM_SESSION, POLL, CONNECTION, TOKEN, STREAM_KEY)
)


def new_id(prefix: str, now_ms: int, entropy: bytes) -> str:
    """Make an id such as `m_01jc…`: 10 characters of time (Unix ms), then all of `entropy`.

    Sorts by time as text. Eight bytes of entropy make a collision within one millisecond unthinkable; fewer
    than five are a ValueError, as are an unknown prefix and a time outside 50 bits.
    """
    if prefix not in PREFIXES:
        raise ValueError(f"unknown id prefix {prefix!r}")
    if len(entropy) < 5:
        raise ValueError("an id needs at least 5 bytes of entropy")
    if not 0 <= now_ms < 1 << _TIME_BITS:
        raise ValueError(f"time out of range: {now_ms}")
    pairs = -(-len(entropy) * 8 // 10)
    number = int.from_bytes(entropy, "big") << pairs * 10 - len(entropy) * 8
    return prefix + _time(now_ms) + "".join([_PAIRS[number >> at & 1023] for at in _shifts(pairs)])


@functools.lru_cache(maxsize=16)
def _time(now_ms: int) -> str:
    return "".join([_PAIRS[now_ms >> at & 1023] for at in _shifts(_TIME_BITS // 10)])


@functools.cache
def _shifts(pairs: int) -> range:
    return range((pairs - 1) * 10, -1, -10)


def is_id(text: str, prefix: str) -> bool:
    """Say whether `text` has the form of an id of this kind; not whether such a thing exists."""
    body = text[len(prefix) :]
    return text.startswith(prefix) and 0 < len(body) <= _MAX_LENGTH and _LETTERS.issuperset(body)
