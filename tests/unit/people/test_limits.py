"""Token buckets: how much, when again, and that memory stays bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatcore.limits import Bucket, Buckets, Spec, address_key, address_label
from schemas.errors import Refused

SPEC = Spec("send", 20, 30_000)
NOW = 1_790_000_000_000


def test_a_full_bucket_gives_its_limit_and_then_says_when() -> None:
    bucket = Bucket(SPEC)
    assert [bucket.take(NOW) for _ in range(20)] == [0] * 20
    assert bucket.take(NOW) == 1500
    assert bucket.take(NOW + 1499) == 1
    assert bucket.take(NOW + 1500) == 0


def test_a_burst_may_be_larger_than_what_comes_back() -> None:
    buckets = Buckets(Spec("auth", 10, 60_000, burst=50))
    assert [buckets.take("a", NOW) for _ in range(50)] == [0] * 50
    assert buckets.take("a", NOW) == 6000
    assert buckets.take("b", NOW) == 0


def test_a_refusal_names_bucket_limit_window_and_time() -> None:
    buckets = Buckets(Spec("auth", 1, 60_000))
    buckets.check("a", NOW)
    with pytest.raises(Refused) as refusal:
        buckets.check("a", NOW + 1000)
    assert refusal.value.code == "rate_limited"
    assert refusal.value.after_ms == 59_000
    assert refusal.value.d == {"bucket": "auth", "limit": 1, "windowMs": 60_000}
    with pytest.raises(Refused):
        buckets.check_only("a", NOW + 1000)


def test_a_refund_makes_room_again_and_never_more_than_there_was() -> None:
    buckets = Buckets(Spec("auth", 2, 60_000))
    buckets.check("a", NOW)
    buckets.refund("a")
    buckets.refund("a")
    assert [buckets.take("a", NOW) for _ in range(3)] == [0, 0, 30_000]


def test_without_a_spec_nothing_is_limited_or_remembered() -> None:
    buckets = Buckets(None)
    for _ in range(1000):
        buckets.check("a", NOW)
        buckets.check_only("a", NOW)
    buckets.refund("a")
    assert len(buckets) == 0
    assert buckets.peek("a", NOW) == 0


def test_memory_is_bounded_and_full_buckets_leave() -> None:
    buckets = Buckets(Spec("auth", 1, 1000), max_keys=100)
    for number in range(10_000):
        buckets.take(str(number), NOW)
    assert len(buckets) == 100
    assert buckets.peek("9999", NOW) == 1000
    for number in range(60):
        buckets.take(f"later {number}", NOW + 5000)
    assert len(buckets) <= 60


def test_a_key_that_is_refused_stays_remembered_under_a_flood_of_others() -> None:
    buckets = Buckets(Spec("auth", 1, 60_000), max_keys=10)
    buckets.take("attacker", NOW)
    for number in range(100):
        assert buckets.take("attacker", NOW) > 0
        buckets.take(str(number), NOW)


def test_a_clock_that_steps_back_locks_nobody_out() -> None:
    bucket = Bucket(SPEC)
    for _ in range(20):
        bucket.take(NOW)
    assert bucket.take(NOW - 3_600_000) == 1500


@pytest.mark.parametrize(("limit", "window", "burst"), [(0, 1000, 0), (1, 0, 0), (1, 1, -1)])
def test_senseless_limits_are_refused(limit: int, window: int, burst: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Spec("send", limit, window, burst)


def test_a_table_needs_room() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Buckets(SPEC, max_keys=0)


@given(st.lists(st.integers(0, 3000), max_size=200))
def test_never_more_than_was_there_plus_what_came_back(pauses: list[int]) -> None:
    bucket, now, taken = Bucket(Spec("send", 5, 10_000)), NOW, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now) == 0
        assert taken <= 5 + (now - NOW) / 2000


@given(st.integers(1, 50), st.integers(1, 100_000), st.integers(0, 60))
def test_after_the_time_that_was_said_it_works(limit: int, window: int, burst: int) -> None:
    bucket, now = Bucket(Spec("send", limit, window, burst)), NOW
    while not (wait := bucket.take(now)):
        pass
    assert bucket.take(now + wait) == 0


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_the_key_of_an_address(address: str, key: str) -> None:
    assert address_key(address) == key


@pytest.mark.parametrize(
    ("address", "label"),
    [
        ("203.0.113.9", "203.0.*"),
        ("2001:db8:1:2::3", "2001:db8:*"),
        ("127.0.0.1", "this machine"),
        ("::1", "this machine"),
        ("unix", "local"),
    ],
)
def test_the_label_of_an_address_is_coarse(address: str, label: str) -> None:
    assert address_label(address) == label
