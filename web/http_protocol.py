"""Owns how long a connection may take to say what it wants: the head of an HTTP request has a deadline.

Refuses to know requests. uvicorn closes a connection that is idle between two requests, but waits without end for
the first, and for the rest of a head that has begun: whoever opens connections and says nothing, or drips, would
hold them all. This rests on uvicorn 0.54's class, which is therefore pinned.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientHttp(H11Protocol):
    """uvicorn's HTTP/1.1, with an end to its patience."""

    head_seconds: ClassVar[float] = 20.0
    """From the connection, or from the first byte of a further request, to the end of the request's head."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """asyncio: somebody connected."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.head_seconds, self._too_late)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes of a head, a body, or several requests."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:  # the head is whole, or it is no HTTP
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.head_seconds, self._too_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        self.transport.close()
