"""How long a reader has not read: counts in, age out. Pure: no socket, no clock.

Owns: the age of the oldest unread byte of a connection, from three numbers that a sweep can read cheaply.
Refuses to know: what is done about it (hub.py), and how the numbers are obtained (the Wire).
"""

from typing import NamedTuple


class Checkpoint(NamedTuple):
    """At `at` (seconds), `written` bytes had been handed to the connection since it began."""

    written: int
    at: float


def unread_age(
    point: Checkpoint | None, written: int, queued: int, now: float
) -> tuple[Checkpoint | None, float]:
    """The checkpoint to keep for the next sweep, and a lower bound of the oldest unread byte's age.

    `queued` is what the peer has not acknowledged, in user space and kernel together. A checkpoint is
    passed when all that had been written by then is acknowledged; until then, the oldest unread byte is
    at least as old as it. The true age is at most one sweep's interval more.
    """
    if queued == 0:
        return None, 0.0
    if point is None or written - queued >= point.written:
        return Checkpoint(written, now), 0.0
    return point, now - point.at
