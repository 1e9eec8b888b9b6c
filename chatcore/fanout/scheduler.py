"""The one flush scheduler of the process: rooms that have something to deliver, round-robin, in slices.

Owns: whose turn it is and when the next slice begins (the policy is duty.py).
Refuses to know: members, bytes, connections. Time and the loop are given to it.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from chatcore.fanout.duty import Duty, DutyRules


class Dirty(Protocol):
    """A room, as the scheduler sees it."""

    queued: bool

    def flush(self, deadline: float) -> bool:
        """Deliver until done (False) or `deadline` (True: more to do)."""
        ...

    def waiting_since(self) -> float | None:
        """When the oldest undelivered event came."""
        ...


class Scheduler:
    """`call_soon(f)` runs f at the loop's next turn, `call_later(s, f)` after s seconds; `now` is the loop's
    clock, `cpu` the CPU time that this thread has used. On a busy machine a slice takes longer than it costs:
    booked by the clock, fan-out would wait three times for what others took."""

    def __init__(
        self,
        rules: DutyRules,
        now: Callable[[], float],
        cpu: Callable[[], float],
        call_soon: Callable[[Callable[[], None]], object],
        call_later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._rules = rules
        self._duty = Duty(rules, now())
        self._now = now
        self._cpu = cpu
        self._call_soon = call_soon
        self._call_later = call_later
        self._rooms: deque[Dirty] = deque()
        self._armed = False
        self._share = rules.calm
        self.slices = 0
        self.busy_s = 0.0

    @property
    def waiting(self) -> int:
        """Rooms that have something to deliver."""
        return len(self._rooms)

    def wake(self, room: Dirty) -> None:
        """This room has something to deliver; a no-op if it is queued already."""
        if room.queued:
            return
        room.queued = True
        self._rooms.append(room)
        if not self._armed:
            self._arm(self._now())

    def _arm(self, now: float) -> None:
        self._armed = True
        wait = self._duty.wait(now, self._share)
        if wait > 0.0:
            self._call_later(wait, self._run)
        else:
            self._call_soon(self._run)

    def _run(self) -> None:
        self._armed = False
        began = self._cpu()
        now = self._now()
        deadline = now + self._rules.slice_s
        while self._rooms and now < deadline:
            room = self._rooms.popleft()
            # Still `queued` while it runs: what it stirs itself must not put it in twice.
            if room.flush(deadline):
                self._rooms.append(room)
            else:
                room.queued = False
            now = self._now()
        cost = self._cpu() - began
        self._duty.spent(now, cost, self._share)
        self.slices += 1
        self.busy_s += cost
        self._share = self._duty.share(self._oldest_age(now))
        if self._rooms:
            self._arm(now)

    def _oldest_age(self, now: float) -> float:
        if not self._rooms:
            return 0.0
        # The first of the queue has waited longest for its turn, the last is in the middle of its rotation.
        since = [self._rooms[0].waiting_since(), self._rooms[-1].waiting_since()]
        return now - min((at for at in since if at is not None), default=now)
