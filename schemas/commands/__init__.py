"""The `d` of every command (PROTOCOL.md sections 4-12), one structure each, named after its `t`.

Owns member names, types, crude bounds and defaults. Refuses to judge: whether a text is empty or too long,
whether a user exists, and who may do what are answered elsewhere. Capability, bucket and channel of each
command stand in `schemas.catalog`.
"""

from schemas.commands.engagement import KeyCreate as KeyCreate
from schemas.commands.engagement import KeyList as KeyList
from schemas.commands.engagement import KeyRevoke as KeyRevoke
from schemas.commands.engagement import PlayBeat as PlayBeat
from schemas.commands.engagement import PollOpen as PollOpen
from schemas.commands.engagement import PollVote as PollVote
from schemas.commands.engagement import React as React
from schemas.commands.engagement import StreamEnd as StreamEnd
from schemas.commands.engagement import StreamStart as StreamStart
from schemas.commands.messages import ChannelElevate as ChannelElevate
from schemas.commands.messages import MsgCheck as MsgCheck
from schemas.commands.messages import MsgDelete as MsgDelete
from schemas.commands.messages import MsgReport as MsgReport
from schemas.commands.messages import MsgSend as MsgSend
from schemas.commands.messages import RoleGrant as RoleGrant
from schemas.commands.messages import RoleRevoke as RoleRevoke
from schemas.commands.moderation import Announce as Announce
from schemas.commands.moderation import AppealOpen as AppealOpen
from schemas.commands.moderation import AuditList as AuditList
from schemas.commands.moderation import CaseClaim as CaseClaim
from schemas.commands.moderation import CaseDecide as CaseDecide
from schemas.commands.moderation import CaseGet as CaseGet
from schemas.commands.moderation import CaseRelease as CaseRelease
from schemas.commands.moderation import ModBan as ModBan
from schemas.commands.moderation import ModClear as ModClear
from schemas.commands.moderation import ModDelete as ModDelete
from schemas.commands.moderation import ModePreset as ModePreset
from schemas.commands.moderation import ModeSet as ModeSet
from schemas.commands.moderation import ModNote as ModNote
from schemas.commands.moderation import ModRestrict as ModRestrict
from schemas.commands.moderation import ModReveal as ModReveal
from schemas.commands.moderation import ModTimeout as ModTimeout
from schemas.commands.moderation import ModUnban as ModUnban
from schemas.commands.moderation import ModUndo as ModUndo
from schemas.commands.moderation import ModUntimeout as ModUntimeout
from schemas.commands.moderation import ModWarn as ModWarn
from schemas.commands.moderation import MuteSet as MuteSet
from schemas.commands.moderation import PinSet as PinSet
from schemas.commands.moderation import PinUnset as PinUnset
from schemas.commands.moderation import QueueList as QueueList
from schemas.commands.moderation import RuleDelete as RuleDelete
from schemas.commands.moderation import RuleList as RuleList
from schemas.commands.moderation import RulePut as RulePut
from schemas.commands.moderation import RulePutMany as RulePutMany
from schemas.commands.moderation import RuleTest as RuleTest
from schemas.commands.moderation import Then as Then
from schemas.commands.moderation import ThenBan as ThenBan
from schemas.commands.moderation import ThenTimeout as ThenTimeout
from schemas.commands.moderation import ThenWarn as ThenWarn
from schemas.commands.moderation import UserCard as UserCard
from schemas.commands.moderation import WarnAck as WarnAck
from schemas.commands.session import Auth as Auth
from schemas.commands.session import ClientInfo as ClientInfo
from schemas.commands.session import GuestLogin as GuestLogin
from schemas.commands.session import History as History
from schemas.commands.session import Pong as Pong
from schemas.commands.session import ResumePoint as ResumePoint
from schemas.commands.session import RoomJoin as RoomJoin
from schemas.commands.session import RoomLeave as RoomLeave
from schemas.commands.session import RoomState as RoomState
from schemas.commands.session import RoomWho as RoomWho
