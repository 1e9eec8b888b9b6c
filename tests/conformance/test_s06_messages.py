"""Protocol 6: what a message is: its text, idem, replies, fragments, slash commands, checking."""

from typing import Any

import pytest

from tests.conformance.world import World, numbers, texts


async def test_published_has_mid_and_pos_and_the_event_the_same(world: World) -> None:
    room, ann = world.room(), world.person("ann")
    client = await world.enter(ann, room)
    sent = await client.say(room.id, "hello")
    assert sent["mid"].startswith("m_")
    event = await client.message(sent["mid"])
    assert event["pos"] == sent["pos"]
    d = event["d"]
    assert d["text"] == "hello"
    user = d["user"]
    assert (user["id"], user["name"], user["displayName"]) == (ann.id, ann.name, ann.display_name)
    assert (user["kind"], user["roles"], user["badges"]) == ("user", [], [])
    assert "gone" not in d
    assert "sentAt" not in d


async def test_ids_of_messages_sort_by_time(world: World) -> None:
    room = world.room()
    client = await world.enter("ann", room)
    sent = [(await client.say(room.id, "x"))["mid"] for _ in range(30)]
    at = {(await client.message(mid))["ts"]: mid for mid in sent}  # one for each millisecond
    assert sorted(at) == list(at)
    assert sorted(at.values()) == list(at.values())


async def test_a_message_carries_the_roles_of_its_author(world: World) -> None:
    room, bob = world.room(), world.person("bob")
    await world.grant(room, bob, "moderator")
    client = await world.enter(bob, room)
    user = (await client.message((await client.say(room.id, "hi"))["mid"]))["d"]["user"]
    assert user["roles"] == ["moderator"]
    assert [badge["id"] for badge in user["badges"]] == ["moderator"]


# Text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("e\u0301", "\u00e9"),
        ("  hi  ", "hi"),
        ("\u2003hi\u00a0", "hi"),
        ("a  b", "a  b"),
        ("\u212b", "\u00c5"),
        ("a\u202eb\u202cc", "abc"),
        ("a\u2066b\u2069\u2067c\u2068d", "abcd"),
        ("\u202aa\u202bb\u202dc", "abc"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("a\u200bb\u00adc", "a\u200bb\u00adc"),
        ("\u0627\u200e!", "\u0627\u200e!"),
        ("ﬁ ①", "ﬁ ①"),
        ("<b>&amp;", "<b>&amp;"),
        ("\U000e0041x", "\U000e0041x"),
    ],
)
async def test_text_is_nfc_trimmed_and_without_bidi_overrides(world: World, given: str, shown: str) -> None:
    room = world.room()
    client = await world.enter("ann", room)
    assert (await client.message((await client.say(room.id, given))["mid"]))["d"]["text"] == shown


@pytest.mark.parametrize("control", ["\n", "\t", "\r", "\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9f"])
async def test_a_control_character_is_bad_request_field_d_text(world: World, control: str) -> None:
    client, room = await world.enter("ann"), world.room()
    err = await client.refused("bad_request", "msg.send", {"text": f"a{control}b"}, room.id)
    assert err["field"] == "d.text"


@pytest.mark.parametrize("text", ["", " ", "\u2003\u00a0 ", "\u202e\u202c"])
async def test_nothing_left_is_empty(world: World, text: str) -> None:
    client, room = await world.enter("ann"), world.room()
    await client.refused("empty", "msg.send", {"text": text}, room.id)


@pytest.mark.parametrize("character", ["x", "\u00e9", "\U0001f600"])
async def test_500_code_points_pass_and_501_are_too_long(world: World, character: str) -> None:
    client, room = await world.enter("ann"), world.room()
    await client.say(room.id, f"  {character * 500}  ")
    err = await client.refused("too_long", "msg.send", {"text": character * 501}, room.id)
    assert err["d"] == {"max": 500, "have": 501}


async def test_the_length_is_counted_after_nfc(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    await client.say(room.id, "e\u0301" * 500)


async def test_the_channel_may_lower_the_length(world: World) -> None:
    room = world.room(policy={"textMax": 10})
    client = await world.enter("ann")
    await client.say(room.id, "x" * 10)
    err = await client.refused("too_long", "msg.send", {"text": "x" * 11}, room.id)
    assert err["d"] == {"max": 10, "have": 11}


# Idempotency


async def test_a_repeat_with_idem_is_duplicate_and_published_once(world: World) -> None:
    room = world.room()
    client = await world.enter("ann", room)
    d = {"text": "once", "idem": "w3-17"}
    first = await client.ask("msg.send", d, room.id)
    second = await client.ask("msg.send", d, room.id)
    assert second == {"outcome": "duplicate", "mid": first["mid"], "pos": first["pos"]}
    other = await world.enter("ann")
    assert (await other.ask("msg.send", d, room.id))["outcome"] == "duplicate"
    assert texts((await client.history(room.id))["events"]) == ["once"]


async def test_idem_is_scoped_to_user_and_channel(world: World) -> None:
    one, two = world.room(), world.room()
    ann, bob = await world.enter("ann"), await world.enter("bob")
    for client, room in ((ann, one), (ann, two), (bob, one)):
        await client.say(room.id, "hi", idem="same")


async def test_idem_raced_over_several_connections_publishes_once(world: World) -> None:
    room = world.room()
    clients = [await world.enter("ann") for _ in range(4)]
    pending = [
        await client.start("msg.send", {"text": "once", "idem": "race"}, room.id)
        for _ in range(10)
        for client in clients
    ]
    replies = [(await future)["d"] for future in pending]
    assert sorted({reply["outcome"] for reply in replies}) == ["duplicate", "published"]
    assert sum(reply["outcome"] == "published" for reply in replies) == 1
    assert len({(reply["mid"], *reply["pos"]) for reply in replies}) == 1


async def test_a_refused_send_is_not_remembered(world: World) -> None:
    client, room = await world.enter("ann"), world.room()
    await client.refused("too_long", "msg.send", {"text": "x" * 501, "idem": "again"}, room.id)
    await client.say(room.id, "shorter", idem="again")


@pytest.mark.parametrize("idem", ["", "x" * 65, "a b", "\u00e9", "a\n", 5])
async def test_idem_is_1_to_64_visible_ascii_characters(world: World, idem: Any) -> None:
    client, room = await world.enter("ann"), world.room()
    err = await client.refused("bad_request", "msg.send", {"text": "hi", "idem": idem}, room.id)
    assert err["field"] == "d.idem"


@pytest.mark.parametrize("idem", ["x" * 64, "!", "~" * 3, "a:b/c"])
async def test_any_visible_ascii_is_a_good_idem(world: World, idem: str) -> None:
    client, room = await world.enter("ann"), world.room()
    await client.say(room.id, "hi", idem=idem)


# Replies


async def test_a_reply_names_its_parent_and_root(world: World) -> None:
    room = world.room()
    ann, bob = await world.enter("ann", room), await world.enter("bob", room)
    root = await ann.say(room.id, "is it live?")
    middle = await bob.say(room.id, "yes", replyTo=root["mid"])
    leaf = await ann.say(room.id, "thanks", replyTo=middle["mid"])
    first = (await ann.message(middle["mid"]))["d"]["reply"]
    assert first["mid"] == root["mid"]
    assert first["root"] == root["mid"]
    assert first["text"] == "is it live?"
    assert first["user"]["id"] == world.person("ann").id
    second = (await ann.message(leaf["mid"]))["d"]["reply"]
    assert (second["mid"], second["root"]) == (middle["mid"], root["mid"])


async def test_the_text_of_the_parent_is_at_most_80_code_points(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    parent = await ann.say(room.id, "\U0001f600" * 200)
    child = await ann.say(room.id, "long", replyTo=parent["mid"])
    assert 70 <= len((await ann.message(child["mid"]))["d"]["reply"]["text"]) <= 80


async def test_a_reply_to_what_is_not_in_this_channel_is_not_found(world: World) -> None:
    room, other = world.room(), world.room()
    ann = await world.enter("ann")
    elsewhere = await ann.say(other.id, "elsewhere")
    for mid in (elsewhere["mid"], "m_00000000000000000000000000"):
        await ann.refused("not_found", "msg.send", {"text": "hi", "replyTo": mid}, room.id)


# Fragments and flags


async def test_mentions_and_links_are_fragments_in_code_points(world: World) -> None:
    room, bob = world.room(), world.person("bob")
    ann = await world.enter("ann", room)
    await world.enter(bob, room)
    text = f"\U0001f600 @{bob.name} look https://a.example"
    d = (await ann.message((await ann.say(room.id, text))["mid"]))["d"]
    at, link = text.index("@"), text.index("https")
    assert d["frags"] == [
        {"k": "mention", "start": at, "end": at + 1 + len(bob.name), "user": bob.id},
        {"k": "link", "start": link, "end": len(text), "href": "https://a.example"},
    ]


@pytest.mark.parametrize("text", ["@nobody_at_all hi", "a@b", "@ x", "3.5 e.g. file.py", "plain", "#tag"])
async def test_what_is_no_mention_and_no_link_makes_no_fragment(world: World, text: str) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    assert not (await ann.message((await ann.say(room.id, text))["mid"]))["d"].get("frags")


@pytest.mark.parametrize("text", ["javascript:alert(1)", "data:text/html,x", "https://", "http:// x"])
async def test_no_fragment_links_to_anything_but_http(world: World, text: str) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    for frag in (await ann.message((await ann.say(room.id, text))["mid"]))["d"].get("frags", []):
        assert frag.get("href", "https://").startswith(("http://", "https://"))


async def test_the_first_message_of_a_user_in_a_channel_is_flagged_first(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    events = [await ann.message((await ann.say(room.id, text))["mid"]) for text in ("one", "two")]
    assert [event["d"].get("flags", []) for event in events] == [["first"], []]


# Slash commands and checking


async def test_an_unknown_slash_command_is_not_found_and_never_posted(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    err = await ann.refused("not_found", "msg.send", {"text": "/frobnicate now"}, room.id)
    assert err["d"]["command"] == "frobnicate"
    assert texts((await ann.history(room.id))["events"]) == []


async def test_two_slashes_post_one(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    assert (await ann.message((await ann.say(room.id, "//shrug"))["mid"]))["d"]["text"] == "/shrug"


async def test_check_says_what_a_send_would_and_sends_nothing(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann", room)
    assert (await ann.ask("msg.check", {"text": "hi"}, room.id))["outcome"] == "published"
    refused = await ann.ask("msg.check", {"text": "x" * 501}, room.id)
    assert (refused["outcome"], refused["err"]["code"]) == ("refused", "too_long")
    assert (await ann.ask("msg.check", {"text": "/frobnicate"}, room.id))["outcome"] in {"command", "refused"}
    assert (await ann.history(room.id, kinds=["msg.new"]))["events"] == []


async def test_a_refused_message_takes_no_number(world: World) -> None:
    room = world.room()
    ann = await world.enter("ann")
    first = await ann.say(room.id, "one")
    for d in ({"text": ""}, {"text": "x" * 501}, {"text": "/no"}, {"text": "a\nb"}):
        assert not (await ann.reply("msg.send", d, room.id))["ok"]
    second = await ann.say(room.id, "two")
    assert numbers([first, second]) == [first["pos"][1], first["pos"][1] + 1]
