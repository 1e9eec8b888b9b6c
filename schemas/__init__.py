"""The contract: every shape, code and limit that client and server share.

Owns the words of the wire (protocol version 1) and of REST, the one table of errors, the one table of
commands, and the codec between bytes and types. Refuses to know rooms, databases, sockets and frameworks:
it imports nothing of ours, reads no clock and does no I/O (`generate.py`, a developer's tool, aside).
"""

from pathlib import Path
from typing import Final

PROTOCOL_PATH: Final = Path(__file__).with_name("PROTOCOL.md")
"""The normative text."""
GENERATED_PATH: Final = Path(__file__).with_name("generated")
"""Where OpenAPI, AsyncAPI and the browser's constants lie."""
