"""What surrounds a payload on the wire (PROTOCOL.md section 2): commands in, replies and events out.

Owns the members `id`, `t`, `ch`, `d`, `re`, `ok`, `err`, `s`, `pos` and `ts`. The frame types of commands are
made from the catalog, so that one decode of one tagged union checks a whole frame. Refuses to decode: that
is `schemas.codec`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta, Struct, field

from schemas.catalog import CATALOG, CommandSpec
from schemas.values import MAX_INT, ChannelName, Fault, Payload

OptionalChannel = ChannelName | None
CommandId = Annotated[int, Meta(ge=1, le=MAX_INT)]


class Command(Protocol):
    """A decoded command. `pong` and commands of the door have id 0; `d` is the type that `t` names."""

    @property
    def id(self) -> int: ...
    @property
    def t(self) -> str: ...
    @property
    def ch(self) -> str | None: ...
    @property
    def d(self) -> Any: ...


class ErrorBody(Struct, frozen=True, rename="camel", omit_defaults=True):
    """`err` of a reply and `error` of REST; `afterMs` is present exactly when `retry` is `after`."""

    code: str
    n: int
    message: str
    retry: str
    d: dict[str, Any]
    after_ms: int | None = None
    field: str | None = None


class ReplyOk(Struct, frozen=True):
    """The answer yes. `re` is the command's id."""

    re: int
    ok: bool
    d: Any


class ReplyError(Struct, frozen=True):
    """The answer no; `re` is null where no id could be read."""

    re: int | None
    ok: bool
    err: ErrorBody


class Event(Struct, frozen=True, omit_defaults=True):
    """What the server says unasked; without `pos` it is ephemeral."""

    t: str
    d: Any
    ch: str | None = None
    s: str | None = None
    pos: tuple[str, int] | None = None
    ts: int | None = None


class RestError(Struct, frozen=True):
    """The body of every refused REST request."""

    error: ErrorBody


def may_be_empty(payload: type[Payload]) -> bool:
    """Say whether `{}` is a valid payload of this type."""
    try:
        payload()
    except (TypeError, Fault):
        return False
    return True


def _union(types: Iterable[Any]) -> Any:
    """The union of types that are known only when this runs."""
    union: Any = None
    for one in types:
        union = one if union is None else union | one
    return union


def _frame(spec: CommandSpec, *, door: bool) -> type[Struct]:
    fields: list[Any] = []
    fixed: dict[str, Any] = {"t": spec.t}
    if door or spec.reply is None:
        fixed["id"] = 0
    else:
        fields.append(("id", CommandId))
    if spec.channel == "none":
        fixed["ch"] = None
    elif spec.channel == "required":
        fields.append(("ch", ChannelName))
    else:
        fields.append(("ch", OptionalChannel, None))
    if may_be_empty(spec.request):
        fields.append(("d", spec.request, field(default_factory=spec.request)))
    else:
        fields.append(("d", spec.request))
    name = ("Door" if door else "Frame") + spec.request.__name__
    kind: dict[str, Any] = {} if door else {"tag_field": "t", "tag": spec.t}
    return msgspec.defstruct(name, fields, namespace=fixed, frozen=True, kw_only=True, **kind)


FRAMES: dict[str, type[Struct]] = {spec.t: _frame(spec, door=False) for spec in CATALOG}
"""The frame type of each command, on the socket."""
DOOR_BODIES: dict[str, type[Struct]] = {spec.t: _frame(spec, door=True) for spec in CATALOG if spec.door}
"""The body type of each command at the door: `{"ch"?, "d"?}`."""
AnyFrame: Any = _union(FRAMES.values())
