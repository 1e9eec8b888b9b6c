"""OpenAPI 3.1 from the table of endpoints, the catalog and the error table.

Owns the shape of that document. Refuses to know the routes of `web`; a test there compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.catalog import CATALOG, CommandSpec
from schemas.codes import ERRORS
from schemas.envelope import DOOR_BODIES, RestError
from schemas.rest import ENDPOINTS, Endpoint
from schemas.values import Payload

REF = "#/components/schemas/{name}"
_ALWAYS = ("bad_request", "internal", "overloaded")
_SIGNED_IN = ("unauthenticated", "token_expired", "forbidden")
_REASONS = {200: "Done.", 201: "Made.", 202: "Taken up.", 204: "Done; no body.", 503: "Not well."}


def openapi(version: str) -> dict[str, Any]:
    """The OpenAPI document; `version` is that of the protocol's description."""
    schemas = _Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    for spec in CATALOG:
        if spec.door:
            paths[f"/api/commands/{spec.t}"] = {"post": _door(spec, schemas)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cascade REST API",
            "version": version,
            "description": "Accounts, channels, chat and the commands door. Normative text: PROTOCOL.md.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"cookie": []}],
        "tags": [{"name": tag} for tag in (*dict.fromkeys(e.tag for e in ENDPOINTS), "commands")],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "cascade"},
            },
            "responses": {str(s): _refusal(s) for s in sorted({row.status for row in ERRORS.values()})},
            "schemas": schemas.components(),
        },
    }


class _Schemas:
    """Collects the types that the document names; all are described together, so that names are unique."""

    def __init__(self) -> None:
        types = [t for e in ENDPOINTS for t in (e.body, e.reply) if t is not None]
        types += [t for s in CATALOG if s.door for t in (DOOR_BODIES[s.t], s.reply) if t is not None]
        types.append(RestError)
        refs, self._components = msgspec.json.schema_components(types, ref_template=REF)
        self._refs = dict(zip(types, refs, strict=True))

    def ref(self, kind: type[Any]) -> dict[str, Any]:
        return self._refs[kind]

    def components(self) -> dict[str, Any]:
        return dict(sorted(self._components.items()))


def _operation(endpoint: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(endpoint),
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": f"Who: {endpoint.who}.",
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.who in ("all", "readers"):
        operation["security"] = [{}, {"bearer": []}, {"cookie": []}]
    if parameters := [*_path_parameters(endpoint.path), *_query_parameters(endpoint.query)]:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        operation["requestBody"] = _body(schemas.ref(endpoint.body))
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    words = [w for w in re.split(r"[/{}.]+", endpoint.path) if w not in ("", "api")]
    return endpoint.method.lower() + "".join(w[:1].upper() + w[1:] for w in words)


def _door(spec: CommandSpec, schemas: _Schemas) -> dict[str, Any]:
    reply = spec.reply
    assert reply is not None, "what the door serves has a reply"
    operation: dict[str, Any] = {
        "operationId": "command" + "".join(w[:1].upper() + w[1:] for w in spec.t.split(".")),
        "tags": ["commands"],
        "summary": (spec.request.__doc__ or "").split("\n", maxsplit=1)[0],
        "description": f"The command `{spec.t}`, section {spec.section} of PROTOCOL.md."
        + (f" Capability: {spec.capability}." if spec.capability else ""),
        "requestBody": _body(schemas.ref(DOOR_BODIES[spec.t])),
        "responses": {
            "200": _content("Done: the reply's `d`.", schemas.ref(reply)),
            **_refusals(row.status for row in ERRORS.values()),
        },
    }
    if spec.anonymous:
        operation["security"] = [{}, {"bearer": []}, {"cookie": []}]
    return operation


def _responses(endpoint: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    good: dict[str, Any] = {}
    for status in endpoint.statuses:
        reason = _REASONS[status]
        if endpoint.media is not None:
            kind = {"type": "object"} if endpoint.media == "application/json" else {"type": "string"}
            good[str(status)] = {"description": reason, "content": {endpoint.media: {"schema": kind}}}
        elif endpoint.reply is None:
            good[str(status)] = {"description": reason}
        else:
            good[str(status)] = _content(reason, schemas.ref(endpoint.reply))
    if endpoint.path.startswith("/api/") and endpoint.media is None:
        codes = [*_ALWAYS, *endpoint.refusals]
        if endpoint.who != "all":
            codes += _SIGNED_IN
        if endpoint.body is not None:
            codes.append("too_large")
        return good | _refusals(ERRORS[code].status for code in codes)
    return good


def _refusals(statuses: Iterable[int]) -> dict[str, Any]:
    return {str(s): {"$ref": f"#/components/responses/{s}"} for s in sorted(set(statuses))}


def _refusal(status: int) -> dict[str, Any]:
    codes = ", ".join(row.code for row in ERRORS.values() if row.status == status)
    response = _content(f"Refused: {codes}.", {"$ref": REF.format(name="RestError")})
    if status == 429:
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return response


def _content(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", path)
    return [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]


def _query_parameters(query: type[Payload] | type[msgspec.Struct] | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    schema = msgspec.json.schema(query)
    properties = schema["$defs"][query.__name__]["properties"]
    return [{"name": name, "in": "query", "schema": _not_null(kind)} for name, kind in properties.items()]


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter of a query string is there or not; it is never null."""
    kept = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if len(kept) == 1:
        return kept[0]
    return {key: value for key, value in schema.items() if not (key == "default" and value is None)}
