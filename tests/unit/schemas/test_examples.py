"""Every example of PROTOCOL.md decodes into its type and encodes back to the same JSON.

Knows the fenced examples and the tables; asks nothing of a server.
"""

import json
import re
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from msgspec import UNSET, Struct

from schemas import PROTOCOL_PATH, codec
from schemas.catalog import BY_NAME, CATALOG
from schemas.codes import ERRORS
from schemas.envelope import ErrorBody
from schemas.errors import Refused
from schemas.events import EVENTS

TEXT = Path(PROTOCOL_PATH).read_text(encoding="utf-8")
EXAMPLES = [
    line for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines() if line
]
PARSED: list[dict[str, Any]] = [json.loads(line) for line in EXAMPLES]


def _of(*members: str) -> list[dict[str, Any]]:
    return [one for one in PARSED if all(m in one for m in members)]


COMMANDS = [one for one in PARSED if ("id" in one and "t" in one) or one.get("t") == "pong"]
EVENT_EXAMPLES = [one for one in PARSED if "t" in one and one not in COMMANDS]
OK_REPLIES = [one for one in _of("re") if one["ok"]]
REFUSALS = [one for one in _of("re") if not one["ok"]]
DOOR_BODIES = [one for one in PARSED if not {"t", "re", "error"} & one.keys()]


def _name(one: dict[str, Any]) -> str:
    return f"{one.get('t') or one.get('re') or 'door'}"


def encoded(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))


def without_defaults(kind: type[Struct], encoded_value: dict[str, Any], example: dict[str, Any]) -> Any:
    """Take away the members that the example leaves out and that have their default."""
    defaults = {f.encode_name: f for f in msgspec.structs.fields(kind)}
    kept: dict[str, Any] = {}
    for name, value in encoded_value.items():
        if name in example:
            kept[name] = _nested(value, example[name], defaults[name].type)
            continue
        field = defaults[name]
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory
        assert default is not msgspec.NODEFAULT, f"{name} is required, but the example lacks it"
        assert value == (encoded(default()) if callable(default) else default), name
    return kept


def _nested(value: Any, example: Any, kind: Any) -> Any:
    structs = [k for k in _members(kind) if isinstance(k, type) and issubclass(k, Struct)]
    if structs and isinstance(value, dict):
        return without_defaults(structs[0], cast(dict[str, Any], value), example)
    if structs and isinstance(value, list):
        pairs = zip(cast(list[Any], value), example, strict=True)
        return [without_defaults(structs[0], one, shown) for one, shown in pairs]
    return value


def _members(kind: Any) -> list[Any]:
    inner = getattr(kind, "__args__", None)
    return [kind] if not inner else [leaf for one in inner for leaf in _members(one)]


def test_the_page_has_examples_of_every_kind() -> None:
    assert len(COMMANDS) >= 8
    assert len(EVENT_EXAMPLES) >= 25
    assert len(OK_REPLIES) >= 6
    assert len(REFUSALS) >= 3
    assert len(DOOR_BODIES) >= 1


@pytest.mark.parametrize("example", COMMANDS, ids=_name)
def test_command_survives_a_round_trip(example: dict[str, Any]) -> None:
    command = codec.decode_command(json.dumps(example).encode())
    assert command.t == example["t"]
    assert command.id == example.get("id", 0)
    assert command.ch == example.get("ch")
    kind = BY_NAME[command.t].request
    assert type(command.d) is kind
    assert without_defaults(kind, encoded(command.d), example.get("d", {})) == example.get("d", {})


@pytest.mark.parametrize("example", EVENT_EXAMPLES, ids=_name)
def test_event_survives_a_round_trip(example: dict[str, Any]) -> None:
    streams = {e.s: e for e in EVENTS if e.t == example["t"]}
    spec = streams.get(example.get("s")) or next(iter(streams.values()))
    if not example["d"]:
        return  # section 2 shows the envelope alone
    d = msgspec.convert(example["d"], spec.d)
    pos = tuple(example["pos"]) if "pos" in example else None
    sent = codec.encode_event(example["t"], example.get("ch"), example.get("s"), pos, example.get("ts"), d)
    assert json.loads(sent) == example
    assert spec.durable == ("pos" in example)


def _candidates(reply: dict[str, Any]) -> list[type[Struct]]:
    """The types that take the reply's `d` and give all of it back."""
    fitting: list[type[Struct]] = []
    for spec in CATALOG:
        if spec.reply is None:
            continue
        try:
            d = msgspec.convert(reply["d"], spec.reply)
        except msgspec.ValidationError:
            continue
        if encoded(d) == reply["d"]:
            fitting.append(spec.reply)
    return fitting


@pytest.mark.parametrize("example", OK_REPLIES, ids=_name)
def test_reply_survives_a_round_trip(example: dict[str, Any]) -> None:
    kinds = _candidates(example)
    assert kinds, "no command answers like this"
    for kind in kinds:
        sent = codec.encode_reply_ok(example["re"], msgspec.convert(example["d"], kind))  # pyright: ignore[reportArgumentType]
        assert json.loads(sent) == example


@pytest.mark.parametrize("example", REFUSALS, ids=_name)
def test_refusal_survives_a_round_trip(example: dict[str, Any]) -> None:
    err = example["err"]
    refused = Refused(
        err["code"], err["message"], field=err.get("field"), after_ms=err.get("afterMs"), d=err["d"]
    )
    assert json.loads(codec.encode_reply_error(example["re"], refused)) == example
    assert msgspec.convert(err, ErrorBody).code in ERRORS


def test_rest_error_is_the_same_structure() -> None:
    (example,) = _of("error")
    err = example["error"]
    refused = Refused(err["code"], err["message"], d=err["d"])
    assert json.loads(codec.error_body(refused)) == example


@pytest.mark.parametrize("example", DOOR_BODIES, ids=_name)
def test_door_body_decodes(example: dict[str, Any]) -> None:
    command = codec.decode_door("mod.timeout", json.dumps(example).encode())
    assert (command.id, command.t, command.ch) == (0, "mod.timeout", example["ch"])
    assert command.d.user == example["d"]["user"]


def test_unset_members_are_absent_and_null_ones_are_null() -> None:
    from schemas.events import Bye

    assert encoded(Bye(4505, None, "token revoked", "never")) == {
        "close": 4505,
        "code": None,
        "reason": "token revoked",
        "retry": "never",
    }
    assert Bye(4505, None, "token revoked", "never").after_ms is UNSET
