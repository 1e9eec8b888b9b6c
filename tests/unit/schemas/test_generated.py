"""What is generated is current, and valid by the standards it claims."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from schemas import PROTOCOL_PATH, codec, generate
from schemas.catalog import CATALOG
from schemas.codes import ERRORS
from schemas.errors import Refused
from schemas.events import EVENTS

HERE = Path(PROTOCOL_PATH).parent
OPENAPI: dict[str, Any] = json.loads((HERE / "generated" / "openapi.json").read_text(encoding="utf-8"))
ASYNCAPI: dict[str, Any] = json.loads((HERE / "generated" / "asyncapi.json").read_text(encoding="utf-8"))
LINES = [
    json.loads(line)
    for block in re.findall(r"```json\n(.*?)```", Path(PROTOCOL_PATH).read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
    if line
]


def test_nothing_generated_is_stale() -> None:
    assert generate.stale() == []


def test_drift_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "PROTOCOL.md").write_text(
        "<!-- generated:closes -->\nold\n<!-- /generated -->\n", encoding="utf-8"
    )
    assert {path.name for path in generate.stale(tmp_path)} == {
        "openapi.json",
        "asyncapi.json",
        "constants.js",
        "PROTOCOL.md",
    }


def test_unknown_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--nope"]) == 2
    assert "usage" in capsys.readouterr().out
    assert generate.main(["--check"]) == 0


def test_openapi_is_valid() -> None:
    validate(OPENAPI)
    operations = [o["operationId"] for path in OPENAPI["paths"].values() for o in path.values()]
    assert len(operations) == len(set(operations))


def test_door_is_described_command_by_command() -> None:
    described = {path.removeprefix("/api/commands/") for path in OPENAPI["paths"] if "/commands/" in path}
    assert described == {spec.t for spec in CATALOG if spec.door}


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [ref for one in value for ref in references(one)]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return own + [ref for one in value.values() for ref in references(one)]  # pyright: ignore[reportUnknownVariableType]


def resolve(document: dict[str, Any], reference: str) -> Any:
    assert reference.startswith("#/")
    node: Any = document
    for part in reference[2:].split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


@pytest.mark.parametrize("document", [OPENAPI, ASYNCAPI], ids=["openapi", "asyncapi"])
def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    for reference in set(references(document)):
        assert isinstance(resolve(document, reference), dict)


def draft7(schema: dict[str, Any]) -> Any:
    """A validator of the draft that AsyncAPI speaks."""
    return jsonschema.Draft7Validator(schema)


def payload(name: str) -> dict[str, Any]:
    """The JSON Schema of a message of the socket, with what it refers to."""
    return {**ASYNCAPI["components"]["messages"][name]["payload"], "components": ASYNCAPI["components"]}


def test_asyncapi_has_the_structure_of_version_3() -> None:
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    (channel,) = ASYNCAPI["channels"].values()
    assert set(channel["messages"]) == set(ASYNCAPI["components"]["messages"])
    for operation in ASYNCAPI["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert resolve(ASYNCAPI, operation["channel"]["$ref"]) is channel
        for message in operation["messages"] + operation.get("reply", {}).get("messages", []):
            assert message["$ref"].startswith("#/channels/socket/messages/")
    for schema in ASYNCAPI["components"]["schemas"].values():
        jsonschema.Draft7Validator.check_schema(schema)
    for message in ASYNCAPI["components"]["messages"].values():
        jsonschema.Draft7Validator.check_schema(message["payload"])


def test_asyncapi_describes_every_command_and_event() -> None:
    messages = set(ASYNCAPI["components"]["messages"])
    assert {f"command.{spec.t}" for spec in CATALOG} <= messages
    assert {f"reply.{spec.t}" for spec in CATALOG if spec.reply} <= messages
    assert sum(name.startswith("event.") for name in messages) == len(EVENTS)


@pytest.mark.parametrize("example", [e for e in LINES if "t" in e and e.get("d") != {}], ids=lambda e: e["t"])
def test_examples_are_valid_by_asyncapi(example: dict[str, Any]) -> None:
    t = example["t"]
    if "id" in example or t == "pong":
        name = f"command.{t}"
    else:
        name = f"event.me.{t}" if example.get("s") == "me" else f"event.{t}"
    draft7(payload(name)).validate(example)


def test_refusals_are_valid_by_both_descriptions() -> None:
    socket = draft7(payload("reply.error"))
    rest: Any = jsonschema.Draft202012Validator(
        {"$ref": "#/components/schemas/RestError", "components": OPENAPI["components"]}
    )
    for row in ERRORS.values():
        refused = Refused(row.code, after_ms=5 if row.retry == "after" else None, field="d.x")
        socket.validate(json.loads(codec.encode_reply_error(None, refused)))
        rest.validate(json.loads(codec.error_body(refused)))


def test_descriptions_refuse_what_the_codec_refuses() -> None:
    wrong = {"id": 1, "t": "msg.send", "ch": "c_1", "d": {"text": 5}}
    assert not draft7(payload("command.msg.send")).is_valid(wrong)
    wrong = {"id": 1, "t": "room.join", "ch": "c_1", "d": {"pos": ["k", 1, 2]}}
    assert not draft7(payload("command.room.join")).is_valid(wrong)


def test_constants_are_a_module_of_the_tables() -> None:
    text = (HERE / "generated" / "constants.js").read_text(encoding="utf-8")
    exported = re.findall(r"^export const (\w+) = ", text, re.MULTILINE)
    assert exported == [
        *("SUBPROTOCOL", "ERRORS", "CLOSES", "COMMANDS", "EVENTS"),
        *("ROLES", "STAFF_FROM", "INSTANCE_ROLES", "CAPABILITIES", "LIMITS"),
    ]
    for spec in CATALOG:
        assert f'"{spec.t}": {{"ch": "{spec.channel}"' in text
