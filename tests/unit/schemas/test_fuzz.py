"""Whatever arrives, the codec gives a command or a BadFrame with a row of the table; nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.catalog import BY_NAME, CATALOG
from schemas.codec import BadFrame
from schemas.codes import ERRORS
from schemas.envelope import Command
from schemas.errors import Refused
from schemas.resources import ChannelPatch, Signup, TokenCreate, UserPatch

NAMES = sorted(BY_NAME)
MEMBERS = sorted({f for spec in CATALOG for f in spec.request.__struct_encode_fields__})
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**18, max_value=10**400),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["u_1", "@bob", "m_1", "room", "allow", "\ud800", "x" * 600]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    max_leaves=12,
)
frames = st.fixed_dictionaries(
    {},
    optional={
        "id": st.integers(min_value=1, max_value=2**53 - 1) | scalars,
        "t": st.sampled_from(NAMES) | scalars,
        "ch": st.sampled_from(["c_1", "@lobby"]) | scalars,
        "d": st.dictionaries(st.sampled_from(MEMBERS), values, max_size=6) | values,
    },
)


def outcome(data: bytes) -> Command | BadFrame:
    try:
        return codec.decode_command(data)
    except BadFrame as bad:
        return bad


def check(data: bytes) -> None:
    result = outcome(data)
    if isinstance(result, BadFrame):
        assert result.refused.code in ERRORS
        answer = json.loads(codec.encode_reply_error(result.re, result.refused))
        assert answer["re"] == result.re
        assert isinstance(answer["err"]["d"], dict)
        return
    assert type(result.d) is BY_NAME[result.t].request
    codec.encode_payload(result.d)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    check(data)


@given(st.text(max_size=200))
def test_any_text(data: str) -> None:
    check(data.encode("utf-8", "surrogatepass"))


@given(frames)
@settings(max_examples=400)
def test_any_json_of_the_right_outline(frame: dict[str, Any]) -> None:
    check(json.dumps(frame).encode())


@given(frames, st.integers(min_value=0), st.integers(min_value=0, max_value=255))
def test_one_byte_changed(frame: dict[str, Any], at: int, byte: int) -> None:
    data = bytearray(json.dumps(frame, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    data[at % len(data)] = byte
    check(bytes(data))


@given(st.sampled_from(NAMES), values | st.binary(max_size=100))
def test_any_body_at_the_door_and_in_rest(t: str, body: object) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    for decode in (
        lambda: codec.decode_door(t, data),
        lambda: codec.decode_payload(t, data),
        lambda: codec.decode_body(Signup, data),
        lambda: codec.decode_body(ChannelPatch, data),
        lambda: codec.decode_body(UserPatch, data),
        lambda: codec.decode_body(TokenCreate, data),
    ):
        assert status_of(decode) in {200, 400, 413}


def status_of(decode: Callable[[], object]) -> int:
    try:
        codec.encode_payload(decode())
    except Refused as refused:
        codec.error_body(refused)
        return refused.status
    return 200


@pytest.mark.parametrize("spec", CATALOG, ids=lambda spec: spec.t)
def test_every_command_has_a_minimal_answer_to_an_empty_d(spec: Any) -> None:
    result = outcome(json.dumps({"id": 5, "t": spec.t, "ch": "c_1"}).encode())
    if isinstance(result, BadFrame):
        assert (result.re, result.refused.code) == (5, "bad_request")
        assert result.refused.field is not None
        assert result.refused.field.startswith("d.")
    else:
        assert result.t == spec.t
