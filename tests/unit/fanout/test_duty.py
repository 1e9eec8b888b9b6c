"""The duty cycle: durations in, delays out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatcore.fanout.duty import Duty, DutyRules
from chatcore.fanout.stall import Checkpoint, unread_age

RULES = DutyRules(slice_s=0.002, calm=0.25, cap=0.6, late_from_s=0.09, late_full_s=0.25, credit_s=0.008)


def work(duty: Duty, age: float, slices: int, cost: float) -> float:
    """Run slices as the scheduler does; answers the share of time that they took."""
    now = busy = 0.0
    for _ in range(slices):
        now += duty.wait(now, duty.share(age))
        duty.spent(now + cost, cost, duty.share(age))
        now += cost
        busy += cost
    return busy / (now + duty.wait(now, duty.share(age)))


def test_a_quiet_node_flushes_at_once_until_its_credit_is_used() -> None:
    duty = Duty(RULES, 0.0)
    assert duty.wait(0.0, RULES.calm) == 0.0
    duty.spent(0.002, 0.002, RULES.calm)
    assert duty.wait(0.002, RULES.calm) == 0.0
    duty.spent(0.012, 0.01, RULES.calm)
    assert duty.wait(0.012, RULES.calm) > 0.0


def test_credit_comes_back_with_time_and_has_a_bound() -> None:
    duty = Duty(RULES, 0.0)
    duty.spent(0.1, 0.1, RULES.calm)
    assert duty.wait(1000.0, RULES.calm) == 0.0
    duty.spent(1000.0 + RULES.credit_s * 2, RULES.credit_s * 2, RULES.calm)
    assert duty.wait(1000.0 + RULES.credit_s * 2, RULES.calm) > 0.0


@pytest.mark.parametrize(
    ("age", "share"), [(0.0, 0.25), (0.09, 0.25), (0.17, 0.425), (0.25, 0.6), (9.0, 0.6)]
)
def test_the_share_rises_with_age_and_stops_at_the_cap(age: float, share: float) -> None:
    assert Duty(RULES, 0.0).share(age) == pytest.approx(share)


def test_a_cap_below_calm_is_the_cap_from_the_start() -> None:
    assert Duty(DutyRules(calm=0.3, cap=0.1), 0.0).share(0.0) == pytest.approx(0.1)
    assert Duty(DutyRules(calm=0.3, cap=0.1), 0.0).share(9.0) == pytest.approx(0.1)


@settings(deadline=None)
@given(st.floats(0.0, 5.0), st.floats(0.0005, 0.01))
def test_a_busy_node_spends_the_share_of_its_age_and_never_more_than_the_cap(age: float, cost: float) -> None:
    duty = Duty(RULES, 0.0)
    taken = work(duty, age, 2000, cost)
    assert taken == pytest.approx(duty.share(age), rel=0.05)
    assert taken <= RULES.cap * 1.01


def test_a_reader_who_reads_has_no_age() -> None:
    assert unread_age(None, 1000, 0, 5.0) == (None, 0.0)


def test_age_counts_from_the_first_sweep_that_saw_the_bytes() -> None:
    point, age = unread_age(None, 1000, 400, 5.0)
    assert (point, age) == (Checkpoint(1000, 5.0), 0.0)
    assert unread_age(point, 1500, 900, 6.5) == (point, 1.5)


def test_a_reader_who_reads_late_but_reads_starts_anew_at_each_checkpoint_passed() -> None:
    point, _ = unread_age(None, 1000, 400, 5.0)
    # 2000 written, 1000 of them unread: all that was there at the checkpoint has been read.
    assert unread_age(point, 2000, 1000, 7.0) == (Checkpoint(2000, 7.0), 0.0)


def test_a_trickle_does_not_help_who_falls_behind() -> None:
    point, _ = unread_age(None, 1000, 1000, 0.0)
    for second in range(1, 6):
        point, age = unread_age(point, 1000 + 500 * second, 1000 + 400 * second, float(second))
        assert age == second
