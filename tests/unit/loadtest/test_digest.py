"""Chunks: what they mean, and that a remembered chunk means the same as a fresh one."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loadtest import stamps
from loadtest.digest import Control, Notice, Reader, Run
from tests.unit.loadtest.test_frames import server_frame


def message(n: int, stamp: int = 5, channel: str = "c_1") -> dict[str, Any]:
    d = {"mid": f"m_{n}", "text": stamps.stamped(stamp, 40)}
    return {"t": "msg.new", "ch": channel, "s": "room", "pos": ["k", n], "ts": 1, "d": d}


def chunk(*bodies: dict[str, Any]) -> bytes:
    return b"".join(server_frame(json.dumps(body).encode()) for body in bodies)


def test_neighbouring_messages_are_one_run() -> None:
    (run,) = Reader().read(chunk(message(4, 10), message(5, 11), message(6, 12))).items
    assert run == Run(("c_1", "room"), 4, 6, (10, 11, 12), ((4, "m_4"), (5, "m_5"), (6, "m_6")))


def test_a_gap_a_repeat_and_another_room_begin_a_new_run() -> None:
    runs = Reader().read(chunk(message(4), message(6), message(6), message(7, channel="c_2"))).items
    assert [(run.stream[0], run.first, run.last) for run in runs if isinstance(run, Run)] == [
        ("c_1", 4, 4),
        ("c_1", 6, 6),
        ("c_1", 6, 6),
        ("c_2", 7, 7),
    ]


def test_a_skip_is_a_run_of_all_that_it_stands_for() -> None:
    skip = {"t": "skip", "ch": "c_1", "s": "room", "pos": ["k", 500], "ts": 1, "d": {"from": 301}}
    (run,) = Reader().read(chunk(skip)).items
    assert run == Run(("c_1", "room"), 301, 500, (), ())


def test_what_has_no_position_is_a_notice_and_control_frames_stay_themselves() -> None:
    data = chunk({"t": "head", "ch": "c_1", "d": {}}, message(1)) + server_frame(b"hi", 9)
    notice, run, control = Reader().read(data).items
    assert notice == Notice({"t": "head", "ch": "c_1", "d": {}})
    assert isinstance(run, Run)
    assert control == Control(9, b"hi")


def test_a_half_frame_is_left_for_the_next_chunk() -> None:
    whole = chunk(message(1))
    digest = Reader().read(whole + chunk(message(2))[:-1])
    assert digest.consumed == len(whole)
    assert len(digest.items) == 1


@given(st.lists(st.integers(min_value=1, max_value=6), min_size=1, max_size=30))
def test_a_remembered_chunk_means_the_same_as_a_fresh_one(order: list[int]) -> None:
    chunks = {n: chunk(*(message(k, stamp=k) for k in range(1, n + 1))) for n in range(1, 7)}
    reader = Reader()
    for n in order:
        assert reader.read(chunks[n]).items == Reader().read(chunks[n]).items
    assert reader.misses == len(set(order))
    assert reader.hits == len(order) - len(set(order))


def test_chunks_alike_at_both_ends_are_not_mistaken() -> None:
    reader = Reader()
    first, second = chunk(message(1), message(2, 7), message(3)), chunk(message(1), message(2, 8), message(3))
    assert len(first) == len(second)
    assert reader.read(first).items != reader.read(second).items
