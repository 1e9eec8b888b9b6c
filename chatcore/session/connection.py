"""Owns one socket's protocol: hello, auth, then commands in and replies out, until bye (protocol 1, 2, 4).

A `Sink` of the wire: every inbound text comes here in the very call that parsed it. Rooms and resuming are in
`joining`, the meaning of commands is in `chat`.

    greeting --auth--> ready --bye--> closing
        '--authMs, bad credential------'
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from msgspec import UNSET

from chatcore.fanout.outbox import Outbox
from chatcore.fanout.room_fan import Subscription
from chatcore.fanout.wire import Wire
from chatcore.people.principal import Principal
from chatcore.session.chat import Asker, unauthenticated
from schemas import commands as c
from schemas import events as e
from schemas import limits
from schemas.codec import (
    BadFrame,
    decode_command,
    encode_bye,
    encode_event,
    encode_reply_error,
    encode_reply_ok,
)
from schemas.errors import Disconnect, Refused
from schemas.replies import AuthReply, MePosition
from schemas.values import UserRef

if TYPE_CHECKING:
    from chatcore.session.sessions import Sessions

_LOG = logging.getLogger(__name__)

State = Literal["greeting", "ready", "closing"]
WANTS = frozenset({"mod", "me", "presence", "engage"})


class Connection:
    """Made by `Sessions.open`; ends with `lost`."""

    __slots__ = (
        "address",
        "alive_at",
        "asker",
        "authenticating",
        "cookie",
        "flood_at",
        "held_personal",
        "in_flight",
        "me_seen",
        "noted_at",
        "on_lost",
        "opened_at",
        "outbox",
        "pinged_at",
        "principal",
        "rooms",
        "session",
        "sessions",
        "state",
        "strikes",
        "want",
        "wire",
    )

    def __init__(
        self,
        sessions: Sessions,
        wire: Wire,
        address: str,
        session: str,
        cookie: Callable[[], Awaitable[Principal | None]] | None,
    ) -> None:
        now = sessions.clock()
        self.sessions = sessions
        self.wire = wire
        self.address = address
        self.session = session
        self.cookie = cookie
        self.state: State = "greeting"
        self.principal: Principal | None = None
        self.asker = Asker(None, address)
        self.authenticating = False
        self.opened_at = self.alive_at = self.pinged_at = self.noted_at = now
        self.in_flight: set[int] | None = None
        self.strikes: list[int] | None = None
        self.flood_at = 0.0
        self.rooms: dict[str, Subscription] = {}
        self.want: frozenset[str] = WANTS
        self.held_personal: list[tuple[int, bytes]] | None = None
        self.me_seen = 0
        self.on_lost: Callable[[], None] | None = None
        self.outbox: Outbox = sessions.hub.outbox(wire, on_gap=self._gap, on_shed=self._shed)

    def greet(self) -> None:
        """Send the hello."""
        self.outbox.send(self.sessions.hello)

    # -- the wire's sink ---------------------------------------------------------------------------------------

    def text(self, data: bytes) -> None:
        """One inbound frame: decoded, judged by the session's state, dispatched."""
        self.alive_at = now = self.sessions.clock()
        if self.state == "closing":
            return
        flood = self.sessions.config.flood
        if flood is not None:
            # The send bucket's arithmetic (GCRA), in place: one number a connection.
            self.flood_at = max(self.flood_at, now) + flood.window / flood.limit
            if self.flood_at - now > flood.window:
                self.bye(Disconnect(4008, code="rate_limited", after_ms=flood.window))
                return
        try:
            command = decode_command(data, limit=self.sessions.config.frame)
        except BadFrame as bad:
            self._bad(bad, now)
            return
        payload: Any = command.d
        kind = cast("type[Any]", payload.__class__)
        if kind is c.Pong:
            return
        re = command.id
        refusal = self._unfit(re)
        if refusal is not None:
            self.outbox.send(encode_reply_error(re, refusal))
            return
        if self.in_flight is None:
            self.in_flight = set()
        self.in_flight.add(re)
        answer = partial(self.answer, re)
        if kind is c.Auth:
            self._auth(payload, answer)
        elif self.state == "greeting":
            answer(None, unauthenticated())
        elif kind is c.RoomJoin or kind is c.RoomLeave:
            self.sessions.joining.run(self, command.ch or "", payload, answer)
        else:
            self.sessions.chat.submit(self.asker, command.ch, payload, answer)

    def binary(self) -> None:
        """A binary frame is never part of this protocol."""
        self.bye(Disconnect(4501, "Send text frames only.", code="bad_frame"))

    def alive(self) -> None:
        """Bytes came that are no message: it lives."""
        self.alive_at = self.sessions.clock()

    def drained(self) -> None:
        """The wire takes bytes again."""
        self.outbox.drained()

    def lost(self, code: int) -> None:
        """The socket is gone."""
        self.state = "closing"
        self.outbox.lost()
        self.sessions.closed(self)
        if self.on_lost is not None:
            self.on_lost()

    # -- replies -----------------------------------------------------------------------------------------------

    def answer(self, re: int, reply: Any, refusal: Refused | None) -> None:
        """The one reply of a command."""
        if self.in_flight is not None:
            self.in_flight.discard(re)
        if refusal is None:
            self.outbox.send(encode_reply_ok(re, reply))
        else:
            self.outbox.send(encode_reply_error(re, refusal))

    def _unfit(self, re: int) -> Refused | None:
        flying = self.in_flight
        if not flying:
            return None
        if re in flying:
            return Refused("bad_id", f"The command {re} is still in flight; use a new id.", field="id")
        if len(flying) >= self.sessions.config.in_flight:
            return Refused("too_many_in_flight", after_ms=100)
        return None

    def _bad(self, bad: BadFrame, now: int) -> None:
        self.outbox.send(encode_reply_error(bad.re, bad.refused))
        if not bad.counts:
            return
        strikes = [at for at in self.strikes or () if at > now - limits.BAD_FRAMES_WINDOW_MS]
        strikes.append(now)
        self.strikes = strikes
        if len(strikes) > limits.BAD_FRAMES:
            self.bye(Disconnect(4501, code=bad.refused.code))

    def bye(self, end: Disconnect) -> None:
        """Say why, and close."""
        if self.state == "closing":
            return
        self.state = "closing"
        self.outbox.bye(encode_bye(end), end.close, end.reason)

    def _shed(self, why: str) -> None:
        self.state = "closing"

    def _gap(self, subscription: Subscription) -> None:
        self.sessions.joining.gap(self, subscription)

    # -- auth --------------------------------------------------------------------------------------------------

    def _auth(self, d: c.Auth, answer: Callable[[Any, Refused | None], None]) -> None:
        if self.authenticating:
            answer(None, Refused("already", "An auth is under way."))
            return
        self.authenticating = True
        # What is sent behind the auth waits in the wire until it is known who sent it.
        self.wire.pause()
        self.sessions.chat.spawn(self._authenticate(d, answer))

    async def _authenticate(self, d: c.Auth, answer: Callable[[Any, Refused | None], None]) -> None:
        try:
            await self._prove(d, answer)
        except Refused as refusal:
            answer(None, refusal)
            if d.token is not None and refusal.code in ("unauthenticated", "token_expired"):
                close = 4005 if refusal.code == "token_expired" else 4500
                self.bye(Disconnect(close, code=refusal.code))
        except Exception:
            _LOG.exception("auth failed")
            answer(None, Refused("internal"))
        finally:
            self.authenticating = False
            self.wire.resume()

    async def _prove(self, d: c.Auth, answer: Callable[[Any, Refused | None], None]) -> None:
        principal, guest_token = await self._who(d)
        if self.state == "ready" and self._again(principal):
            return answer(None, Refused("already", "This connection is somebody already."))
        if self.state == "closing":
            return None
        plan = await self.sessions.joining.plan(self, principal, d.resume)
        me = None
        if principal is not None and not principal.read_only:
            # What came between the look-up and now was sent to nobody: the position told has to lie behind it.
            me = max(await self.sessions.personal_head(principal.id), self.sessions.followed(principal.id))
        if principal is not None and self.sessions.people.is_revoked(principal):
            principal, _ = await self._who(d)  # changed or ended meanwhile: which, the credential says
        if self.wants_closed():
            return None
        before = self.principal
        self._become(principal, d.want)
        if before is None:  # else the same user goes on where his stream is
            self.me_seen = me or 0
        at = self.sessions.epoch, self.me_seen
        position = None if me is None or "me" not in self.want else MePosition(at)
        resumed = plan.verdicts(me)
        token = UNSET if guest_token is None else guest_token
        expires = None if principal is None else principal.expires_at
        answer(AuthReply(self.session, _user(principal), expires, position, resumed, token), None)
        self.sessions.joining.begin(self, plan)
        return None

    async def _who(self, d: c.Auth) -> tuple[Principal | None, str | None]:
        """Whose credential it is, and the token of a new guest. Raises Refused."""
        if d.token is not None:
            return await self.sessions.people.authenticate(d.token, address=self.address), None
        if d.guest is not None:
            entry = await self.sessions.people.guest(d.guest.name, d.guest.token, address=self.address)
            return entry.principal, entry.guest_token
        return (None if self.cookie is None else await self.cookie()), None

    def wants_closed(self) -> bool:
        """Whether the socket went while something was looked up."""
        return self.state == "closing"

    def _again(self, principal: Principal | None) -> bool:
        """Whether a second auth is one too many: another user, or nobody new (protocol 4)."""
        if self.principal is None:
            return principal is None
        return principal is None or principal.id != self.principal.id

    def _become(self, principal: Principal | None, want: list[str] | None) -> None:
        was_anonymous = self.state == "ready" and self.principal is None
        self.state = "ready"
        if want is not None:
            self.want = WANTS.intersection(want)
        before = self.principal
        self.principal = principal
        self.asker = Asker(principal, self.address)
        self.cookie = None
        self.sessions.known(self, before)
        if principal is not None and self.sessions.people.is_revoked(principal):
            self.bye(Disconnect(4006))
        if was_anonymous:
            self.sessions.joining.promote(self)

    # -- personal events ---------------------------------------------------------------------------------------

    def personal(self, n: int, payload: bytes) -> None:
        """An event of the reader's own stream; it waits while an older part is being resumed."""
        if "me" not in self.want:
            return
        if self.held_personal is not None:
            self.held_personal.append((n, payload))
        elif n > self.me_seen + 1:
            self.held_personal = [(n, payload)]
            self.sessions.joining.personal_gap(self)
        elif n == self.me_seen + 1:
            self.me_seen = n
            self.outbox.send(payload)

    def event(self, t: str, ch: str | None, s: str | None, d: Any) -> None:
        """An event that is no part of a stream."""
        self.outbox.send(encode_event(t, ch, s, None, None, d))

    def ping(self, now: int) -> None:
        """Ask for a sign of life."""
        self.pinged_at = now
        self.event("ping", None, None, e.Ping(now))


def _user(principal: Principal | None) -> UserRef | None:
    if principal is None:
        return None
    roles = ["guest"] if principal.kind == "guest" else sorted(principal.instance_roles)
    return UserRef(principal.id, principal.name, principal.display_name, principal.kind, roles)
