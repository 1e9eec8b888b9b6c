"""A room as it lives on a node: what a newcomer is shown and what those who are in it get."""

import msgspec
import pytest

from chatcore.room.drafts import Actor
from chatcore.room.events import Entry, Gone, Message, Said
from chatcore.room.state import Grant, Mode, Sanction
from chatcore.session.live_room import RECENT, LiveRoom
from schemas import commands as c
from schemas.roles import caps_of
from tests.unit.room.world import BY_ROLE, CH, NOW, OWNER, STRANGER, actor
from tests.unit.session.rooms import ROOM, Live, rows


def test_recent_has_the_newest_messages_as_their_readers_got_them() -> None:
    live = Live()
    reader = live.reader()
    for n in range(RECENT + 5):
        live.say("u_ann", f"text {n}")
    assert live.texts() == [f"text {n}" for n in range(5, RECENT + 5)]
    assert live.recent() == live.heard(reader)[5:]
    assert live.room.recent() is live.room.recent(), "made once for all newcomers"


def test_recent_has_only_messages_that_stand_and_older_ones_come_back_into_it() -> None:
    live = Live()
    mids = [live.say("u_ann", f"text {n}") for n in range(RECENT + 2)]
    live.do("u_mod", c.ModDelete(mids[-3:]))
    assert live.texts() == [f"text {n}" for n in range(RECENT - 1)]
    live.do("u_mod", c.ModeSet("slow", 5))
    live.say("u_bob", "after")
    assert live.texts()[-1] == "after"


def test_a_deletion_takes_a_text_out_of_everything_that_is_kept() -> None:
    live = Live()
    secret = live.say(STRANGER, "a secret")
    live.say("u_ann", "an answer", reply_to=secret)
    assert live.recent()[1]["d"]["reply"]["text"] == "a secret"
    live.do("u_mod", c.ModBan(STRANGER, purge_seconds=60), STRANGER, since=1)
    assert live.texts() == ["an answer"]
    assert live.recent()[0]["d"]["reply"]["text"] is None
    kept = live.room.fan.recent(0, 0)
    assert kept is not None
    assert not any(b"a secret" in frame for frame in kept)
    late = [msgspec.json.decode(frame[frame.index(b"{") :]) for frame in kept]
    assert late[0]["d"]["gone"] == {"by": "staff"}


def test_a_message_deleted_in_the_commit_that_published_it_is_never_shown() -> None:
    live = Live()
    reader = live.reader()
    world = live.world
    said = world.do(STRANGER, c.MsgSend("a secret"))
    gone = world.put(ROOM, Gone("staff", ("m_1",)))
    live.follow([*said, gone])
    assert live.recent() == []
    first, second = live.heard(reader)
    assert (first["t"], first["d"]["gone"]) == ("msg.new", {"by": "staff"})
    assert (second["t"], second["pos"]) == ("msg.gone", ["k9", 2])


def test_a_rename_shows_on_what_is_kept() -> None:
    live = Live()
    first = live.say(STRANGER, "hi")
    live.say("u_ann", "hello", reply_to=first)
    live.names.rename(STRANGER, "robert")
    live.room.renamed(STRANGER)
    mine, answer = live.recent()
    assert mine["d"]["user"]["name"] == "robert"
    assert answer["d"]["reply"]["user"]["name"] == "robert"
    live.say(STRANGER, "again")
    assert live.recent()[-1]["d"]["user"]["displayName"] == "Robert"


@pytest.mark.parametrize("texts", [False, True])
def test_an_author_who_is_forgotten_is_null(texts: bool) -> None:
    live = Live()
    live.say(STRANGER, "hi")
    live.room.forget_author(STRANGER, texts=texts)
    (found,) = live.recent()
    assert (found["d"]["user"], found["d"]["text"]) == (None, "" if texts else "hi")


def test_a_new_role_shows_from_the_next_message_on() -> None:
    live = Live()
    live.say(STRANGER, "before")
    live.do(OWNER, c.RoleGrant(STRANGER, "vip"), STRANGER)
    live.say(STRANGER, "after")
    before, after = live.recent()
    assert (before["d"]["user"]["roles"], after["d"]["user"]["roles"]) == ([], ["vip"])


def test_a_grant_that_ends_by_time_shows_when_it_was_looked_for() -> None:
    live = Live()
    live.world.state.roles[STRANGER] = Grant("vip", NOW + 1000)
    live.say(STRANGER, "before")
    assert live.room.expired_grants(NOW + 999) == []
    assert live.room.expired_grants(NOW + 1000) == [STRANGER]
    assert live.room.expired_grants(NOW + 1001) == []
    live.world.now = NOW + 1001
    live.say(STRANGER, "after")
    assert [event["d"]["user"]["roles"] for event in live.recent()] == [["vip"], []]


def test_viewers_get_the_room_and_staff_the_actions_too() -> None:
    live = Live()
    viewer, staff = live.reader("room"), live.reader("room", "mod")
    live.do("u_mod", c.ModTimeout(STRANGER, 60), STRANGER)
    assert [event["t"] for event in live.heard(viewer)] == ["user.sanctioned"]
    assert [event["t"] for event in live.heard(staff)] == ["user.sanctioned", "action"]
    assert [event["s"] for event in live.heard(staff)] == ["room", "mod"]


def test_a_room_that_is_loaded_shows_what_the_one_that_lived_through_it_shows() -> None:
    live = Live()
    reader = live.reader()
    entries: list[Entry] = []
    for n in range(RECENT + 3):
        entries += live.do("u_ann" if n % 2 else STRANGER, c.MsgSend(f"text {n}", "m_1" if n == 9 else None))
    entries += live.do("u_ann", c.MsgDelete("m_8"))
    stored = [msgspec.structs.replace(e, message=as_stored(live, e)) for e in entries]
    loaded = Live()
    state = loaded.world.state
    state.head, state.last_ts = live.world.state.head, NOW
    fresh = LiveRoom(state, loaded.hub.room("c_2"), loaded.names, "k9")
    read = rows(stored)
    fresh.prime(read[4:], NOW, read[2:4])
    assert fresh.recent() == live.room.recent()
    assert fresh.pos() == live.room.pos() == ("k9", RECENT + 4)
    assert fresh.view(NOW) == live.room.view(NOW)
    kept = fresh.fan.recent(len(entries) - 1, 0)
    assert kept is not None
    assert msgspec.json.decode(kept[0][kept[0].index(b"{") :]) == live.heard(reader)[-1]


def as_stored(live: Live, entry: Entry) -> Message | None:
    return live.world.state.messages[entry.event.mid] if isinstance(entry.event, Said) else None


@pytest.mark.parametrize("role", BY_ROLE)
def test_you_are_told_your_role_and_capabilities(role: str) -> None:
    live = Live(policy={"guestsVote": True})
    you = live.room.you(actor(BY_ROLE[role]), NOW)
    assert (you.role, set(you.caps)) == (role, caps_of(role))
    reply = live.room.snapshot(actor(BY_ROLE[role]), NOW)
    assert (reply.mod_pos == ("k9", 0)) == ("mod.read" in you.caps)
    assert reply.you == you


def test_an_anonymous_reader_may_do_nothing() -> None:
    live = Live()
    you = live.room.you(None, NOW)
    assert (you.role, you.caps, you.sanction, you.warn, you.next_send_at) == ("guest", [], None, None, None)
    assert live.room.snapshot(None, NOW).mod_pos is msgspec.UNSET


def test_you_are_told_what_stops_you_and_until_when() -> None:
    live = Live()
    state = live.world.state
    state.modes["slow"] = Mode(10, None, "staff")
    live.say(STRANGER, "hi")
    live.say("u_vip", "hi")
    state.sanctions[STRANGER] = Sanction("timeout", NOW + 5, "a_1", "why")
    you = live.room.you(actor(STRANGER), NOW)
    assert you.next_send_at == NOW + 10_000
    assert msgspec.to_builtins(you.sanction) == {
        "kind": "timeout",
        "until": NOW + 5,
        "reason": "why",
        "action": "a_1",
        "appeal": False,
    }
    later = live.room.you(actor(STRANGER), NOW + 10_000)
    assert (later.sanction, later.next_send_at) == (None, None)
    assert live.room.you(actor("u_vip"), NOW).next_send_at is None


def test_the_view_of_a_room() -> None:
    live = Live(tags=("a", "b"), category="sea", scheduled_at=NOW + 1000)
    live.world.state.modes["slow"] = Mode(10, NOW + 5, "staff")
    live.world.state.modes["readonly"] = Mode(True, NOW, "staff")
    live.room.presence.enter(None, NOW)
    live.say("u_ann", "hi")
    view = msgspec.to_builtins(live.room.view(NOW))
    assert view == {
        "title": "River",
        "category": "sea",
        "tags": ["a", "b"],
        "owner": {"id": OWNER, "name": "owner", "displayName": "Owner"},
        "modes": {"slow": {"value": 10, "until": NOW + 5}},
        "stream": {
            "state": "scheduled",
            "session": None,
            "title": "River",
            "playback": None,
            "since": NOW - 1000,
        },
        "counts": {"viewers": 1, "chatters": 1},
        "pinned": [],
        "poll": None,
    }
    assert live.room.view(NOW + 1000).stream.state == "offline"


def test_a_snapshot_is_as_of_its_position() -> None:
    live = Live()
    live.say("u_ann", "hi")
    reply = live.room.snapshot(actor("u_mod"), NOW)
    assert (reply.ch, reply.slug, reply.pos, reply.mod_pos) == (CH, "lobby", ("k9", 1), ("k9", 0))
    assert [msgspec.json.decode(event)["pos"] for event in reply.recent] == [["k9", 1]]
    assert live.room.snapshot(None, NOW, recent=False).recent == []
    state = live.room.state_reply(None, NOW)
    assert (state.ch, state.pos, state.state) == (CH, ("k9", 1), reply.state)


def test_who_is_here_staff_first_then_by_name() -> None:
    live = Live()
    for user in ("u_vip", STRANGER, "u_mod", "g_gus", OWNER, "u_ann", "u_help", "u_unknown"):
        live.room.presence.enter(user, NOW)
    found = live.room.who(NOW)
    assert [member.id for member in found] == [
        OWNER,
        "u_mod",
        "u_help",
        "u_ann",
        STRANGER,
        "g_gus",
        "u_vip",
    ]
    assert [member.roles for member in found[:4]] == [["owner"], ["moderator"], ["helper"], []]
    assert (found[5].kind, found[5].roles) == ("guest", ["guest"])


def test_who_may_read() -> None:
    banned = Sanction("ban", None, "a_1", None)
    assert Live().room.may_read(None, NOW)
    assert not Live(policy={"anonymousRead": False}).room.may_read(None, NOW)
    for hides in (False, True):
        live = Live(policy={"banHides": hides})
        live.world.state.sanctions[STRANGER] = banned
        live.world.state.sanctions["u_ann"] = banned._replace(kind="timeout")
        assert live.room.may_read(Actor(STRANGER, "user"), NOW) == (not hides)
        assert live.room.may_read(Actor("u_ann", "user"), NOW)
