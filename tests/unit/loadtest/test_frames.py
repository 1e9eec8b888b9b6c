"""Frames: masking undoes itself, and the walk over what a server said finds every whole frame and no half one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import frames


def server_frame(payload: bytes, opcode: int = frames.TEXT) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_masking_twice_gives_the_payload_again(payload: bytes, mask: bytes) -> None:
    once = frames.masked(payload, mask)
    assert once == bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    assert frames.masked(once, mask) == payload


@pytest.mark.parametrize(("size", "head"), [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)])
def test_a_client_frame_says_its_length_and_that_it_is_masked(size: int, head: int) -> None:
    payload = b"x" * size
    frame = frames.client_frame(payload, b"abcd")
    assert frame[0] == 0x81
    assert frame[1] & 0x80
    assert frame[head : head + 4] == b"abcd"
    assert frames.masked(frame[head + 4 :], b"abcd") == payload


@given(st.lists(st.binary(max_size=200), max_size=8), st.data())
def test_the_walk_finds_whole_frames_and_stops_at_a_half_one(
    payloads: list[bytes], data: st.DataObject
) -> None:
    chunk = b"".join(server_frame(payload) for payload in payloads)
    cut = data.draw(st.integers(min_value=0, max_value=len(chunk)))
    found = [chunk[start:end] for _, start, end in frames.server_frames(chunk[:cut])]
    assert found == payloads[: len(found)]
    whole = sum(len(server_frame(payload)) for payload in found)
    assert whole <= cut
    assert len(found) == len(payloads) or cut < whole + len(server_frame(payloads[len(found)]))


@pytest.mark.parametrize("size", [125, 126, 65535, 65536])
def test_the_walk_reads_all_three_forms_of_length(size: int) -> None:
    chunk = server_frame(b"y" * size) + server_frame(b"", frames.PING)
    walked = list(frames.server_frames(chunk))
    assert [opcode for opcode, _, _ in walked] == [frames.TEXT, frames.PING]
    assert walked[0][2] - walked[0][1] == size


@pytest.mark.parametrize("head", [b"\x81\x81\x00\x00\x00\x00\x00", b"\x01\x00", b"\xc1\x00"])
def test_what_a_server_must_not_send_is_loud(head: bytes) -> None:
    with pytest.raises(ValueError, match="no plain server frame"):
        list(frames.server_frames(head))
