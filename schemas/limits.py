"""The limits of the wire, in one place (PROTOCOL.md sections 1 and 15): sizes, counts and default times.

Owns the numbers that the codec enforces, `hello` announces and the browser's constants repeat. Refuses to
know rates and settings: an operator may lower these, never raise what protects the parser.
"""

from __future__ import annotations

from typing import Final

FRAME: Final = 8 * 1024
"""Bytes of an ordinary inbound frame."""
FRAME_LARGE: Final = 64 * 1024
"""Bytes of `auth` and `rtc.*` frames; beyond it the WebSocket layer closes with 1009."""
BODY: Final = 64 * 1024
"""Bytes of a REST body and of the commands door."""
BODY_BULK: Final = 1024 * 1024
"""Bytes of a bulk command's body at the door."""
DEPTH: Final = 32
"""Nested arrays and objects in one JSON text, the outermost included."""
IN_FLIGHT: Final = 64
CHANNELS: Final = 100
TEXT: Final = 500
"""Code points of a message, by default."""
HISTORY: Final = 200
"""Events of one `history` reply, at most."""
BAD_FRAMES: Final = 5
"""Bad frames within `BAD_FRAMES_WINDOW_MS` that are still only answered; one more closes with 4501."""
BAD_FRAMES_WINDOW_MS: Final = 60_000
AUTH_MS: Final = 10_000
PING_MS: Final = 25_000
PONG_MS: Final = 8_000
MAX_ID: Final = 2**53 - 1
SUBPROTOCOL: Final = "cascade.v1.json"
VERSION: Final = 1
