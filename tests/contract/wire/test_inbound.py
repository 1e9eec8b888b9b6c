"""What a client's bytes become."""

import asyncio
from itertools import pairwise

import pytest

from chatcore.fanout.frames import BINARY, CLOSE, PING, PONG, TEXT
from tests.contract.wire.rig import masked, running, turns, until


async def test_the_application_returns_and_the_connection_lives_on() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        await until(lambda: not rig.server.server_state.tasks)
        await client.send(masked(TEXT, b"hello"))
        await until(lambda: sink.texts == [b"hello"])
        sink.wire.write(b"\x81\x02hi")
        assert await client.frame() == (TEXT, b"hi")
        assert sink.wire.peer == "127.0.0.1"
        client.close()
        await until(lambda: sink.codes == [1006])
        assert not rig.server.server_state.connections


async def test_frames_that_trickle_in_byte_by_byte() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        for byte in masked(TEXT, b"x" * 200):
            await client.send(bytes([byte]))
        await until(lambda: sink.texts == [b"x" * 200])
        assert sink.reads > 1


async def test_a_message_in_fragments_with_a_ping_in_between() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        await client.send(masked(TEXT, b"one ", fin=False) + masked(PING, b"?"))
        assert await client.frame() == (PONG, b"?")
        assert sink.texts == []
        await client.send(masked(0, b"two ", fin=False) + masked(0, b"three"))
        await until(lambda: sink.texts == [b"one two three"])


async def test_a_thousand_messages_in_one_piece_arrive_in_order_and_leave_the_loop_its_turns() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        turns_at: list[int] = []

        def note() -> None:
            if len(sink.texts) < 1000:
                turns_at.append(len(sink.texts))
                asyncio.get_running_loop().call_soon(note)

        def begin(data: bytes) -> None:
            if data == b"0":
                note()

        sink.on_text = begin
        await client.send(b"".join(masked(TEXT, b"%d" % n) for n in range(1000)))
        await until(lambda: len(sink.texts) == 1000)
        assert sink.texts == [b"%d" % n for n in range(1000)]
        assert max(b - a for a, b in pairwise(turns_at)) <= 64


async def test_text_that_is_not_utf8_is_the_sinks_to_judge() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        await client.send(masked(TEXT, b"\xff\xfe{"))
        await until(lambda: sink.texts == [b"\xff\xfe{"])
        await client.send(masked(TEXT, b"still here"))
        await until(lambda: sink.texts[1:] == [b"still here"])


async def test_a_binary_message_is_told_and_dropped() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        await client.send(masked(BINARY, b"\x00\x01"))
        await until(lambda: sink.binaries == 1)
        assert sink.texts == []


@pytest.mark.parametrize("pieces", [1, 2])
async def test_a_megabyte_is_answered_with_1009_that_can_be_read(pieces: int) -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        body = b"x" * (1_000_000 // pieces)
        sending = asyncio.create_task(
            client.send(
                masked(TEXT, body) if pieces == 1 else masked(TEXT, body, fin=False) + masked(0, body)
            )
        )
        frame = await client.frame()
        assert frame is not None
        assert (frame[0], frame[1][:2]) == (CLOSE, b"\x03\xf1")
        await sending
        client.close()
        await until(lambda: sink.codes == [1009])
        assert sink.texts == []


async def test_a_message_of_exactly_the_limit_passes() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        await client.send(masked(TEXT, b"x" * 65536))
        await until(lambda: sink.texts == [b"x" * 65536])


@pytest.mark.parametrize("bad", [b"\x81\x01x", b"\xc1\x81\0\0\0\0x", b"\x83\x81\0\0\0\0x"])
async def test_broken_framing_is_answered_with_1002(bad: bytes) -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        await client.send(masked(TEXT, b"before") + bad + b"and whatever comes after")
        frame = await client.frame()
        assert frame is not None
        assert (frame[0], frame[1][:2]) == (CLOSE, b"\x03\xea")
        assert await client.ended()
        client.close()
        await until(lambda: sink.codes == [1002])
        assert sink.texts == [b"before"]


async def test_a_paused_wire_delivers_and_reads_nothing_until_it_is_resumed() -> None:
    async with running() as rig:
        client = await rig.open()
        sink = await rig.sink()
        sink.on_text = lambda data: sink.wire.pause() if data == b"stop" else None
        await client.send(masked(TEXT, b"stop") + masked(TEXT, b"held"))
        await until(lambda: sink.texts == [b"stop"])
        # More than both kernels hold: the sender feels that nobody reads.
        more = masked(TEXT, b"x" * 60_000) * 200
        sending = asyncio.create_task(client.send(more))
        done, _ = await asyncio.wait((sending,), timeout=0.2)
        assert not done
        assert sink.texts == [b"stop"]
        sink.wire.resume()
        await until(lambda: len(sink.texts) == 202)
        assert sink.texts[1] == b"held"
        await sending


async def test_what_comes_before_the_application_has_accepted_is_not_lost() -> None:
    async with running() as rig:
        may_accept = asyncio.Event()

        async def wait() -> None:
            await may_accept.wait()

        rig.before_accept = wait
        client = await rig.connect()
        await until(lambda: rig.server.server_state.tasks)
        await client.send(masked(TEXT, b"early") + masked(TEXT, b"half")[:3])
        await turns()
        may_accept.set()
        assert (await client.head()).startswith(b"HTTP/1.1 101")
        sink = await rig.sink()
        await until(lambda: sink.texts == [b"early"])
        await client.send(masked(TEXT, b"half")[3:])
        await until(lambda: sink.texts == [b"early", b"half"])


async def test_who_leaves_during_the_handshake_is_lost_like_any_other() -> None:
    async with running() as rig:
        may_accept = asyncio.Event()

        async def wait() -> None:
            await may_accept.wait()

        rig.before_accept = wait
        client = await rig.connect()
        await until(lambda: rig.server.server_state.tasks)
        client.vanish()
        await turns()
        may_accept.set()
        await until(lambda: not rig.server.server_state.tasks and not rig.server.server_state.connections)
        assert all(sink.codes == [1006] for sink in rig.sinks)
