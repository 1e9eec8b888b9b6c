"""Owns the list of deciders: which function answers which command at its place in the log (law 3)."""

from __future__ import annotations

from chatcore.room.drafts import Decider
from chatcore.room.speak import Erase, settle_erase, settle_send
from chatcore.room.staff import (
    EditChannel,
    settle_delete,
    settle_edit,
    settle_lift,
    settle_mod_delete,
    settle_mode,
    settle_role,
    settle_sanction,
)
from schemas.commands import (
    ModBan,
    ModDelete,
    ModeSet,
    ModTimeout,
    ModUnban,
    ModUntimeout,
    MsgDelete,
    MsgSend,
    RoleGrant,
    RoleRevoke,
)

DECIDERS: dict[type, Decider] = {
    MsgSend: settle_send,
    MsgDelete: settle_delete,
    ModDelete: settle_mod_delete,
    ModTimeout: settle_sanction,
    ModBan: settle_sanction,
    ModUntimeout: settle_lift,
    ModUnban: settle_lift,
    ModeSet: settle_mode,
    RoleGrant: settle_role,
    RoleRevoke: settle_role,
    EditChannel: settle_edit,
    Erase: settle_erase,
}
