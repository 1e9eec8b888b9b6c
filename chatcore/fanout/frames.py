"""WebSocket frames that a server sends: header bytes and nothing else.

Owns: the wire form of an unmasked, uncompressed frame (RFC 6455 section 5.2).
Refuses to know: what the payload means, who gets it, and any socket.

A frame made here is valid on every connection, also where an extension was negotiated (RSV1 = 0),
so one object serves all readers of a room.
"""

from struct import pack

TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8
PING = 0x9
PONG = 0xA

_REASON_LIMIT = 123
"""Bytes that a close frame has for the reason: control frames end at 125, the code takes two."""


def frame_text(payload: bytes) -> bytes:
    """One unfragmented text frame around UTF-8 `payload`."""
    return _frame(TEXT, payload)


def frame_close(code: int, reason: str = "") -> bytes:
    """A close frame; `reason` is cut to what a control frame can hold, never inside a character."""
    words = reason.encode()
    if len(words) > _REASON_LIMIT:
        words = words[:_REASON_LIMIT].decode(errors="ignore").encode()
    return _frame(CLOSE, pack("!H", code) + words)


def frame_pong(payload: bytes) -> bytes:
    """The answer to a protocol-level ping; `payload` is that of the ping (at most 125 bytes)."""
    return _frame(PONG, payload)


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return pack("!BB", 0x80 | opcode, size) + payload
    if size < 65536:
        return pack("!BBH", 0x80 | opcode, 126, size) + payload
    return pack("!BBQ", 0x80 | opcode, 127, size) + payload
