"""The kind of a row is the `t` that its reader gets."""

from typing import Any

import msgspec
import pytest

from chatcore.log.port import Row
from chatcore.room.encode import encode_entry
from chatcore.room.events import Entry, Message, Said, Stored, StreamKey
from chatcore.session.reading import kind_of
from tests.unit.room.shown import PEOPLE, ROOM, SHOWN
from tests.unit.room.world import NOW, Room, joins


@pytest.mark.parametrize(("event", "stream"), [(event, stream) for event, stream, *_ in SHOWN], ids=str)
def test_the_kind_of_a_row_is_what_its_reader_sees(event: Stored, stream: StreamKey) -> None:
    assert kind_of(Row(Entry(stream, 1, NOW, event))) == told(Entry(stream, 1, NOW, event))


def test_a_message_is_of_its_kind_whether_it_stands_or_not() -> None:
    for gone in (None, "staff"):
        message = Message("m_1", 1, "u_ann", NOW, "hi", gone=gone)
        entry = Entry(ROOM, 1, NOW, Said("m_1", "u_ann", 0), message)
        assert kind_of(Row(entry)) == told(entry) == "msg.new"


def told(entry: Entry) -> str:
    found: dict[str, Any] = msgspec.json.decode(encode_entry(joins(Room().state, PEOPLE), entry))
    return found["t"]
