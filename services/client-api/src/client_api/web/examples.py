"""Examples for the API's document: of every model one, put together from one client's story.

A field without a value of its own fails the building of the document: none goes without example.
"""

from typing import Any

import orjson

from client_api.web.example_values import PARAMETERS, ROWS, VALUES

MOMENT = "2026-06-02T09:30:00Z"
BODIES: dict[str, Any] = {
    "ClientPatch": {"phone": None, "consent": False},
    "OrderPatch": {"status": "refunded"},
    "DecisionIn": {"episode_id": "42-20605", "action": "approve"},
    "PreviewIn": {"policy": {"theta": 0.4}, "cost_per_email": "0.02"},
    "WhatIfIn": {"policy": {"theta": 0.4}, "day": "2026-06-02", "clients": 100},
    "ReplayPreviewIn": {"client_ids": [42]},
    "DeadLetterReplayIn": {"topic": "cdc.public.orders"},
}
"""Whose fields do not all go together."""


class _Maker:
    """Puts examples together, each model's once."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self._made: dict[str, Any] = {}

    def of(self, name: str) -> Any:
        """Return the example of a model; raises KeyError for a field without a value."""
        if name not in self._made:
            self._made[name] = BODIES.get(name) or self._object(name)
        return self._made[name]

    def _object(self, name: str) -> Any:
        schema = self._schemas[name]
        if "properties" not in schema:
            return {} if schema.get("type") == "object" else schema["enum"][0]
        return {
            field: self._field(name, field, kind) for field, kind in schema["properties"].items()
        }

    def _field(self, model: str, field: str, schema: dict[str, Any]) -> Any:
        if model == "ClientExport" and field in ROWS:
            return []
        kinds = schema.get("anyOf", [schema])
        schema = next(kind for kind in kinds if kind != {"type": "null"})
        kind = schema.get("format", schema.get("type"))
        if f"{model}.{field}" in VALUES:
            found = VALUES[f"{model}.{field}"]
        elif "$ref" in schema:
            found = self.of(schema["$ref"].rpartition("/")[2])
        elif (fixed := _fixed(schema)) is not None:
            found = fixed
        elif "$ref" in (items := schema.get("items", {})):
            found = [self.of(items["$ref"].rpartition("/")[2])]
        elif "enum" in items:
            found = items["enum"][:1]
        elif f"{field}:{kind}" in VALUES:
            found = VALUES[f"{field}:{kind}"]
        elif kind == "date-time" and field not in VALUES:
            found = MOMENT
        else:
            found = VALUES[field]
        return found


def _fixed(schema: dict[str, Any]) -> Any:
    """Return what a field of few values has in an example; None for one of many."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "boolean":
        return schema.get("default", False)
    return None


def illustrate(document: dict[str, Any]) -> None:
    """Give every model, parameter and streamed body its example, in place."""
    schemas = document["components"]["schemas"]
    maker = _Maker(schemas)
    for name, schema in schemas.items():
        schema["examples"] = [maker.of(name)]
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] in PARAMETERS:
                    parameter["example"] = PARAMETERS[parameter["name"]]
            for content in _contents(operation):
                for media_type, body in content.items():
                    _show(maker, media_type, body)


def _contents(operation: dict[str, Any]) -> list[dict[str, Any]]:
    holders = [operation.get("requestBody", {}), *operation["responses"].values()]
    return [holder.get("content", {}) for holder in holders]


def _show(maker: _Maker, media_type: str, body: dict[str, Any]) -> None:
    """Show a model as it is, and lines as lines."""
    schema = body.get("schema", {})
    if media_type == "application/x-ndjson":
        words = schema.get("description", "one BulkError").split()
        body["example"] = orjson.dumps(maker.of(words[1])).decode() + "\n"
    elif "$ref" in schema and "example" not in body:
        body["example"] = maker.of(schema["$ref"].rpartition("/")[2])
