"""AsyncAPI 3.0 from the catalog and the list of events: what the socket takes and says.

Owns the shape of that document. Refuses to know the socket.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from schemas import limits
from schemas.catalog import CATALOG, CommandSpec
from schemas.envelope import FRAMES, ErrorBody
from schemas.events import EVENTS, EventSpec

REF = "#/components/schemas/{name}"


def asyncapi(version: str) -> dict[str, Any]:
    """The AsyncAPI document; `version` is that of the protocol's description."""
    schemas = _Schemas()
    messages: dict[str, Any] = {}
    for spec in CATALOG:
        messages[f"command.{spec.t}"] = _command(spec, schemas)
        if spec.reply is not None:
            messages[f"reply.{spec.t}"] = _reply(spec, schemas)
    messages["reply.error"] = _error(schemas)
    for event in EVENTS:
        messages[_event_name(event)] = _event(event, schemas)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Cascade socket protocol",
            "version": version,
            "description": "One JSON object a text frame. Normative text: PROTOCOL.md.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"here": {"host": "localhost:8080", "protocol": "ws", "pathname": "/ws"}},
        "channels": {
            "socket": {
                "address": "/ws",
                "description": f"Subprotocol {limits.SUBPROTOCOL}.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"method": "GET"}},
            }
        },
        "operations": _operations(),
        "components": {"messages": messages, "schemas": schemas.components()},
    }


class _Schemas:
    """All types of the document, described together, so that names are unique."""

    def __init__(self) -> None:
        types: list[Any] = [*FRAMES.values(), ErrorBody]
        types += [spec.reply for spec in CATALOG if spec.reply is not None]
        types += [event.d for event in EVENTS]
        refs, components = msgspec.json.schema_components(types, ref_template=REF)
        self._refs = dict(zip(types, refs, strict=True))
        self._components: dict[str, Any] = _draft7(components)

    def ref(self, kind: type[Any]) -> dict[str, Any]:
        return self._refs[kind]

    def components(self) -> dict[str, Any]:
        return dict(sorted(self._components.items()))


def _draft7(schema: Any) -> Any:
    """AsyncAPI speaks JSON Schema draft 7, which writes the places of a tuple as a list in `items`."""
    if isinstance(schema, list):
        return [_draft7(one) for one in cast(list[Any], schema)]
    if not isinstance(schema, dict):
        return schema
    members = {key: _draft7(value) for key, value in cast(dict[str, Any], schema).items()}
    if "prefixItems" in members:
        members["additionalItems"] = members["items"]
        members["items"] = members.pop("prefixItems")
    return members


def _first_line(kind: type[Any]) -> str:
    return (kind.__doc__ or "").split("\n", maxsplit=1)[0]


def _command(spec: CommandSpec, schemas: _Schemas) -> dict[str, Any]:
    text = f"Section {spec.section}. Channel: {spec.channel}."
    if spec.capability:
        text += f" Capability: {spec.capability}."
    return {
        "name": spec.t,
        "title": f"Command {spec.t}",
        "summary": _first_line(spec.request),
        "description": text,
        "payload": schemas.ref(FRAMES[spec.t]),
    }


def _reply(spec: CommandSpec, schemas: _Schemas) -> dict[str, Any]:
    reply = spec.reply
    assert reply is not None, "asked for commands with replies only"
    members = {"re": _COMMAND_ID, "ok": {"const": True}, "d": schemas.ref(reply)}
    return {
        "name": f"{spec.t} reply",
        "title": f"Reply to {spec.t}",
        "summary": _first_line(reply),
        "payload": _object(members, ["re", "ok", "d"]),
    }


def _error(schemas: _Schemas) -> dict[str, Any]:
    number = {"anyOf": [_COMMAND_ID, {"type": "null"}]}
    members = {"re": number, "ok": {"const": False}, "err": schemas.ref(ErrorBody)}
    return {
        "name": "refusal",
        "title": "Refusal of any command",
        "payload": _object(members, ["re", "ok", "err"]),
    }


def _event_name(event: EventSpec) -> str:
    return f"event.me.{event.t}" if event.s == "me" else f"event.{event.t}"


def _event(event: EventSpec, schemas: _Schemas) -> dict[str, Any]:
    members: dict[str, Any] = {"t": {"const": event.t}}
    required = ["t", "d"]
    if event.s is not None:
        members["ch"] = {"type": "string"}
        members["s"] = {"enum": ["room", "mod", "me"]}
    if event.durable:
        members |= {"pos": _POSITION, "ts": {"type": "integer"}}
        required += ["s", "pos", "ts"]
    members["d"] = schemas.ref(event.d)
    return {
        "name": event.t,
        "title": f"Event {event.t}",
        "summary": _first_line(event.d),
        "description": f"Section {event.section}. " + ("Durable." if event.durable else "Never replayed."),
        "payload": _object(members, required),
    }


_COMMAND_ID: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": limits.MAX_ID}
_POSITION: dict[str, Any] = {
    "type": "array",
    "items": [{"type": "string"}, {"type": "integer", "minimum": 1}],
    "minItems": 2,
    "maxItems": 2,
}


def _object(members: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": required}


def _operations() -> dict[str, Any]:
    socket = {"$ref": "#/channels/socket"}
    operations: dict[str, Any] = {}
    for spec in CATALOG:
        operation: dict[str, Any] = {
            "action": "receive",
            "channel": socket,
            "messages": [{"$ref": f"#/channels/socket/messages/command.{spec.t}"}],
        }
        if spec.reply is not None:
            operation["reply"] = {
                "channel": socket,
                "messages": [
                    {"$ref": f"#/channels/socket/messages/reply.{spec.t}"},
                    {"$ref": "#/channels/socket/messages/reply.error"},
                ],
            }
        operations[spec.t] = operation
    for event in EVENTS:
        name = _event_name(event)
        operations[name] = {
            "action": "send",
            "channel": socket,
            "messages": [{"$ref": f"#/channels/socket/messages/{name}"}],
        }
    return operations
