"""HTTP connections: uvicorn's, with a bound on how long a request may take to arrive.

Owns: the deadline of a request's head, for new and for kept-alive connections.
Refuses to know: requests. Bodies are bounded in size where they are read (rest/).

uvicorn waits for ever for the end of a head that has begun, so a few thousand connections that send a byte
and then nothing would take every file descriptor. This rests on uvicorn 0.54, which is pinned.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 10.0
"""Seconds from the connection, or from the first byte of a later request, to the end of its head."""


class PatientHttp(H11Protocol):
    """uvicorn's protocol for one HTTP connection; an upgrade leaves it."""

    head_s = HEAD_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """asyncio: a connection; its first request is awaited."""
        super().connection_made(transport)
        self._arm()

    def data_received(self, data: bytes) -> None:
        """asyncio: part of a request."""
        super().data_received(data)
        if self._awaits_head():
            self._arm()
        else:
            self._disarm()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._disarm()
        super().connection_lost(exc)

    def _awaits_head(self) -> bool:
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return False
        cycle = cast("Any", self.cycle)
        return cycle is None or cycle.response_complete

    def _arm(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.head_s, self._too_late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if self._awaits_head():
            self.transport.abort()
