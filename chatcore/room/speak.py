"""Owns the decision on a message: may it be said, and what is logged when it is (protocol 6, 13, 15)."""

from __future__ import annotations

from chatcore.room.drafts import At, Bucket, Decision, Draft
from chatcore.room.events import Gone, Message, Said, StreamKey
from chatcore.room.rights import capabilities, sanction_on
from chatcore.room.state import IDEM_MS, RoomState, Sanction
from schemas.commands import MsgSend
from schemas.errors import Refused
from schemas.replies import MsgDeleteReply, MsgSendReply
from schemas.roles import rank


def admit(state: RoomState, draft: Draft, at: At) -> None:
    """The cheap early no: right, sanction, modes. `settle` asks the same again at the message's place in the log."""
    actor = draft.actor
    caps = capabilities(state, actor, at.now)
    if "msg.send" not in caps:
        raise Refused("forbidden", "You may not write in this channel.", d={"cap": "msg.send"})
    sanction = sanction_on(state, actor, at.now)
    if sanction is not None:
        raise sanctioned(sanction, at.now)
    if state.modes and "exempt.modes" not in caps:
        _modes(state, actor.id, at.now)
    if state.modes and "exempt.slow" not in caps:
        _slow(state, actor.id, at.now)


def sanctioned(sanction: Sanction, now: int) -> Refused:
    """The refusal that a timeout or ban means."""
    d = {"until": sanction.until, "reason": sanction.reason, "action": sanction.action, "appeal": False}
    if sanction.kind == "ban" or sanction.until is None:
        return Refused("banned", "You are banned from this channel.", d=d)
    wait = sanction.until - now
    return Refused("timed_out", f"You are timed out for another {seconds(wait)} s.", after_ms=wait, d=d)


def seconds(ms: int) -> int:
    """Whole seconds, rounded up: a person who waits that long has waited long enough."""
    return -(-ms // 1000)


def _modes(state: RoomState, user: str, now: int) -> None:
    if state.mode("readonly", now):
        raise Refused("mode_readonly", d={"until": state.modes["readonly"].until})
    if state.mode("members", now) and rank(state.role_of(user, now)) < rank("member"):
        raise Refused("mode_members", d={"until": state.modes["members"].until})


def _slow(state: RoomState, user: str, now: int) -> None:
    slow = state.mode("slow", now)
    author = state.authors.get(user)
    if not slow or author is None or author.n == 0:
        return
    next_at = author.ts + int(slow) * 1000
    if next_at > now:
        raise Refused(
            "slow_mode",
            f"Slow mode: one message every {slow} s.",
            after_ms=next_at - now,
            d={"nextSendAt": next_at},
        )


def next_send_at(state: RoomState, user: str, now: int) -> int | None:
    """When slow mode lets `user` speak again, None if it does not stop him."""
    try:
        _slow(state, user, now)
    except Refused as refusal:
        return refusal.d["nextSendAt"]
    return None


def drawn(full_at: int, bucket: Bucket, now: int, name: str = "send") -> int:
    """Take one token from a bucket that will be full at `full_at`; returns the new such time. Raises rate_limited.

    This is the generic cell rate algorithm: the whole state of a token bucket is one time stamp.
    """
    interval = bucket.window // bucket.limit
    after = max(full_at, now) + interval
    if after - now > bucket.window:
        raise Refused(
            "rate_limited",
            f"At most {bucket.limit} messages in {bucket.window // 1000} s.",
            after_ms=after - now - bucket.window,
            d={"bucket": name, "limit": bucket.limit, "windowMs": bucket.window},
        )
    return after


def settle_send(state: RoomState, draft: Draft, at: At) -> Decision:
    """The binding decision on `msg.send` at its place in the log."""
    command: MsgSend = draft.command
    user = draft.actor.id
    if command.idem is not None:
        known = state.idems.get((user, command.idem))
        if known is not None and known.ts + IDEM_MS > at.now:
            return Decision(MsgSendReply(outcome="duplicate", mid=known.mid, pos=(at.epoch, known.n)), [])
    admit(state, draft, at)
    author = state.authors.get(user)
    if author is None:
        raise Refused("overloaded", "The room was just swept; send again.", after_ms=50)
    bucket = at.staff if draft.actor.kind == "bot" or state.is_staff(user, at.now) else at.viewers
    full_at = author.bucket if bucket is None else drawn(author.bucket, bucket, at.now)
    n = state.head + 1
    message = Message(
        mid=draft.fresh,
        n=n,
        user=user,
        ts=at.now,
        text=draft.text,
        frags=draft.frags,
        flags=("first",) if author.n == 0 else (),
    )
    _thread(state, command, message)
    said = Said(mid=draft.fresh, user=user, bucket=full_at, idem=command.idem)
    reply = MsgSendReply(outcome="published", mid=draft.fresh, pos=(at.epoch, n))
    return Decision(reply, [(StreamKey("room", draft.ch), said, message)])


def _thread(state: RoomState, command: MsgSend, message: Message) -> None:
    if command.reply_to is None:
        return
    parent = state.messages.get(command.reply_to)
    if parent is None:
        raise Refused(
            "not_found",
            "The message that this answers does not exist here.",
            field="d.replyTo",
            d={"what": "message"},
        )
    message.reply = parent.mid
    message.root = parent.root or parent.mid


class Erase:
    """Not a command of the socket: an author's account is deleted, and his words with it."""


def settle_erase(state: RoomState, draft: Draft, at: At) -> Decision:
    """Everything that the author ever said here is withdrawn, in his own name."""
    gone = Gone(by="author", user=draft.actor.id, lo=1, hi=state.head, reason="request")
    return Decision(MsgDeleteReply(), [(StreamKey("room", draft.ch), gone, None)])


def settle_delete_own(state: RoomState, draft: Draft) -> Decision | None:
    """The decision on `msg.delete` by the author; None if the message is another's. Raises not_found, already."""
    message = state.messages.get(draft.command.mid)
    if message is None:
        raise Refused("not_found", "There is no such message here.", field="d.mid", d={"what": "message"})
    if message.gone is not None:
        raise Refused("already", "The message is gone already.", d={"by": message.gone})
    if message.user != draft.actor.id:
        return None
    if draft.actor.scopes is not None and "msg.send" not in draft.actor.scopes:
        raise Refused("forbidden", "This token may not take back what its owner said.", d={"cap": "msg.send"})
    return Decision(
        MsgDeleteReply(), [(StreamKey("room", draft.ch), Gone(by="author", mids=(message.mid,)), None)]
    )
