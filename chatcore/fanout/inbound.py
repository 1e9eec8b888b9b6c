"""WebSocket frames that a client sends: bytes in, whole messages out. No socket, no clock.

Owns: RFC 6455 framing of one connection's inbound half: masks, fragments, control frames, the size limit.
Refuses to know: what a message means. Text is handed on as raw bytes; whether it is UTF-8 is the codec's
question, because the answer to that (an error reply, protocol section 1) is the protocol's and not a close.
"""

from typing import Final

from chatcore.fanout.frames import BINARY, CLOSE, PONG

_CONTINUATION: Final = 0x0
_CONTROL_LIMIT: Final = 125

PROTOCOL_ERROR: Final = 1002
TOO_BIG: Final = 1009

Message = tuple[int, bytes]
"""(opcode, payload): TEXT and BINARY are whole messages, PING, PONG and CLOSE come as they are."""


class Violation(Exception):
    """The client broke the framing. `code` is the close code that says so (1002 or 1009)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Inbound:
    """The reading half of one connection. `feed` bytes, then call `next` until it gives None.

    An idle connection holds no buffer. At most `max_size` bytes of one message, and what one `feed`
    brought, are held at any time.
    """

    __slots__ = ("_at", "_buffer", "_kind", "_max_size", "_need", "_parts", "_size")

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._buffer: bytes | bytearray = b""
        self._at = 0
        self._need = 2
        self._kind = 0
        self._size = 0
        self._parts: list[bytes] | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes as they came from the network."""
        if len(self._buffer) == self._at:
            self._buffer, self._at = data, 0
        elif isinstance(self._buffer, bytearray):
            self._buffer += data
        else:
            # Growing in place: a message that trickles in byte by byte must not be copied each time.
            self._buffer = bytearray(self._buffer)
            self._buffer += data

    def next(self) -> Message | None:
        """The next whole message, or None when more bytes are needed.

        Raises Violation; after that the connection is to be closed and this object not used again.
        """
        while True:
            frame = self._frame()
            if frame is None:
                return None
            opcode, fin, payload = frame
            if opcode >= CLOSE:
                return opcode, payload
            whole = self._assemble(opcode, fin, payload)
            if whole is not None:
                return whole

    def _frame(self) -> tuple[int, bool, bytes] | None:
        buffer, at = self._buffer, self._at
        have = len(buffer) - at
        if have < self._need:
            return self._wait(self._need)
        first, second = buffer[at], buffer[at + 1]
        self._check(first, second)
        length = second & 0x7F
        start = 6
        if length >= 126:
            start = 8 if length == 126 else 14
            if have < start:
                return self._wait(start)
            length = int.from_bytes(buffer[at + 2 : at + start - 4], "big")
        if length + self._size > self._max_size and first & 0x0F < CLOSE:
            raise Violation(TOO_BIG, f"a message has at most {self._max_size} bytes")
        if have < start + length:
            return self._wait(start + length)
        start += at
        payload = _unmask(buffer[start : start + length], buffer[start - 4 : start])
        self._at, self._need = start + length, 2
        return first & 0x0F, first >= 0x80, payload

    def _wait(self, need: int) -> None:
        """Hold only what is not used yet: an idle connection keeps no bytes, a slow one not its past."""
        self._need = need
        if self._at:
            self._buffer = self._buffer[self._at :]
            self._at = 0

    def _check(self, first: int, second: int) -> None:
        if first & 0x70:
            raise Violation(PROTOCOL_ERROR, "reserved bits must be 0")
        if second < 0x80:
            raise Violation(PROTOCOL_ERROR, "a client must mask its frames")
        opcode = first & 0x0F
        if opcode >= CLOSE:
            if opcode > PONG:
                raise Violation(PROTOCOL_ERROR, "unknown opcode")
            if first < 0x80 or second & 0x7F > _CONTROL_LIMIT:
                raise Violation(PROTOCOL_ERROR, "a control frame is whole and has at most 125 bytes")
        elif opcode > BINARY:
            raise Violation(PROTOCOL_ERROR, "unknown opcode")
        elif (opcode == _CONTINUATION) != (self._parts is not None):
            raise Violation(PROTOCOL_ERROR, "fragments out of order")

    def _assemble(self, opcode: int, fin: bool, payload: bytes) -> Message | None:
        if self._parts is None:
            if fin:
                return opcode, payload
            self._kind, self._parts, self._size = opcode, [payload], len(payload)
            return None
        self._parts.append(payload)
        self._size += len(payload)
        if not fin:
            self._compact()
            return None
        whole = b"".join(self._parts)
        self._parts, self._size = None, 0
        return self._kind, whole

    def _compact(self) -> None:
        # Thousands of empty fragments must not grow a list without bound: they count no bytes.
        if self._parts is not None and len(self._parts) >= 64:
            self._parts = [b"".join(self._parts)]


def _unmask(data: bytes | bytearray, key: bytes | bytearray) -> bytes:
    """XOR by whole integers: 0.5 us for a chat message, linear for 64 KiB, and no extension module."""
    size = len(data)
    mask = int.from_bytes((bytes(key) * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(data, "little") ^ mask).to_bytes(size, "little")
