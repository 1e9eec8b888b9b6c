"""The one table of commands: capability, bucket, channel, shapes, and where each may be sent.

Owns what dispatch, the commands door, AsyncAPI, OpenAPI and the tests' matrix read. Refuses to run anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from schemas import commands as c
from schemas import replies as r
from schemas.values import Payload

Channel = Literal["required", "optional", "none"]
Bucket = Literal["send", "join", "auth", "query", "mod", "check", "react", "report"]


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One command.

    `capability`: what a role must have (None: everybody, or a rule of the command's own). `bucket`: the rate
    limit it draws from. `door`: `POST /api/commands/{t}` serves it. `anonymous`: an anonymous reader may use
    it where the channel allows. `large`: up to 64 KiB on the socket; `bulk`: up to 1 MiB at the door.
    `slug`: `ch` may be `@slug`. `reply` None: gets no reply (`pong`).
    """

    t: str
    section: int
    request: type[Payload]
    reply: type[Payload] | None
    capability: str | None
    bucket: Bucket | None
    channel: Channel
    door: bool = True
    anonymous: bool = False
    large: bool = False
    bulk: bool = False
    slug: bool = False


def _spec(
    t: str,
    section: int,
    channel: Channel,
    bucket: Bucket | None,
    request: type[Payload],
    reply: type[Payload] | None,
    capability: str | None = None,
    *,
    door: bool = True,
    anonymous: bool = False,
    large: bool = False,
    bulk: bool = False,
    slug: bool = False,
) -> CommandSpec:
    return CommandSpec(
        t, section, request, reply, capability, bucket, channel, door, anonymous, large, bulk, slug
    )


CATALOG: tuple[CommandSpec, ...] = (
    _spec("auth", 4, "none", "auth", c.Auth, r.AuthReply, door=False, anonymous=True, large=True),
    _spec("pong", 4, "none", None, c.Pong, None, door=False, anonymous=True),
    _spec(
        "room.join", 5, "required", "join", c.RoomJoin, r.RoomJoinReply, door=False, anonymous=True, slug=True
    ),
    _spec("room.leave", 5, "required", None, c.RoomLeave, r.RoomLeaveReply, door=False, anonymous=True),
    _spec("room.state", 5, "required", "query", c.RoomState, r.RoomStateReply, anonymous=True),
    _spec("room.who", 5, "required", "query", c.RoomWho, r.RoomWhoReply, anonymous=True),
    _spec("history", 5, "optional", "query", c.History, r.HistoryReply, anonymous=True),
    _spec("msg.send", 6, "required", "send", c.MsgSend, r.MsgSendReply, "msg.send"),
    _spec("msg.delete", 6, "required", "mod", c.MsgDelete, r.MsgDeleteReply),
    _spec("msg.check", 6, "required", "check", c.MsgCheck, r.MsgCheckReply, "msg.send"),
    _spec("msg.report", 6, "required", "report", c.MsgReport, r.MsgReportReply, "msg.report"),
    _spec("role.grant", 7, "required", "mod", c.RoleGrant, r.RoleGrantReply, "role.vip"),
    _spec("role.revoke", 7, "required", "mod", c.RoleRevoke, r.RoleRevokeReply, "role.vip"),
    _spec("channel.elevate", 7, "required", "mod", c.ChannelElevate, r.ChannelElevateReply),
    _spec("mod.reveal", 8, "required", "mod", c.ModReveal, r.ModRevealReply, "mod.reveal"),
    _spec("mod.delete", 8, "required", "mod", c.ModDelete, r.ModDeleteReply, "mod.delete"),
    _spec("mod.clear", 8, "required", "mod", c.ModClear, r.ModClearReply, "mod.clear"),
    _spec("mod.timeout", 8, "required", "mod", c.ModTimeout, r.ModTimeoutReply, "mod.timeout"),
    _spec("mod.untimeout", 8, "required", "mod", c.ModUntimeout, r.ModUntimeoutReply, "mod.timeout"),
    _spec("mod.ban", 8, "required", "mod", c.ModBan, r.ModBanReply, "mod.ban"),
    _spec("mod.unban", 8, "required", "mod", c.ModUnban, r.ModUnbanReply, "mod.ban"),
    _spec("mod.warn", 8, "required", "mod", c.ModWarn, r.ModWarnReply, "mod.warn"),
    _spec("warn.ack", 8, "required", "mod", c.WarnAck, r.WarnAckReply),
    _spec("mod.restrict", 8, "required", "mod", c.ModRestrict, r.ModRestrictReply, "mod.restrict"),
    _spec("mod.note", 8, "required", "mod", c.ModNote, r.ModNoteReply, "mod.note"),
    _spec("mode.set", 8, "required", "mod", c.ModeSet, r.ModeSetReply, "mode.set"),
    _spec("mode.preset", 8, "required", "mod", c.ModePreset, r.ModePresetReply, "mode.set"),
    _spec("pin.set", 8, "required", "mod", c.PinSet, r.PinSetReply, "pin"),
    _spec("pin.unset", 8, "required", "mod", c.PinUnset, r.PinUnsetReply, "pin"),
    _spec("announce", 8, "required", "send", c.Announce, r.AnnounceReply, "announce"),
    _spec("mod.undo", 8, "required", "mod", c.ModUndo, r.ModUndoReply),
    _spec("audit.list", 8, "optional", "query", c.AuditList, r.AuditListReply, "audit.read"),
    _spec("user.card", 8, "required", "query", c.UserCard, r.UserCardReply, "mod.read"),
    _spec("mute.set", 8, "none", "mod", c.MuteSet, r.MuteSetReply),
    _spec("queue.list", 9, "required", "query", c.QueueList, r.QueueListReply, "queue.read"),
    _spec("case.claim", 9, "required", "mod", c.CaseClaim, r.CaseClaimReply, "case.hold"),
    _spec("case.release", 9, "required", "mod", c.CaseRelease, r.CaseReleaseReply, "case.hold"),
    _spec("case.get", 9, "required", "query", c.CaseGet, r.CaseGetReply, "queue.read"),
    _spec("case.decide", 9, "required", "mod", c.CaseDecide, r.CaseDecideReply, "case.hold"),
    _spec("appeal.open", 9, "required", "report", c.AppealOpen, r.AppealOpenReply, "appeal.open"),
    _spec("rule.put", 10, "optional", "mod", c.RulePut, r.RulePutReply, "rule.edit"),
    _spec("rule.putMany", 10, "optional", "mod", c.RulePutMany, r.RulePutManyReply, "rule.edit", bulk=True),
    _spec("rule.list", 10, "optional", "query", c.RuleList, r.RuleListReply, "rule.edit"),
    _spec("rule.delete", 10, "optional", "mod", c.RuleDelete, r.RuleDeleteReply, "rule.edit"),
    _spec("rule.test", 10, "optional", "check", c.RuleTest, r.RuleTestReply, "rule.edit", bulk=True),
    _spec("poll.open", 11, "required", "mod", c.PollOpen, r.PollOpenReply, "poll.manage"),
    _spec("poll.vote", 11, "required", "react", c.PollVote, r.PollVoteReply, "poll.vote"),
    _spec("react", 11, "required", "react", c.React, r.ReactReply, "react"),
    _spec("stream.start", 12, "required", "mod", c.StreamStart, r.StreamStartReply, "stream.start"),
    _spec("stream.end", 12, "required", "mod", c.StreamEnd, r.StreamEndReply, "stream.end"),
    _spec("key.create", 12, "required", "mod", c.KeyCreate, r.KeyCreateReply, "key.create"),
    _spec("key.list", 12, "required", "query", c.KeyList, r.KeyListReply, "key.list"),
    _spec("key.revoke", 12, "required", "mod", c.KeyRevoke, r.KeyRevokeReply, "key.revoke"),
    _spec("play.beat", 12, "required", "query", c.PlayBeat, r.PlayBeatReply),
)
"""Every command of the protocol, in the order of its sections."""

BY_NAME: Mapping[str, CommandSpec] = MappingProxyType({spec.t: spec for spec in CATALOG})
BY_TYPE: Mapping[type[Payload], CommandSpec] = MappingProxyType({spec.request: spec for spec in CATALOG})
