"""What the codec takes, what it refuses, and what it tells the sender of a bad frame."""

import json
import time
from typing import Any

import pytest

from schemas import codec, limits
from schemas.catalog import CATALOG
from schemas.codec import BadFrame
from schemas.commands import History, MsgSend
from schemas.errors import Refused
from schemas.resources import ChannelPatch, ChannelQuery, ChatSend, Login, changes


def frame(d: object = None, *, t: str = "msg.send", ch: object = "c_1", **more: object) -> bytes:
    whole: dict[str, object] = {"id": 7, "t": t, "ch": ch, "d": {"text": "hi"} if d is None else d, **more}
    return json.dumps(whole).encode()


def refusal(data: bytes) -> BadFrame:
    with pytest.raises(BadFrame) as caught:
        codec.decode_command(data)
    return caught.value


def test_good_frame() -> None:
    command = codec.decode_command(frame({"text": "hi", "replyTo": "m_1", "later": 1}, extra=True))
    assert (command.id, command.t, command.ch) == (7, "msg.send", "c_1")
    assert command.d == MsgSend(text="hi", reply_to="m_1")


def test_members_may_come_in_any_order_and_null_is_absent() -> None:
    command = codec.decode_command(b'{"d":{"before":null},"t":"history","id":1,"ch":null}')
    assert (command.ch, command.d) == (None, History())


def test_missing_d_is_empty_where_all_is_optional() -> None:
    assert codec.decode_command(b'{"id":1,"t":"history"}').d == History()


def test_pong_has_no_id() -> None:
    assert codec.decode_command(b'{"t":"pong"}').id == 0
    assert codec.decode_command(b'{"t":"pong","id":"whatever"}').id == 0


@pytest.mark.parametrize(
    ("data", "code", "counts"),
    [
        (b"", "bad_frame", True),
        (b"hello", "bad_frame", True),
        (b"[]", "bad_frame", True),
        (b"null", "bad_frame", True),
        (b'"text"', "bad_frame", True),
        (b'{"id":1,"t":"pong"} {}', "bad_frame", True),
        (b'{"id":1,"t":"msg.send","ch":"c"', "bad_frame", True),
        (b'{"id":1,"t":"history","d":NaN}', "bad_frame", True),
        (b"[" * 5000, "bad_frame", True),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "bad_frame", True),
        (b'{"id":1,"t":"' + b"x" * limits.FRAME_LARGE + b'"}', "too_large", True),
        (b"{}", "bad_id", False),
        (b'{"id":0,"t":"history"}', "bad_id", False),
        (b'{"id":-1,"t":"history"}', "bad_id", False),
        (b'{"id":9007199254740992,"t":"history"}', "bad_id", False),
        (b'{"id":' + b"9" * 5000 + b',"t":"history"}', "bad_id", False),
        (b'{"id":1.5,"t":"history"}', "bad_id", False),
        (b'{"id":true,"t":"history"}', "bad_id", False),
        (b'{"id":"1","t":"history"}', "bad_id", False),
        (b'{"id":null,"t":"history"}', "bad_id", False),
    ],
)
def test_frame_without_an_id_is_answered_with_null(data: bytes, code: str, counts: bool) -> None:
    bad = refusal(data)
    assert (bad.refused.code, bad.re, bad.counts) == (code, None, counts)


@pytest.mark.parametrize(
    ("data", "code", "field", "reason"),
    [
        (b'{"id":7}', "bad_request", "t", "missing"),
        (b'{"id":7,"t":"nope"}', "unknown_command", "t", None),
        (b'{"id":7,"t":["msg.send"]}', "unknown_command", "t", None),
        (b'{"id":7,"t":"rtc.offer"}', "unknown_command", "t", None),
        (b'{"id":7,"t":"msg.send","ch":"c_1"}', "bad_request", "d.text", "missing"),
        (b'{"id":7,"t":"msg.send","d":{"text":"x"}}', "bad_request", "ch", "missing"),
        (b'{"id":7,"t":"mod.delete","ch":"c_1"}', "bad_request", "d.mids", "ambiguous"),
        (frame(ch=5), "bad_request", "ch", "wrong_type"),
        (frame(ch=""), "bad_request", "ch", "too_short"),
        (frame(ch="c" * 65), "bad_request", "ch", "too_long"),
        (frame([]), "bad_request", "d", "wrong_type"),
        (frame({"text": 5}), "bad_request", "d.text", "wrong_type"),
        (frame({"text": None}), "bad_request", "d.text", "wrong_type"),
        (frame({"text": "x", "idem": ""}), "bad_request", "d.idem", "too_short"),
        (frame({"text": "x", "idem": "y" * 65}), "bad_request", "d.idem", "too_long"),
        (frame({"text": "x", "idem": "é"}), "bad_request", "d.idem", "bad_format"),
        (frame({"text": "x", "idem": "a\n"}), "bad_request", "d.idem", "bad_format"),
        (frame({"text": "x", "idem": "a b"}), "bad_request", "d.idem", "bad_format"),
        (frame({"text": "\ud800"}), "bad_request", "d", "bad_text"),
        (frame({"text": "a\udc00b"}), "bad_request", "d", "bad_text"),
        (frame({"limit": 0}, t="history"), "bad_request", "d.limit", "out_of_range"),
        (frame({"limit": 201}, t="history"), "bad_request", "d.limit", "out_of_range"),
        (frame({"before": 10**40}, t="history"), "bad_request", "d.before", "out_of_range"),
        (frame({"before": 1, "after": 1}, t="history"), "bad_request", "d.before", "ambiguous"),
        (frame({"s": "other"}, t="history"), "bad_request", "d.s", "unknown_value"),
        (frame({"pos": ["k"]}, t="room.join"), "bad_request", "d.pos", "wrong_length"),
        (frame({"pos": ["k", -1]}, t="room.join"), "bad_request", "d.pos[1]", "out_of_range"),
        (frame({"mids": []}, t="mod.delete"), "bad_request", "d.mids", "too_short"),
        (frame({"mids": ["m"] * 201}, t="mod.delete"), "bad_request", "d.mids", "too_long"),
        (frame({"mids": ["m"], "user": "u"}, t="mod.delete"), "bad_request", "d.mids", "ambiguous"),
        (frame({"user": "u"}, t="mod.delete"), "bad_request", "d.seconds", "missing"),
        (frame({"token": "a", "guest": {"name": "b"}}, t="auth"), "bad_request", "d.guest", "ambiguous"),
        (
            frame({"resume": [{"s": "mod", "pos": ["k", 1]}]}, t="auth"),
            "bad_request",
            "d.resume[0].ch",
            "missing",
        ),
        (frame({"mid": "m"}, t="react"), "bad_request", "d.key", "missing"),
    ],
)
def test_bad_member_is_named(data: bytes, code: str, field: str, reason: str | None) -> None:
    bad = refusal(data)
    assert (bad.refused.code, bad.re, bad.counts) == (code, 7, False)
    assert bad.refused.field == field
    assert bad.refused.d == ({} if reason is None else {"reason": reason})
    assert bad.refused.message.endswith((".", ";"))


def test_what_is_not_utf8_is_refused_wherever_it_stands() -> None:
    for data in (
        b'{"id":7,"t":"msg.send","ch":"c","d":{"text":"\xff"}}',
        b'{"id":7,"t":"history","x":"\xed\xa0\x80"}',
    ):
        bad = refusal(data)
        assert (bad.refused.code, bad.re, bad.counts) == ("bad_frame", 7, True)
        assert "UTF-8" in bad.refused.message


def test_frame_limit_is_8_kib_and_64_for_auth() -> None:
    room = limits.FRAME - len(frame({"text": ""}))
    assert codec.decode_command(frame({"text": "x" * room})).d.text == "x" * room
    bad = refusal(frame({"text": "x" * (room + 1)}))
    assert (bad.refused.code, bad.re, bad.counts) == ("too_large", 7, True)
    assert bad.refused.d == {"max": limits.FRAME, "have": limits.FRAME + 1}
    assert codec.decode_command(frame({"x": "y" * 50_000}, t="auth")).t == "auth"
    bad = refusal(frame({"x": "y" * limits.FRAME_LARGE}, t="auth"))
    assert (bad.refused.code, bad.re) == ("too_large", None)


def test_own_limit_may_be_lower() -> None:
    with pytest.raises(BadFrame) as caught:
        codec.decode_command(frame(), limit=20)
    assert caught.value.refused.d["max"] == 20


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_depth_of_32_is_the_limit(opening: str) -> None:
    closing = "]" if opening == "[" else "}"

    def nested(depth: int) -> bytes:
        return f'{{"id":1,"t":"history","x":{opening * depth}1{closing * depth}}}'.encode()

    assert codec.decode_command(nested(31)).id == 1
    assert refusal(nested(32)).refused.message.startswith("Nested too deep")


def test_brackets_in_texts_are_not_depth() -> None:
    text = "[{" * 300 + '"\\' + "[" * 100
    assert codec.decode_command(frame({"text": text})).d.text == text
    assert codec.decode_command(frame({"text": "x"}, many=json.loads("[" + "{}," * 200 + "{}]"))).id == 7


@pytest.mark.parametrize(
    "data",
    [
        b'"' + b'\\"' * 500_000,
        b'"\\' * 500_000,
        b"[]" * 500_000,
        b"[" * 1_000_000,
        b"[[]" * 300_000,
        b"]" * 1_000_000,
        b'{"' * 500_000,
    ],
    ids=["open string", "escapes", "flat", "deep", "mixed", "closing", "keys"],
)
def test_measuring_depth_is_linear(data: bytes) -> None:
    started = time.perf_counter()
    codec.too_deep(data)
    assert time.perf_counter() - started < 1.5


def test_a_great_integer_does_not_stall() -> None:
    started = time.perf_counter()
    refusal(b'{"id":7,"t":"history","d":{"before":' + b"9" * 8000 + b"}}")
    assert time.perf_counter() - started < 0.5


# -- the door and REST -------------------------------------------------------------------------------------


def refused(run: Any, *args: Any, **kw: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        run(*args, **kw)
    return caught.value


def test_door_serves_all_but_what_is_bound_to_a_connection() -> None:
    shut = {spec.t for spec in CATALOG if not spec.door}
    assert shut == {"auth", "pong", "room.join", "room.leave"}
    for t in (*shut, "nope", "x" * 1000):
        assert refused(codec.decode_door, t, b"{}").code == "unknown_command"


def test_door_body() -> None:
    command = codec.decode_door("history", b"")
    assert (command.id, command.t, command.ch, command.d) == (0, "history", None, History())
    assert refused(codec.decode_door, "msg.send", b'{"ch":"c","d":{}}').field == "d.text"
    assert refused(codec.decode_door, "msg.send", b'{"d":{"text":"x"}}').field == "ch"
    assert refused(codec.decode_door, "msg.send", b"[]").code == "bad_frame"
    assert (
        refused(codec.decode_door, "msg.send", b'{"ch":"c","d":{"text":"\\ud800"}}').d["reason"] == "bad_text"
    )
    assert refused(codec.decode_door, "msg.send", b'{"ch":"c","d":{"text":"\xff"}}').code == "bad_frame"


def test_door_missing_d_names_what_is_missing_in_it() -> None:
    answer = refused(codec.decode_door, "msg.send", b'{"ch":"c"}')
    assert (answer.field, answer.d) == ("d.text", {"reason": "missing"})


def test_door_takes_bulk_only_where_it_is_meant() -> None:
    body = json.dumps({"d": {"rules": [{"pattern": "x" * 80_000}]}}).encode()
    assert len(codec.decode_door("rule.putMany", body).d.rules) == 1
    answer = refused(codec.decode_door, "rule.put", body)
    assert (answer.code, answer.status) == ("too_large", 413)


def test_payload_alone() -> None:
    assert codec.decode_payload("msg.send", b'{"text":"x"}') == MsgSend(text="x")
    assert refused(codec.decode_payload, "msg.send", b"{}").field == "text"
    assert refused(codec.decode_payload, "nope", b"{}").code == "unknown_command"


def test_patch_refuses_what_it_does_not_know() -> None:
    patch = codec.decode_body(ChannelPatch, b'{"title":"x","policy":{"retentionDays":{"messages":null}}}')
    assert changes(patch) == {"title": "x", "policy": {"retention_days": {"messages": None}}}
    answer = refused(codec.decode_body, ChannelPatch, b'{"policy":{"nope":1}}')
    assert (answer.field, answer.d) == ("policy.nope", {"reason": "unknown_member"})


def test_bodies_name_the_member() -> None:
    assert refused(codec.decode_body, ChatSend, b"{}").field == "text"
    assert refused(codec.decode_body, ChatSend, b'{"text":"a","content":"b"}').field == "content"
    assert codec.decode_body(ChatSend, b'{"content":"b"}').command() == MsgSend(text="b")
    assert refused(codec.decode_body, Login, b'{"password":"x"}').field == "email"
    assert refused(codec.decode_body, Login, b"nonsense").code == "bad_frame"
    assert refused(codec.decode_body, Login, b"[" * 50_000).code == "bad_frame"
    assert refused(codec.decode_body, Login, b'{"password":"' + b"x" * 70_000 + b'"}').code == "too_large"


def test_query_strings() -> None:
    query = codec.convert_query(ChannelQuery, {"live": "true", "limit": "5", "else": "x"})
    assert (query.live, query.limit, query.q) == (True, 5, None)
    assert refused(codec.convert_query, ChannelQuery, {"limit": "many"}).field == "limit"
    assert refused(codec.convert_query, ChannelQuery, {"limit": "0"}).d == {"reason": "out_of_range"}
