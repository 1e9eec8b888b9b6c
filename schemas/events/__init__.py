"""The `d` of every event (PROTOCOL.md sections 4-12), one structure each, named after its `t`.

Owns member names and types of what the server says unasked, and the list of all events (`EVENTS`). Refuses
to know who hears them. Members that may be absent are `UNSET` unless given.
"""

from schemas.events.notices import AppealUpdated as AppealUpdated
from schemas.events.notices import CaseChanged as CaseChanged
from schemas.events.notices import CaseDecided as CaseDecided
from schemas.events.notices import CaseExpired as CaseExpired
from schemas.events.notices import CaseNew as CaseNew
from schemas.events.notices import HoldOpened as HoldOpened
from schemas.events.notices import HoldResolved as HoldResolved
from schemas.events.notices import Notify as Notify
from schemas.events.notices import PollClosed as PollClosed
from schemas.events.notices import PollOpened as PollOpened
from schemas.events.notices import PollTally as PollTally
from schemas.events.notices import ReactAgg as ReactAgg
from schemas.events.notices import RecordReady as RecordReady
from schemas.events.notices import StreamHealth as StreamHealth
from schemas.events.notices import StreamState as StreamState
from schemas.events.room import Action as Action
from schemas.events.room import BackMessage as BackMessage
from schemas.events.room import Delayed as Delayed
from schemas.events.room import Frag as Frag
from schemas.events.room import Gone as Gone
from schemas.events.room import MsgBack as MsgBack
from schemas.events.room import MsgGone as MsgGone
from schemas.events.room import MsgNew as MsgNew
from schemas.events.room import MuteChanged as MuteChanged
from schemas.events.room import MyRoleChanged as MyRoleChanged
from schemas.events.room import PinSet as PinSet
from schemas.events.room import PinUnset as PinUnset
from schemas.events.room import ReplyRef as ReplyRef
from schemas.events.room import RoleChanged as RoleChanged
from schemas.events.room import RoomCleared as RoomCleared
from schemas.events.room import RoomMode as RoomMode
from schemas.events.room import RuleChanged as RuleChanged
from schemas.events.room import SanctionApplied as SanctionApplied
from schemas.events.room import SanctionEnded as SanctionEnded
from schemas.events.room import UserSanctioned as UserSanctioned
from schemas.events.room import UserUnsanctioned as UserUnsanctioned
from schemas.events.room import WarnIssued as WarnIssued
from schemas.events.session import Bye as Bye
from schemas.events.session import Goaway as Goaway
from schemas.events.session import Head as Head
from schemas.events.session import Hello as Hello
from schemas.events.session import HelloLimits as HelloLimits
from schemas.events.session import Ping as Ping
from schemas.events.session import PresenceCount as PresenceCount
from schemas.events.session import PresenceDelta as PresenceDelta
from schemas.events.session import ResumeDone as ResumeDone
from schemas.events.session import RoomSnapshot as RoomSnapshot
from schemas.events.session import Skip as Skip
from schemas.events.session import StreamClosed as StreamClosed
from schemas.events.session import StreamOpen as StreamOpen
from schemas.events.table import EVENTS as EVENTS
from schemas.events.table import EventSpec as EventSpec
from schemas.values import Pos as Pos
from schemas.values import UserRef as UserRef
