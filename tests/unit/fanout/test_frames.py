"""Frames out and in, against the `websockets` library as the other end."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from chatcore.fanout.frames import BINARY, CLOSE, PING, PONG, TEXT, frame_close, frame_pong, frame_text
from chatcore.fanout.inbound import Inbound, Message, Violation

LIMIT = 65536


def read_as_client(data: bytes) -> Frame:
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=False)
    try:
        next(parsing)
    except StopIteration as done:
        assert not reader.buffer
        return done.value
    raise AssertionError("the frame is not whole")


def client_frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    return Frame(Opcode(opcode), payload, fin).serialize(mask=True)


def messages(inbound: Inbound, *reads: bytes) -> list[Message]:
    found: list[Message] = []
    for data in reads:
        inbound.feed(data)
        while (message := inbound.next()) is not None:
            found.append(message)
    return found


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_a_text_frame_is_read_by_a_client_at_every_length_form(size: int) -> None:
    frame = read_as_client(frame_text(b"x" * size))
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, b"x" * size)


def test_a_close_frame_carries_code_and_reason() -> None:
    close = Close.parse(read_as_client(frame_close(4003, "too slow")).data)
    assert (close.code, close.reason) == (4003, "too slow")


def test_a_long_reason_is_cut_between_characters() -> None:
    frame = read_as_client(frame_close(4000, "ä" * 100))
    assert len(frame.data) <= 125
    assert Close.parse(frame.data).reason == "ä" * 61


def test_a_pong_repeats_its_ping() -> None:
    assert read_as_client(frame_pong(b"abc")) == Frame(Opcode.PONG, b"abc")


plain = st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=300))
control = st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125))


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Message], bytes]:
    """What a client says, and the bytes of it: fragments, control frames in between."""
    said: list[Message] = []
    wire = b""
    for opcode, payload in draw(st.lists(plain | control, max_size=8)):
        if opcode in (TEXT, BINARY) and draw(st.booleans()):
            cut = draw(st.integers(0, len(payload)))
            between = draw(st.none() | control)
            wire += client_frame(opcode, payload[:cut], fin=False)
            if between is not None:
                said.append(between)
                wire += client_frame(*between)
            wire += client_frame(0, payload[cut:])
        else:
            wire += client_frame(opcode, payload)
        said.append((opcode, payload))
    return said, wire


@settings(deadline=None)
@given(conversations(), st.randoms(use_true_random=False))
def test_any_conversation_comes_out_as_it_was_said_however_it_is_cut(
    conversation: tuple[list[Message], bytes], dice: random.Random
) -> None:
    said, wire = conversation
    reads: list[bytes] = []
    at = 0
    while at < len(wire):
        step = dice.choice([1, 1, 2, 3, 7, 100, 1000])
        reads.append(wire[at : at + step])
        at += step
    assert messages(Inbound(LIMIT), *reads) == said


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_give_messages_or_a_violation_and_nothing_else(data: bytes) -> None:
    inbound = Inbound(200)
    found: list[Message] = []
    broken: Violation | None = None
    try:
        for at in range(0, len(data), 9):
            found += messages(inbound, data[at : at + 9])
    except Violation as violation:
        broken = violation
    assert all(len(payload) <= 200 for _, payload in found)
    assert broken is None or broken.code in {1002, 1009}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x01x", 1002),  # not masked
        (b"\xc1\x81\0\0\0\0x", 1002),  # RSV1, no extension
        (b"\x83\x81\0\0\0\0x", 1002),  # reserved opcode
        (b"\x8b\x81\0\0\0\0x", 1002),  # reserved control opcode
        (b"\x80\x81\0\0\0\0x", 1002),  # continuation of nothing
        (b"\x01\x81\0\0\0\0x\x81\x81\0\0\0\0x", 1002),  # a new message inside another
        (b"\x09\x80\0\0\0\0", 1002),  # control frame in fragments
        (b"\x89\xfe\x00\x7e", 1002),  # control frame too long
        (b"\x81\xff\x00\x00\x00\x00\x00\x01\x00\x01\0\0\0\0", 1009),  # one byte too many
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1009),  # 2^64 - 1
    ],
)
def test_what_breaks_the_framing_names_its_close_code(data: bytes, code: int) -> None:
    with pytest.raises(Violation) as broken:
        messages(Inbound(LIMIT), data)
    assert broken.value.code == code


def test_the_limit_counts_all_fragments_of_a_message_and_is_inclusive() -> None:
    inbound = Inbound(10)
    assert messages(inbound, client_frame(TEXT, b"x" * 10)) == [(TEXT, b"x" * 10)]
    with pytest.raises(Violation) as broken:
        messages(inbound, client_frame(TEXT, b"x" * 6, fin=False), client_frame(0, b"x" * 5))
    assert broken.value.code == 1009


def test_many_empty_fragments_hold_no_memory() -> None:
    inbound = Inbound(LIMIT)
    empty = client_frame(0, b"", fin=False)
    reads = [client_frame(TEXT, b"a", fin=False), *([empty] * 10_000), client_frame(0, b"b")]
    assert messages(inbound, *reads) == [(TEXT, b"ab")]


def test_messages_before_a_violation_are_delivered() -> None:
    inbound = Inbound(LIMIT)
    inbound.feed(client_frame(TEXT, b"a") + client_frame(CLOSE, b"\x03\xe8") + b"\x81\x01x")
    assert inbound.next() == (TEXT, b"a")
    assert inbound.next() == (CLOSE, b"\x03\xe8")
    with pytest.raises(Violation):
        inbound.next()


def library_frame(reader: StreamReader, room: int) -> Frame | int | None:
    """The library's next frame, the code of its violation, or None at the end."""
    try:
        next(Frame.parse(reader.read_exact, mask=True, max_size=max(room, 125)))
    except StopIteration as done:
        return done.value
    except PayloadTooBig:
        return 1009
    except ProtocolError:
        return 1002
    except EOFError:
        return None
    raise AssertionError("the reader has ended, so the parser cannot wait")


def reference(data: bytes, limit: int) -> tuple[list[Message], int]:
    """The same by the library's frame parser and the plainest assembly; answers also the violation, or 0."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    found: list[Message] = []
    kind, parts = 0, b""
    while True:
        room = limit - len(parts)
        frame = library_frame(reader, room)
        if frame is None or isinstance(frame, int):
            return found, frame or 0
        if frame.opcode >= CLOSE:
            found.append((int(frame.opcode), bytes(frame.data)))
            continue
        if (frame.opcode == Opcode.CONT) != bool(kind):
            return found, 1002
        if len(frame.data) > room:
            return found, 1009
        kind, parts = kind or int(frame.opcode), parts + bytes(frame.data)
        if frame.fin:
            found.append((kind, parts))
            kind, parts = 0, b""


@settings(max_examples=500, deadline=None)
@given(conversations(), st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 255)), max_size=3))
def test_damaged_conversations_end_as_by_the_library(
    conversation: tuple[list[Message], bytes], damage: list[tuple[int, int]]
) -> None:
    wire = bytearray(conversation[1])
    for at, flip in damage:
        if at < len(wire):
            wire[at] ^= flip
    wanted, code = reference(bytes(wire), 400)
    inbound = Inbound(400)
    found: list[Message] = []
    ended = 0
    inbound.feed(bytes(wire))
    try:
        while (message := inbound.next()) is not None:
            found.append(message)
    except Violation as violation:
        ended = violation.code
    assert found == wanted
    # This one refuses a frame by its header, the library once it is whole: so it may see a fault in a frame
    # that has not come yet, and never the other way round.
    assert ended or not code
