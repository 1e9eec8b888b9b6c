"""Connections that say nothing, or too slowly, are closed; those that ask are served, however often."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from web.http_protocol import PatientHttp

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


class Hasty(PatientHttp):
    """The same with a patience that a test can wait for."""

    head_s = 0.3


async def hello(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Reads the whole body, then answers."""
    while (await receive()).get("more_body"):
        continue
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


@asynccontextmanager
async def connected() -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server with little patience."""
    app: Any = hello
    config = uvicorn.Config(app, http=Hasty, lifespan="off", log_config=None, timeout_keep_alive=5)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Hasty(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()


async def closed(reader: asyncio.StreamReader) -> bool:
    """Whether the server closes within a second."""
    try:
        return await asyncio.wait_for(reader.read(100), 1.0) == b""
    except TimeoutError:
        return False


async def answer(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"hi"), 5.0)


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with connected() as (reader, _):
        assert await closed(reader)


async def test_half_a_head_is_closed() -> None:
    async with connected() as (reader, writer):
        writer.write(HEAD)
        assert await closed(reader)


async def test_half_a_head_after_a_good_request_is_closed() -> None:
    async with connected() as (reader, writer):
        writer.write(HEAD + b"\r\n")
        assert b"200" in await answer(reader)
        writer.write(HEAD)
        assert await closed(reader)


async def test_a_whole_head_has_all_the_time_it_needs_for_its_body() -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        assert not await closed(reader)
        writer.write(b"cd")
        assert b"200" in await answer(reader)


async def test_many_requests_in_one_write_are_all_served() -> None:
    async with connected() as (reader, writer):
        writer.write((HEAD + b"\r\n") * 5)
        for _ in range(5):
            assert b"200" in await answer(reader)
