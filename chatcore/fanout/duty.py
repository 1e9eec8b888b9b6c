"""How much of the loop fan-out may use: durations in, the next delay out. Pure: no clock, no loop.

Owns: the duty cycle of law 6 (architecture.md): a budget of fan-out time that refills at a share of real
time. A quiet node has credit, so its rooms flush at once; a busy one runs at `calm` of the loop, which makes
each write carry more; when the oldest undelivered event gets old, the share rises to `cap` and no further,
so that commands always have the rest.
Refuses to know: rooms, connections, bytes.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DutyRules:
    """The policy's numbers; all times in seconds, shares of one CPU core."""

    slice_s: float = 0.002
    """A slice ends after this long, whoever still waits: the longest a command waits for fan-out."""
    calm: float = 0.22
    """Share while nothing is late."""
    cap: float = 0.60
    """Share that is never passed."""
    late_from_s: float = 0.200
    """Age of the oldest undelivered event at which the share starts to rise."""
    late_full_s: float = 0.360
    """Age at which it has reached the cap."""
    credit_s: float = 0.008
    """Most credit that a quiet node can save up: about one flush to a thousand connections."""


class Duty:
    """Credit of fan-out time. Book each slice with `spent`; `wait` says when the next may begin."""

    __slots__ = ("_at", "_credit", "_rules")

    def __init__(self, rules: DutyRules, now: float) -> None:
        self._rules = rules
        self._credit = rules.credit_s
        self._at = now

    def share(self, oldest_age: float) -> float:
        """The share of the loop that is right when the oldest undelivered event is `oldest_age` old."""
        rules = self._rules
        calm = min(rules.calm, rules.cap)
        late = (oldest_age - rules.late_from_s) / (rules.late_full_s - rules.late_from_s)
        return calm + (rules.cap - calm) * min(1.0, max(0.0, late))

    def spent(self, now: float, cost: float, share: float) -> None:
        """Book a slice that cost so many seconds of CPU and ended now; `share` was in force until now."""
        self._refill(now, share)
        self._credit -= cost

    def wait(self, now: float, share: float) -> float:
        """Seconds until the next slice may begin at this share; 0.0 = at the loop's next turn."""
        self._refill(now, share)
        return 0.0 if self._credit >= 0.0 else -self._credit / share

    def _refill(self, now: float, share: float) -> None:
        self._credit = min(self._rules.credit_s, self._credit + (now - self._at) * share)
        self._at = now
