"""What a sink's bytes become, and how a connection ends, whatever the peer does."""

import asyncio
import socket
import sys
import time

import pytest

from chatcore.fanout.frames import CLOSE, TEXT, frame_text
from tests.contract.wire.rig import NotingSink, masked, running, until

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="SIOCOUTQ is a word of Linux")
MESSAGE = frame_text(b"x" * 10_000)


def fill(sink: NotingSink) -> int:
    """Write until the kernel takes no more; answers how many messages."""
    count = 1
    while sink.wire.write(MESSAGE):
        count += 1
        assert count < 10_000
    return count


async def test_a_reader_who_stops_is_told_of_and_gets_all_in_order_when_it_reads_on() -> None:
    async with running() as rig:
        client = await rig.open(receive_buffer=4096)
        sink = await rig.sink()
        count = fill(sink)
        assert sink.wire.buffered() > 0
        assert sink.drains == 0
        for _ in range(count):
            assert await client.frame() == (TEXT, b"x" * 10_000)
        await until(lambda: sink.drains == 1)
        assert sink.wire.buffered() == 0
        assert sink.wire.write(frame_text(b"after"))
        assert await client.frame() == (TEXT, b"after")


async def test_small_writes_do_not_wait_for_each_other() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()

        def answer(data: bytes) -> None:
            sink.wire.write(frame_text(b"one"))
            sink.wire.write(frame_text(b"two"))

        sink.on_text = answer
        # With Nagle's algorithm the second write would wait for the client's delayed acknowledgement, 40 ms.
        began = time.monotonic()
        for _ in range(100):
            await client.send(masked(TEXT, b"?"))
            assert await client.frame() == (TEXT, b"one")
            assert await client.frame() == (TEXT, b"two")
        assert time.monotonic() - began < 2.5


async def test_the_send_buffer_is_bounded() -> None:
    async with running(send_buffer=32 * 1024) as rig:
        await rig.open(receive_buffer=4096)
        sink = await rig.sink()
        assert fill(sink) * len(MESSAGE) < 200_000


@linux_only
async def test_the_kernels_share_of_what_is_unread_is_known() -> None:
    async with running() as rig:
        client = await rig.open(receive_buffer=4096)
        sink = await rig.sink()
        assert sink.wire.kernel_queued() == 0
        sink.wire.write(frame_text(b"x" * 30_000))
        await until(lambda: sink.wire.kernel_queued() > 0)
        assert await client.frame() == (TEXT, b"x" * 30_000)
        await until(lambda: sink.wire.kernel_queued() == 0)
        client.close()
        await until(lambda: bool(sink.codes))
        assert sink.wire.kernel_queued() == 0


async def test_a_close_during_a_flush_comes_after_the_last_whole_frame() -> None:
    async with running() as rig:
        client = await rig.open(receive_buffer=4096)
        sink = await rig.sink()
        count = fill(sink)
        sink.wire.write(frame_text(b"bye"))
        sink.wire.close(4003, "too slow")
        sink.wire.write(frame_text(b"too late"))
        for _ in range(count):
            assert await client.frame() == (TEXT, b"x" * 10_000)
        assert await client.frame() == (TEXT, b"bye")
        assert await client.frame() == (CLOSE, (4003).to_bytes(2, "big") + b"too slow")
        await client.send(masked(CLOSE, (4003).to_bytes(2, "big")))
        assert await client.ended()
        await until(lambda: sink.codes == [4003])
        assert sink.drains == 0


async def test_a_stuck_reader_is_gone_after_the_bound() -> None:
    async with running() as rig:
        client = await rig.open(receive_buffer=4096)
        sink = await rig.sink()
        fill(sink)
        began = time.monotonic()
        sink.wire.close(4003, "too slow")
        await until(lambda: sink.codes == [4003])
        assert 1.5 < time.monotonic() - began < 2.6
        assert not rig.server.server_state.connections
        client.close()


async def test_a_reader_who_never_answers_the_close_is_gone_after_the_bound() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        sink.wire.close(4001, "draining")
        assert await client.frame() == (CLOSE, (4001).to_bytes(2, "big") + b"draining")
        await client.send(masked(TEXT, b"not delivered"))
        assert await client.ended()
        await until(lambda: sink.codes == [4001])
        assert sink.texts == []


async def test_the_end_of_a_close_does_not_wait_when_the_peer_answers() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        began = time.monotonic()
        sink.wire.close(4006, "session ended")
        assert await client.frame() is not None
        await client.send(masked(CLOSE, (4006).to_bytes(2, "big")))
        assert await client.ended()
        await until(lambda: sink.codes == [4006])
        assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(
    ("payload", "code"), [(b"", 1005), (b"\x03\xe8bye", 1000), (b"\x03\xe9", 1001), (b"\x0f\xa0", 4000)]
)
async def test_a_client_that_closes_is_answered(payload: bytes, code: int) -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        await client.send(masked(CLOSE, payload))
        assert await client.frame() == (CLOSE, payload[:2])
        assert await client.ended()
        await until(lambda: sink.codes == [code])


@pytest.mark.parametrize("payload", [b"\x03", b"\x00\x01", b"\x03\xed", b"\xff\xff"])
async def test_a_close_that_no_client_may_send_is_answered_with_1002(payload: bytes) -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        await client.send(masked(CLOSE, payload))
        frame = await client.frame()
        assert frame is not None
        assert frame[1][:2] == b"\x03\xea"
        client.close()
        await until(lambda: sink.codes == [1002])


async def test_a_client_that_closes_and_does_not_read_is_gone_after_the_bound() -> None:
    async with running() as rig:
        client = await rig.open(receive_buffer=4096)
        sink = await rig.sink()
        fill(sink)
        await client.send(masked(CLOSE, b"\x03\xe8"))
        await until(lambda: sink.codes == [1000], 4.0)
        client.close()


async def test_a_client_that_half_closes_and_does_not_read_is_gone_after_the_bound() -> None:
    async with running() as rig:
        client = await rig.open(receive_buffer=4096)
        sink = await rig.sink()
        fill(sink)
        client.sock.shutdown(socket.SHUT_WR)
        await until(lambda: sink.codes == [1006], 4.0)
        client.close()


async def test_a_client_that_vanishes_is_lost_once_and_writes_to_it_do_nothing() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        client.vanish()
        await until(lambda: sink.codes == [1006])
        for _ in range(10):
            assert sink.wire.write(MESSAGE)
        sink.wire.close(4000)
        sink.wire.pause()
        sink.wire.resume()
        sink.wire.abort()
        await asyncio.sleep(0)
        assert sink.codes == [1006]


async def test_abort_ends_at_once_also_in_the_middle_of_a_message() -> None:
    async with running() as rig:
        client = await rig.open(receive_buffer=4096)
        sink = await rig.sink()
        fill(sink)
        await client.send(masked(TEXT, b"whole")[:4])
        sink.wire.abort()
        await until(lambda: sink.codes == [1006], 1.0)
        client.close()


async def test_a_client_that_pings_and_does_not_read_piles_nothing_up() -> None:
    async with running() as rig:
        client = await rig.open(receive_buffer=4096)
        sink = await rig.sink()
        fill(sink)
        waiting = sink.wire.buffered()
        await client.send(masked(0x9, b"y" * 125) * 1000)
        await until(lambda: sink.reads > 0)
        assert sink.wire.buffered() <= waiting
        client.close()


async def test_a_sink_that_closes_inside_a_message_hears_nothing_more() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        sink.on_text = lambda data: sink.wire.close(4501, "malformed")
        await client.send(masked(TEXT, b"one") + masked(TEXT, b"two") + masked(CLOSE, b"\x11\x95"))
        frame = await client.frame()
        assert frame is not None
        assert frame[0] == CLOSE
        assert await client.ended()
        await until(lambda: sink.codes == [4501])
        assert sink.texts == [b"one"]
