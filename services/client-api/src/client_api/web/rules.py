"""What the models check across fields, said in JSON Schema, and parameters as they are sent."""

from typing import Any

OF = "#/components/schemas/"
NAMES = {
    "idempotency-key": "Idempotency-Key",
    "if-match": "If-Match",
    "last-event-id": "Last-Event-ID",
}
"""As people write them; to HTTP they are the same."""
IF_MATCH = r'^(\*|"[0-9]{1,18}"(, ?"[0-9]{1,18}"){0,19})$'
POLICY = f"{OF}ShopPolicy"
INT64_MAX = 2**63 - 1


def lay_down(schemas: dict[str, Any]) -> None:
    """Add what FastAPI cannot know of the models, in place."""
    schemas["DecisionIn"]["allOf"] = [
        _if_action("edit", {"$ref": f"{OF}Wording"}, required=True),
        _if_action("resolve", {"$ref": f"{OF}Resolution"}, required=True),
        _if_action("reject", {"anyOf": [{"$ref": f"{OF}Rejection"}, {"$ref": f"{OF}NoPayload"}]}),
        *(_if_action(one, {"$ref": f"{OF}NoPayload"}) for one in ("release", "retry", "approve")),
    ]
    times = ("ordered_from", "ordered_before")
    schemas["ReplayPreviewIn"] |= {
        "if": {"properties": {"client_ids": {"type": "array"}}, "required": ["client_ids"]},
        "then": {"properties": {name: {"type": "null"} for name in times}},
        "else": {"properties": {name: {"type": "string"} for name in times}, "required": times},
    }
    for schema in schemas.values():
        _correct(schema)
    for name in ("WhatIfIn", "PreviewIn"):
        field = schemas[name]["properties"]["policy"]
        schemas[name]["properties"]["policy"] = {
            "$ref": POLICY,
            "description": field.get("description", ""),
        }


def _correct(schema: Any) -> None:
    """Put right what FastAPI says wrongly, in place and all the way down."""
    if isinstance(schema, list):
        for one in schema:
            _correct(one)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "integer":
        # FastAPI keeps bounds as floats, of which the largest is not an int64 any more.
        for bound in ("minimum", "maximum"):
            if isinstance(schema.get(bound), float):
                schema[bound] = min(int(schema[bound]), INT64_MAX)
    if "default" in schema and schema["default"] is None and "anyOf" not in schema:
        # Pydantic names the default of a field that may be left out, and not be null.
        del schema["default"]
    for one in schema.values():
        _correct(one)


def settle_parameters(operation: dict[str, Any]) -> None:
    """Take null out of parameters, in place: one that has no value is not sent."""
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        kinds = [kind for kind in schema.pop("anyOf", ()) if kind != {"type": "null"}]
        if kinds:
            schema |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        name = parameter["name"] = NAMES.get(parameter["name"], parameter["name"])
        _correct(schema)
        if name == "If-Match":
            # The pattern bounds the length, too.
            schema.pop("maxLength", None)
            schema["pattern"] = IF_MATCH
        description = schema.pop("description", None)
        if description is not None:
            parameter.setdefault("description", description)


def _if_action(
    action: str, payload: dict[str, Any], *, required: bool = False
) -> dict[str, dict[str, Any]]:
    then: dict[str, Any] = {"properties": {"payload": payload}}
    if required:
        then["required"] = ["payload"]
    return {
        "if": {"properties": {"action": {"const": action}}, "required": ["action"]},
        "then": then,
    }
