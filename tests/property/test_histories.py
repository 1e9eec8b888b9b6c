"""Histories that chance seldom finds: a race in each, told step by step over the same town (town.py)."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from chatcore.room.events import StreamKey
from tests.property.ground import OWNER
from tests.property.town import Reader, Town


@pytest.fixture
def town() -> Generator[Town]:
    made = Town()
    yield made
    made.close()


def here(town: Town, user: str | None) -> Reader:
    """A reader who is in the room."""
    reader = town.reader(user)
    town.at_once(reader.connect)
    town.wait(0.1)
    assert reader.in_room
    return reader


def say(town: Town, reader: Reader, times: int = 1, reply_to: str | None = None) -> list[str]:
    """The mids of messages that were said and are in the log."""
    before = len(town.messages())
    for number in range(before, before + times):
        town.at_once(lambda n=number: reader.send(town.text(), reply_to, f"{reader.name}-{n}"))
        town.wait(0.01)
    return [message.mid for message in town.messages()[before:]]


def grant(town: Town, owner: Reader, user: str, role: str) -> None:
    """Something for the user's own stream."""
    town.at_once(lambda: owner.ask("role.grant", {"user": user, "role": role}))


def me_head(town: Town, user: str) -> int:
    return len(town.entries(StreamKey("me", user)))


def test_a_message_deleted_while_its_page_is_read_comes_as_its_place(town: Town) -> None:
    ann, bob = here(town, "u_ann"), here(town, "u_bob")
    town.at_once(bob.hang_up)
    mids = say(town, ann, 50)  # more than the ring keeps, less than a resume may ask for
    town.lags = [0.5, 0.0]  # from the last: the personal head, then the page
    town.at_once(bob.connect)
    town.wait(0.2)
    town.at_once(lambda: ann.ask("msg.delete", {"mid": mids[3]}))
    town.wait(2.0)
    assert bob.resumes > 0
    assert bob.held["room"][4] == ["msg.new", mids[3], "u_ann", None]
    assert bob.at["room"][1] == 51


def test_a_preview_goes_with_the_message_it_shows(town: Town) -> None:
    """The answer stands and is still among the recent frames; what it quotes must not be."""
    ann, bob, late = here(town, "u_ann"), here(town, "u_bob"), here(town, None)
    town.at_once(late.hang_up)
    (mid,) = say(town, ann)
    say(town, bob, reply_to=mid)
    town.at_once(lambda: ann.ask("msg.delete", {"mid": mid}))
    town.wait(0.1)
    town.at_once(late.connect)
    town.wait(0.5)
    assert late.at["room"][1] == 3
    here(town, None)


def test_a_personal_event_between_the_look_up_of_the_head_and_its_use(town: Town) -> None:
    owner, ann = here(town, OWNER), town.reader("u_ann")
    town.lags = [0.5]
    town.at_once(ann.connect)
    town.wait(0.1)
    grant(town, owner, "u_ann", "vip")
    town.wait(2.0)
    assert ann.at["me"][1] == me_head(town, "u_ann") == 1


def test_a_personal_event_while_older_ones_are_read(town: Town) -> None:
    owner, ann = here(town, OWNER), here(town, "u_ann")
    town.at_once(ann.hang_up)
    grant(town, owner, "u_ann", "vip")
    town.wait(0.1)
    town.lags = [0.5, 0.0]  # from the last: the head, then the page
    town.at_once(ann.connect)
    town.wait(0.1)
    grant(town, owner, "u_ann", "member")
    town.wait(2.0)
    assert set(ann.held["me"]) == {1, 2}
    assert ann.at["me"][1] == me_head(town, "u_ann") == 2


def test_a_commit_whose_answer_was_lost_leaves_no_hole_in_a_personal_stream(town: Town) -> None:
    """Nobody on this node was told of the first event; the second one shows that it is missing."""
    owner, ann = here(town, OWNER), here(town, "u_ann")
    town.plan = [(0.0, False), (0.0, False), (0.0, True)]  # locked, before the commit, after it
    grant(town, owner, "u_ann", "vip")
    town.wait(0.5)
    assert (ann.at["me"][1], me_head(town, "u_ann")) == (0, 1)
    grant(town, owner, "u_ann", "member")
    town.wait(0.5)
    assert set(ann.held["me"]) == {1, 2}


def test_stream_mod_goes_on_where_a_paged_room_began(town: Town) -> None:
    """Staff come back to a room that has to be paged, and something is done to `mod` meanwhile."""
    owner, ann = here(town, OWNER), here(town, "u_ann")
    town.at_once(owner.hang_up)
    town.at_once(ann.hang_up)
    other = here(town, OWNER)
    grant(town, other, "u_ann", "moderator")
    town.wait(0.1)
    say(town, other, 50)
    town.lags = [*[0.3] * 8, 0.0, 0.0]  # the look-up of the personal heads is quick
    town.at_once(ann.connect)  # resumes the room alone: he was no staff when he left
    town.at_once(owner.connect)
    town.wait(0.1)
    for _ in range(3):
        town.at_once(lambda: other.ask("mode.set", {"name": "slow", "value": 0}))
        town.wait(0.05)
    town.wait(5.0)
    for reader in (owner, ann):
        assert reader.at["mod"][1] == 4, reader.name
    assert set(ann.held["mod"]) == {2, 3, 4}
    assert set(owner.held["mod"]) == {1, 2, 3, 4}


def test_rights_that_come_and_go_while_a_room_is_paged(town: Town) -> None:
    owner, ann = here(town, OWNER), here(town, "u_ann")
    town.at_once(ann.hang_up)
    say(town, owner, 50)
    town.lags = [0.3] * 8
    town.at_once(ann.connect)
    town.wait(0.05)
    grant(town, owner, "u_ann", "moderator")
    town.wait(0.05)
    town.at_once(lambda: owner.ask("mode.set", {"name": "slow", "value": 0}))
    town.wait(5.0)
    assert ann.at["mod"][1] == 2
    town.at_once(lambda: owner.ask("role.revoke", {"user": "u_ann"}))
    town.wait(1.0)
    assert "mod" not in ann.at


def test_two_rooms_resumed_by_one_socket_that_goes(town: Town) -> None:
    """What waits for a stuck outbox ends with its socket (town.close and the loop complain of tasks left)."""
    ann, bob = here(town, "u_ann"), here(town, "u_bob")
    town.at_once(bob.hang_up)
    say(town, ann, 50)
    town.at_once(bob.connect)
    assert bob.line is not None
    bob.line.stuck = True
    town.wait(0.5)
    town.at_once(bob.hang_up)
    town.wait(0.5)
    assert not town.pending()


def test_recent_reaches_behind_a_purge_after_a_restart(town: Town) -> None:
    """The newest five hundred events were a spammer's; what stood before them is shown (check_recent compares)."""
    owner, ann, bob = here(town, OWNER), here(town, "u_ann"), here(town, "u_bob")
    kept = say(town, ann, 5)
    for _ in range(11):
        for _ in range(50):
            town.at_once(lambda: bob.send(town.text(), None, f"i{len(bob.settled) + len(bob.unsure)}"))
        town.wait(0.5)
    assert not bob.unsure
    town.at_once(lambda: owner.ask("mod.ban", {"user": "u_bob", "purgeSeconds": 3600}))
    town.wait(0.5)
    town.restart()
    late = here(town, None)
    assert [event[1] for event in late.held["room"].values()] == kept
    town.at_once(ann.connect)
    town.wait(0.5)
    town.at_once(lambda: ann.ask("msg.delete", {"mid": kept[2]}))
    town.wait(0.5)
    later = here(town, None)
    assert [event[1] for event in later.held["room"].values()] == [*kept[:2], *kept[3:]]
