"""The judge is judged: the strict client must notice what breaks the protocol, and accept the protocol's examples.

A scripted fake server says things; nothing here touches a real one.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.support.client import Client
from tests.support.frames import JSON, Positions, check_frame
from tests.support.tables import check_error

GOOD: tuple[str, ...] = (
    '{"re":17,"ok":true,"d":{"outcome":"published","mid":"m_8","pos":["k9",91827]}}',
    '{"re":17,"ok":false,"err":{"code":"slow_mode","n":2104,"message":"Slow mode.","retry":"after","afterMs":12000,'
    '"d":{"nextSendAt":1790000012000}}}',
    '{"t":"presence.count","ch":"c_1","d":{"viewers":41,"chatters":12}}',
    '{"re":null,"ok":false,"err":{"code":"bad_frame","n":1101,"message":"No object.","retry":"fix","d":{}}}',
    '{"t":"skip","ch":"c_1","s":"room","pos":["k9",500],"ts":1790000000000,"d":{"from":301}}',
    '{"t":"head","ch":"c_1","s":"room","d":{"pos":["k9",91830]}}',
    '{"t":"bye","d":{"close":4003,"code":null,"reason":"too slow","retry":"reconnect","afterMs":500}}',
    '{"t":"notify","s":"me","pos":["k9",9],"ts":1790000000823,"d":{"kind":"mention","ch":"c_1","mid":"m_8"}}',
)
BAD: tuple[str, ...] = (
    "[]",
    '{"re":1,"ok":true}',
    '{"re":1,"ok":true,"d":{},"err":{}}',
    '{"re":"1","ok":true,"d":{}}',
    '{"re":1,"ok":false,"err":{"code":"oops","n":1,"message":"x","retry":"fix","d":{}}}',
    '{"re":1,"ok":false,"err":{"code":"empty","n":2115,"message":"x","retry":"fix","d":{}}}',
    '{"re":1,"ok":false,"err":{"code":"empty","n":2116,"message":"x","retry":"fix"}}',
    '{"re":1,"ok":false,"err":{"code":"empty","n":2116,"message":"x","retry":"fix","afterMs":5,"d":{}}}',
    '{"t":"msg.new","ch":"c_1","d":{}}',
    '{"t":"msg.new","ch":"c_1","s":"room","pos":["k9",1],"d":{"mid":"m_1","user":null,"text":"x"}}',
    '{"t":"msg.new","ch":"c_1","s":"room","pos":["k9",1],"ts":1,"d":{"mid":"m_1","user":null,"gone":{},"text":"x"}}',
    '{"t":"head","ch":"c_1","s":"room","pos":["k9",1],"ts":1,"d":{"pos":["k9",1]}}',
    '{"t":"notify","s":"me","ch":"c_1","pos":["k9",9],"ts":1,"d":{}}',
    '{"t":"bye","d":{"close":4501,"reason":"x","retry":"reconnect"}}',
)


@pytest.mark.parametrize("text", GOOD)
def test_the_examples_of_the_protocol_pass(text: str) -> None:
    check_frame(json.loads(text))


@pytest.mark.parametrize("text", BAD)
def test_what_breaks_the_envelopes_is_noticed(text: str) -> None:
    with pytest.raises(AssertionError):
        check_frame(json.loads(text))


def test_bad_request_must_name_its_field() -> None:
    err: JSON = {"code": "bad_request", "n": 1106, "message": "x", "retry": "fix", "d": {"reason": "type"}}
    with pytest.raises(AssertionError):
        check_error(err)
    check_error({**err, "field": "d.text"})


def event(n: int, t: str = "x", **d: Any) -> JSON:
    """A durable room event at `n`."""
    return {"t": t, "ch": "c_1", "s": "room", "pos": ["k", n], "ts": 1, "d": d}


@pytest.mark.parametrize("ns", [(6, 8), (6, 6), (7,), (5,), (6, 7, 6)])
def test_holes_doubles_and_steps_back_are_noticed(ns: tuple[int, ...]) -> None:
    positions = Positions()
    positions.note_reply({"t": "room.join", "ch": "c_1"}, {"ch": "c_1", "pos": ["k", 5]})
    with pytest.raises(AssertionError):
        any(positions.note_event(event(n)) for n in ns)


def test_a_skip_covers_its_run() -> None:
    positions = Positions()
    positions.note_reply({"t": "room.join", "ch": "c_1"}, {"ch": "c_1", "pos": ["k", 5]})
    positions.note_event(event(9, "skip", **{"from": 6}))
    positions.note_event(event(10))
    with pytest.raises(AssertionError):
        positions.note_event(event(14, "skip", **{"from": 12}))


def test_events_of_a_stream_never_opened_are_noticed() -> None:
    with pytest.raises(AssertionError):
        Positions().note_event(event(1))


@pytest.mark.parametrize(
    "frames",
    [
        ['{"re":5,"ok":true,"d":{}}'],
        ['{"t":"bye","d":{"close":4000,"reason":"x","retry":"reconnect"}}', '{"t":"pong.late","d":{}}'],
        ["nonsense"],
    ],
)
async def test_the_client_raises_what_it_noticed(frames: list[str]) -> None:
    async def script(socket: ServerConnection) -> None:
        for frame in frames:
            await socket.send(frame)
        await socket.wait_closed()

    async with scripted(script) as url:
        with pytest.raises(AssertionError):
            await seen_to_end(url)


async def test_a_bye_that_disagrees_with_the_close_is_noticed() -> None:
    async def script(socket: ServerConnection) -> None:
        await socket.send('{"t":"bye","d":{"close":4003,"reason":"x","retry":"reconnect"}}')
        await socket.close(4001)

    async with scripted(script) as url:
        with pytest.raises(AssertionError, match="bye"):
            await seen_to_end(url)


async def seen_to_end(url: str) -> None:
    """Connect and take in all that comes until the end."""
    client = await Client.connect(url)
    await client.closed(deadline=2)


@asynccontextmanager
async def scripted(script: Callable[[ServerConnection], Awaitable[None]]) -> AsyncGenerator[str]:
    """A server that says hello and then follows the script; its URL."""

    async def handler(socket: ServerConnection) -> None:
        await socket.send('{"t":"hello","d":{"v":1}}')
        await script(socket)

    async with serve(handler, "127.0.0.1", 0) as server:
        port: int = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}"
