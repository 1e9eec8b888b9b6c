"""The two faces of one connection, as words: what fan-out asks of a socket, and what a socket tells.

Owns: the Protocols `Wire` and `Sink`.
Refuses to know: who implements them (the server's WebSocket protocol class, twins in tests).
"""

from typing import Final, Protocol

CLOSE_BOUND_S: Final = 2.0
"""How long a close may take, whatever the peer does or does not."""


class Wire(Protocol):
    """A connection's transport, already past its handshake. Only an Outbox writes to it.

    All calls are made on the loop's thread. After `close`, `abort` or a lost connection every call is
    still allowed and does nothing.
    """

    @property
    def peer(self) -> str:
        """The address of the other end, for limits and logs; "" if it is not known."""
        ...

    def write(self, data: bytes) -> bool:
        """Send whole frames. True: the kernel took everything. False: bytes wait in user space, and
        `Sink.drained` follows when they are gone (or `Sink.lost`)."""
        ...

    def buffered(self) -> int:
        """Bytes that wait in user space."""
        ...

    def kernel_queued(self) -> int:
        """Bytes that the kernel holds and the peer has not acknowledged; 0 where that can't be known."""
        ...

    def close(self, code: int, reason: str = "", *, within: float = CLOSE_BOUND_S) -> None:
        """Close frame after all that was written, then the end: at the peer's answer, at the latest
        `within` seconds, whether the peer reads or not. Never blocks."""
        ...

    def abort(self) -> None:
        """The end now; bytes that wait are dropped."""
        ...

    def pause(self) -> None:
        """Deliver and read nothing more until `resume`; the peer's kernel feels it."""
        ...

    def resume(self) -> None:
        """Undo `pause`."""
        ...


class Sink(Protocol):
    """Who listens to a connection. Calls are synchronous, in the order of the bytes."""

    def text(self, data: bytes) -> None:
        """One whole text message, not checked for UTF-8."""
        ...

    def binary(self) -> None:
        """One whole binary message came; its bytes are dropped, since the protocol has none."""
        ...

    def alive(self) -> None:
        """Bytes came, of whatever kind; once for each read, before the messages that they completed."""
        ...

    def drained(self) -> None:
        """What waited in user space is gone."""
        ...

    def lost(self, code: int) -> None:
        """Exactly once, the last call: the close code that the peer sent or was given, 1006 if none."""
        ...
