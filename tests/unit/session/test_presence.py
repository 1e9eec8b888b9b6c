"""Who is here: connections, the grace of a reload, counts and deltas (protocol 5)."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chatcore.session.presence import CHATTER_MS, DELTA_MOST, GRACE_MS, Delta, Presence

NOW = 1_790_000_000_000


def test_people_count_once_and_anonymous_readers_by_connection() -> None:
    presence = Presence()
    for user in ("u_ann", "u_ann", "g_gus", None, None, None):
        presence.enter(user, NOW)
    assert presence.counts(NOW) == (5, 0)
    presence.leave("u_ann", NOW)
    presence.leave(None, NOW)
    assert presence.counts(NOW) == (4, 0)
    presence.leave("u_ann", NOW)
    assert presence.counts(NOW) == (3, 0)


def test_somebody_is_here_since_his_first_connection() -> None:
    presence = Presence()
    presence.enter("u_ann", NOW)
    presence.enter("u_ann", NOW + 50)
    presence.leave("u_ann", NOW + 60)
    assert presence.people["u_ann"] == (NOW, 1)


def test_who_was_never_here_does_not_leave() -> None:
    presence = Presence()
    presence.leave("u_ann", NOW)
    assert presence.counts(NOW) == (0, 0)
    assert presence.delta(NOW + GRACE_MS) is None


def test_coming_is_told_once() -> None:
    presence = Presence()
    presence.enter("u_ann", NOW)
    presence.enter("u_bob", NOW)
    assert presence.delta(NOW) == Delta(["u_ann", "u_bob"], [])
    presence.enter("u_ann", NOW)
    assert presence.delta(NOW) is None


def test_leaving_is_told_15_seconds_after_the_last_connection() -> None:
    presence = Presence()
    presence.enter("u_ann", NOW)
    presence.delta(NOW)
    presence.leave("u_ann", NOW)
    assert presence.delta(NOW + GRACE_MS - 1) is None
    assert not presence.ages(NOW + GRACE_MS - 1)
    assert presence.ages(NOW + GRACE_MS)
    assert presence.delta(NOW + GRACE_MS) == Delta([], ["u_ann"])
    assert presence.delta(NOW + GRACE_MS) is None
    assert not presence.ages(NOW + GRACE_MS)


def test_a_reload_is_no_coming_and_going() -> None:
    presence = Presence()
    presence.enter("u_ann", NOW)
    presence.delta(NOW)
    presence.leave("u_ann", NOW)
    presence.enter("u_ann", NOW + GRACE_MS - 1)
    assert presence.delta(NOW + 10 * GRACE_MS) is None
    presence.leave("u_ann", NOW + 20 * GRACE_MS)
    assert presence.delta(NOW + 21 * GRACE_MS - 1) is None
    assert presence.delta(NOW + 21 * GRACE_MS) == Delta([], ["u_ann"])


def test_who_came_and_went_between_two_looks_was_never_told_of() -> None:
    presence = Presence()
    presence.enter("u_ann", NOW)
    presence.leave("u_ann", NOW)
    assert presence.delta(NOW + GRACE_MS) is None


def test_there_are_no_deltas_in_large_rooms_and_all_are_new_when_it_is_small_again() -> None:
    presence = Presence()
    for n in range(DELTA_MOST):
        presence.enter(f"u_{n}", NOW)
    assert presence.delta(NOW) is not None
    presence.enter("u_more", NOW)
    assert presence.delta(NOW) is None
    presence.leave("u_0", NOW)
    found = presence.delta(NOW + 1)
    assert found is not None
    assert (len(found.came), found.left) == (DELTA_MOST, [])


def test_chatters_are_the_authors_of_the_last_five_minutes() -> None:
    presence = Presence()
    presence.spoke("u_ann", NOW)
    presence.spoke("u_bob", NOW + 10)
    presence.spoke("u_ann", NOW + 20)
    assert presence.counts(NOW + CHATTER_MS + 9) == (0, 2)
    assert presence.ages(NOW + CHATTER_MS + 10)
    assert presence.counts(NOW + CHATTER_MS + 10) == (0, 1)
    assert presence.counts(NOW + CHATTER_MS + 19) == (0, 1)
    assert presence.counts(NOW + CHATTER_MS + 20) == (0, 0)
    assert not presence.ages(NOW + CHATTER_MS + 20)


def test_what_changes_counts_is_marked() -> None:
    presence = Presence()
    marked: list[bool] = []
    for change in (
        lambda: presence.enter(None, NOW),
        lambda: presence.leave(None, NOW),
        lambda: presence.enter("u_ann", NOW),
        lambda: presence.spoke("u_ann", NOW),
        lambda: presence.leave("u_ann", NOW),
    ):
        presence.dirty = False
        change()
        marked.append(presence.dirty)
    assert all(marked)


@given(
    st.lists(st.tuples(st.sampled_from(["u_a", "u_b", "u_c", None]), st.booleans(), st.integers(0, 20_000)))
)
def test_deltas_add_up_to_who_is_here(steps: list[tuple[str | None, bool, int]]) -> None:
    """Whoever follows the deltas knows who is here, but for those who left less than the grace ago."""
    presence, here, told = Presence(), Counter[str | None](), set[str]()
    now = NOW

    def hear() -> None:
        found = presence.delta(now)
        if found is not None:
            assert not told.intersection(found.came)
            assert told.issuperset(found.left)
            told.update(found.came)
            told.difference_update(found.left)

    for user, comes, pause in steps:
        now += pause
        if comes:
            presence.enter(user, now)
            here[user] += 1
        elif here[user]:
            presence.leave(user, now)
            here[user] -= 1
        hear()
        people = {one for one, count in here.items() if count and one is not None}
        assert people <= told
        assert presence.counts(now) == (len(people) + here[None], 0)
    now += GRACE_MS
    hear()
    assert told == {one for one, count in here.items() if count and one is not None}
