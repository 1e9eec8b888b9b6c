"""Stamps: the time of sending, carried inside the text of a message, found again by a scan of bytes.

Owns the form `~T` + 19 digits of CLOCK_MONOTONIC nanoseconds. Refuses to know frames, JSON and sockets.
One machine has one such clock, so that sender and receiver need no agreement about time.
"""

from __future__ import annotations

import re

STAMP = re.compile(rb"~T(\d{19})")
LENGTH = 21
_FILLER = "and the river goes round the bend once more while all of us are watching it go by "


def stamped(now_ns: int, size: int, number: int = 0) -> str:
    """A text of exactly `size` ASCII characters (at least 21) that begins with the stamp of `now_ns`.

    `number` turns the filler, so that no two texts in a row are alike but for their stamp.
    """
    if size < LENGTH:
        raise ValueError(f"a stamped text needs at least {LENGTH} characters")
    start = number % len(_FILLER)
    words = _FILLER[start:] + _FILLER * (size // len(_FILLER) + 1)
    return f"~T{now_ns:019d} {words}"[:size].rstrip().ljust(size, ".")


def find(data: bytes) -> tuple[int, ...]:
    """All stamps in `data`, in order, as nanoseconds."""
    return tuple(int(digits) for digits in STAMP.findall(data))
