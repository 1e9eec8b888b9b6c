"""The opening handshake, and what an application may answer to it."""

import logging

import pytest

from chatcore.fanout.frames import TEXT, frame_text
from tests.contract.wire.rig import REQUEST, running, until
from web.http_protocol import PatientHttp


async def test_the_scope_is_what_asgi_says() -> None:
    async with running() as rig:
        request = REQUEST.replace(b"/ws", b"/w%20s?a=%C3%BC").replace(
            b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: a, cascade.v1.json\r\nX-Two:  spaced \r\n\r\n"
        )
        client = await rig.connect(request=request)
        assert (await client.head()).startswith(b"HTTP/1.1 101 ")
        scope = rig.scopes[0]
        assert scope["type"] == "websocket"
        assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/w s", b"/w%20s", b"a=%C3%BC")
        assert scope["subprotocols"] == ["a", "cascade.v1.json"]
        assert (b"x-two", b"spaced") in scope["headers"]
        assert scope["client"][0] == scope["server"][0] == "127.0.0.1"
        assert scope["scheme"] == "ws"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (REQUEST.replace(b"Version: 13", b"Version: 12"), b"426"),
        (REQUEST.replace(b"Sec-WebSocket-Version: 13\r\n", b""), b"426"),
        (REQUEST.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"short"), b"400"),
        (REQUEST.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"!!!!"), b"400"),
        (REQUEST.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"), b"400"),
        (REQUEST.replace(b"GET", b"POST"), b"400"),
        (REQUEST.replace(b"/ws", b"/closed"), b"403"),
    ],
)
async def test_a_handshake_that_is_refused(request_: bytes, status: bytes) -> None:
    async with running() as rig:
        client = await rig.connect(request=request_)
        head = await client.head()
        assert head.split()[1] == status
        assert b"connection: close" in head
        await until(lambda: not rig.server.server_state.connections)
        assert rig.sinks == []


async def test_an_application_may_refuse_with_an_answer_of_its_own() -> None:
    async with running() as rig:
        client = await rig.connect(request=REQUEST.replace(b"/ws", b"/denied"))
        head = await client.head()
        assert head.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
        assert b"content-type: application/json" in head
        assert b"content-length: 9" in head
        assert await client.rest() == b'{"why":1}'


async def test_an_application_that_fails_is_answered_for(caplog: pytest.LogCaptureFixture) -> None:
    async with running() as rig:
        with caplog.at_level(logging.CRITICAL, logger="web.ws_upgrade"):
            client = await rig.connect(request=REQUEST.replace(b"/ws", b"/broken"))
            assert (await client.head()).startswith(b"HTTP/1.1 500 ")


async def test_an_application_that_waits_hears_that_the_peer_has_left() -> None:
    async with running() as rig:
        client = await rig.connect(request=REQUEST.replace(b"/ws", b"/waiting"))
        await until(lambda: rig.server.server_state.tasks)
        client.vanish()
        await until(lambda: rig.disconnects == [1006])
        await until(lambda: not rig.server.server_state.connections)


async def test_a_client_that_cannot_wait_is_cut_when_it_has_sent_too_much() -> None:
    async with running(max_message=1000) as rig:
        client = await rig.connect(request=REQUEST.replace(b"/ws", b"/waiting"))
        await until(lambda: rig.server.server_state.tasks)
        await client.send(b"x" * 2000)
        await until(lambda: rig.disconnects == [1006])


async def test_a_stop_in_the_middle_of_a_handshake_is_answered() -> None:
    async with running() as rig:
        client = await rig.connect(request=REQUEST.replace(b"/ws", b"/waiting"))
        await until(lambda: rig.server.server_state.tasks)
        rig.server.should_exit = True
        assert (await client.head()).startswith(b"HTTP/1.1 503 ")


async def test_a_request_that_does_not_come_to_its_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientHttp, "head_s", 0.1)
    async with running() as rig:
        silent = await rig.connect(request=b"")
        halting = await rig.connect(request=REQUEST[:50])
        upgraded = await rig.open()
        assert await silent.ended()
        assert await halting.ended()
        sink = await rig.sink()
        sink.wire.write(frame_text(b"still here"))
        assert await upgraded.frame() == (TEXT, b"still here")


async def test_a_kept_alive_connection_has_the_same_patience_with_its_next_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PatientHttp, "head_s", 0.1)
    async with running() as rig:
        client = await rig.connect(request=b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")
        await client.send(b"GET /hello HT")
        assert await client.rest() == b"hello"
