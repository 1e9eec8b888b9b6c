"""WebSocket frames as bytes (RFC 6455, section 5): masks what a client says, walks what a server said.

Pure. Owns framing in both directions; refuses to know sockets, JSON and the protocol above.
"""

from __future__ import annotations

from collections.abc import Iterator

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def client_frame(payload: bytes, mask: bytes = b"\x01\x02\x03\x04", opcode: int = TEXT) -> bytes:
    """One final masked frame. The masking is one XOR of two large integers, not a loop over bytes."""
    size = len(payload)
    first = 0x80 | opcode
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    """`payload` XOR the repeated four bytes of `mask`; doing it twice gives the payload again."""
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


def server_frames(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Walks the whole unmasked frames at the beginning of `data`: (opcode, start, end of its payload).

    Stops before a frame that is not whole yet. Raises ValueError for a masked frame, for reserved bits and
    for a fragment: this server sends none, so each would be a fault worth a loud end of the run.
    """
    at, size = 0, len(data)
    while size - at >= 2:
        first, short = data[at], data[at + 1]
        if first & 0xF0 != 0x80 or short & 0x80:
            raise ValueError(f"no plain server frame: {data[at : at + 2].hex()}")
        if short < 126:
            start, length = at + 2, short
        elif short == 126:
            if size - at < 4:
                return
            start, length = at + 4, (data[at + 2] << 8) | data[at + 3]
        else:
            if size - at < 10:
                return
            start, length = at + 10, int.from_bytes(data[at + 2 : at + 10], "big")
        end = start + length
        if end > size:
            return
        yield first & 0x0F, start, end
        at = end
