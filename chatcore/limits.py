"""Owns rate limiting: token buckets as pure arithmetic, and bounded tables of them keyed by whom they limit.

Refuses to know the clock (the time is an argument), the network, and what is being limited.

A bucket is one number, the "theoretical arrival time" of GCRA: the moment (ms) at which it will be full
again. It costs no timer and no refill loop, and a full bucket needs no memory at all, so forgetting one whose
time has passed is exact.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

from schemas.errors import Refused

#: Keys one table remembers by default: about 10 MB at the very worst, however many addresses come.
MAX_KEYS = 50_000


@dataclass(frozen=True, slots=True)
class Spec:
    """`limit` tokens come back per `window_ms`; at most `burst` (default `limit`) are there at once.

    `name` is the bucket's public name in `Refused("rate_limited").d.bucket` (protocol 13).
    """

    name: str
    limit: int
    window_ms: int
    burst: int = 0

    def __post_init__(self) -> None:
        if self.limit < 1 or self.window_ms < 1 or self.burst < 0:
            raise ValueError("A rate limit needs a positive limit and window.")

    @property
    def interval_ms(self) -> float:
        """Milliseconds until one token comes back."""
        return self.window_ms / self.limit

    @property
    def depth_ms(self) -> float:
        """How far in the future an empty bucket's time of being full lies."""
        return self.interval_ms * (self.burst or self.limit)

    def details(self) -> dict[str, Any]:
        """The `d` of the refusal: which bucket, how much, per how long."""
        return {"bucket": self.name, "limit": self.limit, "windowMs": self.window_ms}

    def refused(self, after_ms: int) -> Refused:
        """The refusal to raise when a take answered `after_ms` > 0."""
        return Refused("rate_limited", after_ms=after_ms, d=self.details())


class Bucket:
    """One bucket, for an owner that holds it himself (a connection)."""

    __slots__ = ("_full_at", "spec")

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._full_at = 0.0

    def take(self, now_ms: int, cost: int = 1) -> int:
        """Take `cost` tokens; 0 if they were there, else nothing is taken: after how many ms they will be."""
        full_at, after_ms = _take(self.spec, self._full_at, now_ms, cost)
        self._full_at = full_at
        return after_ms

    def check(self, now_ms: int) -> None:
        """Take one token or raise Refused rate_limited."""
        after_ms = self.take(now_ms)
        if after_ms:
            raise self.spec.refused(after_ms)


class Buckets:
    """A table of buckets of one kind by key, which never holds more than `max_keys`.

    Beyond that the key not asked about for longest is forgotten (its bucket counts as full again): to use
    that, an attacker needs more addresses than `max_keys`, and so many no limit per address would hold.
    `spec=None` limits nothing and remembers nothing (development with limits off).
    """

    __slots__ = ("_full_at", "max_keys", "spec")

    def __init__(self, spec: Spec | None, max_keys: int = MAX_KEYS) -> None:
        if max_keys < 1:
            raise ValueError("A table of buckets needs room for at least one key.")
        self.spec = spec
        self.max_keys = max_keys
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, now_ms: int, cost: int = 1) -> int:
        """Take `cost` tokens of `key`; 0 if they were there, else after how many ms they will be."""
        if self.spec is None:
            return 0
        full_at, after_ms = _take(self.spec, self._full_at.get(key, 0.0), now_ms, cost)
        self._remember(key, full_at, now_ms)
        return after_ms

    def peek(self, key: str, now_ms: int) -> int:
        """What `take` of one token would answer, without taking it."""
        if self.spec is None:
            return 0
        full_at = self._full_at.get(key)
        return 0 if full_at is None else _take(self.spec, full_at, now_ms, 1)[1]

    def refund(self, key: str, cost: int = 1) -> None:
        """Give tokens back that were taken in advance for something that turned out not to count."""
        if self.spec is not None and key in self._full_at:
            self._full_at[key] -= self.spec.interval_ms * cost

    def check(self, key: str, now_ms: int) -> None:
        """Take one token of `key` or raise Refused rate_limited, which says which bucket and when."""
        after_ms = self.take(key, now_ms)
        if after_ms and self.spec is not None:
            raise self.spec.refused(after_ms)

    def check_only(self, key: str, now_ms: int) -> None:
        """Raise Refused rate_limited if no token of `key` is left; takes none."""
        after_ms = self.peek(key, now_ms)
        if after_ms and self.spec is not None:
            raise self.spec.refused(after_ms)

    def _remember(self, key: str, full_at: float, now_ms: int) -> None:
        table = self._full_at
        table[key] = full_at
        table.move_to_end(key)
        # Two old ones are looked at per take, so that full buckets leave about as fast as new keys come.
        for _ in range(2):
            oldest = next(iter(table))
            if len(table) <= self.max_keys and table[oldest] > now_ms:
                return
            del table[oldest]
            if not table:
                return


def _take(spec: Spec, full_at: float, now_ms: int, cost: int) -> tuple[float, int]:
    """(new time of being full, 0) or (the old one, ms to wait). A clock stepping back deepens no debt."""
    depth = spec.depth_ms
    start = min(max(full_at, now_ms), now_ms + depth)
    end = start + spec.interval_ms * cost
    excess = end - now_ms - depth
    if excess > 0.01:  # milliseconds since 1970 leave a float about four digits behind the point
        return start, ceil(excess)
    return end, 0


@lru_cache(maxsize=8192)
def address_key(address: str) -> str:
    """The key by which an address is limited: an IPv4 address itself, an IPv6 address's /64 (one subscriber).

    IPv4 inside IPv6 counts as IPv4. What is no address (a UNIX socket, a test's name) is its own key.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
        parsed = parsed.ipv4_mapped
    return str(parsed)


@lru_cache(maxsize=1024)
def address_label(address: str) -> str:
    """A coarse label to show to the user himself: an IPv4 /16 as `203.0.*`, an IPv6 /32 as `2001:db8:*`."""
    key = address_key(address)
    if key == "::/64":  # ::1, the only address in use there
        return "this machine"
    try:
        parsed = ipaddress.ip_address(key.partition("/")[0])
    except ValueError:
        return "local"
    if parsed.is_loopback:
        return "this machine"
    if isinstance(parsed, ipaddress.IPv4Address):
        return ".".join(str(parsed).split(".")[:2]) + ".*"
    return ":".join(f"{group:x}" for group in (int(parsed) >> 112, int(parsed) >> 96 & 0xFFFF)) + ":*"
