"""A channel's policy: its defaults, and what an owner may write into it."""

from typing import Any

import pytest

from chatcore.room.policy import DEFAULTS, checked, effective, text_max
from tests.unit.room.world import refused


def test_the_defaults_hold_where_nothing_was_changed() -> None:
    assert effective({}) == DEFAULTS
    assert effective({"guests": False}) == {**DEFAULTS, "guests": False}
    assert (text_max({}), text_max({"textMax": 40})) == (500, 40)


def test_the_defaults_pass_their_own_check() -> None:
    assert checked(dict(DEFAULTS)) == DEFAULTS


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonsense": 1}, "unknown_member"),
        ({"guests": 1}, "wrong_type"),
        ({"guests": "true"}, "wrong_type"),
        ({"guests": None}, "wrong_type"),
        ({"textMax": True}, "wrong_type"),
        ({"textMax": "40"}, "wrong_type"),
        ({"textMax": 40.0}, "wrong_type"),
        ({"textMax": 0}, "out_of_range"),
        ({"textMax": 501}, "out_of_range"),
        ({"holdSeconds": 9}, "out_of_range"),
        ({"holdSeconds": 86_401}, "out_of_range"),
        ({"explain": "some"}, "unknown_value"),
        ({"holdExpiry": "perhaps"}, "unknown_value"),
        ({"hint": []}, "wrong_type"),
        ({"retentionDays": 365}, "wrong_type"),
        ({"guests": True, "banHides": "no"}, "wrong_type"),
    ],
)
def test_what_an_owner_may_not_write(changes: dict[str, Any], reason: str) -> None:
    refusal = refused(lambda: checked(changes))
    assert (refusal.code, refusal.d) == ("bad_request", {"reason": reason})
    assert refusal.field == f"policy.{list(changes)[-1]}"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"textMax": 1},
        {"textMax": 500},
        {"holdSeconds": 10, "holdExpiry": "allow"},
        {"explain": "full", "banHides": True, "guestsVote": True, "anonymousRead": False},
    ],
)
def test_what_an_owner_may_write(changes: dict[str, Any]) -> None:
    assert checked(changes) == changes
