"""Owns the commands door: a REST request becomes the socket's command and takes the same way (product.md, REST)."""

from __future__ import annotations

from typing import Any

from chatcore.people.principal import Principal
from chatcore.session.chat import Asker, Chat
from chatcore.session.rooms import Rooms
from schemas.catalog import BY_NAME
from schemas.errors import Refused
from schemas.values import Payload


class Door:
    """Runs one command for a bearer."""

    def __init__(self, chat: Chat, rooms: Rooms) -> None:
        self._chat = chat
        self._rooms = rooms

    async def run(
        self,
        principal: Principal | None,
        t: str,
        ch: str | None,
        d: Payload,
        *,
        address: str,
        via: str = "rest",
    ) -> Any:
        """The reply's `d` of command `t`. Raises Refused; unknown_command for what only a socket can do."""
        spec = BY_NAME.get(t)
        if spec is None or not spec.door:
            raise Refused("unknown_command", f"The door has no command {t}.")
        if ch is None and spec.channel == "required":
            raise Refused("bad_request", "Name the channel in ch.", field="ch", d={"reason": "missing"})
        if ch is not None and ch.startswith("@"):
            ch = (await self._rooms.load(ch)).id
        return await self._chat.run(Asker(principal, address, via), ch, d)
