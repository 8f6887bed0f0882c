"""The events as contracts: JSON Schemas and an AsyncAPI document, generated from the models.

``python -m common.contracts contracts`` writes them. It refuses a change that a reader of the
committed version could not read: within a version of a type, only optional fields are added.
"""

import json
import sys
from pathlib import Path
from typing import Any, cast

from common import topics
from common.events import TYPES, Data, Event

Schema = dict[str, Any]

ON_TOPIC: dict[str, tuple[str, ...]] = {
    topics.LIVE.name: (
        "client.changed.v1",
        "order.changed.v1",
        "order.removed.v1",
        "client.erased.v1",
    ),
    topics.BACKFILL.name: (
        "client.changed.v1",
        "order.changed.v1",
        "order.removed.v1",
        "client.erased.v1",
    ),
    topics.CONTROL.name: (
        "tick.v1",
        "snapshot.v1",
        "policy.published.v1",
        "generation.announced.v1",
    ),
    topics.SCORES.name: ("client.scored.v1",),
    topics.AT_RISK.name: ("episode.opened.v1", "episode.closed.v1"),
}
"""Which event types each topic carries."""


def schema_of(name: str) -> Schema:
    """Return the JSON Schema of a type's whole event, as its writer produces it."""
    model = cast("type[Event[Data]]", Event.__class_getitem__(TYPES[name]))
    schema: Schema = model.model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = name
    schema["properties"]["type"] = {"const": name}
    return schema


def asyncapi() -> Schema:
    """Return the AsyncAPI 3.0 document of all topics that carry domain events."""
    by_name = {topic.name: topic for topic in topics.TOPICS}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Client engagement: topics",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in structured JSON over Kafka.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            name: {
                "address": name,
                "title": by_name[name].holds,
                "description": (
                    f"Key: {by_name[name].key}. Written by {by_name[name].written_by}; "
                    f"read by {by_name[name].read_by}."
                ),
                "messages": {
                    kind: {"$ref": f"#/components/messages/{kind}"} for kind in ON_TOPIC[name]
                },
                "bindings": {
                    "kafka": {"topic": name, "topicConfiguration": _kafka_binding(by_name[name])}
                },
            }
            for name in ON_TOPIC
        },
        "operations": {
            f"{verb}-{name}": {
                "action": verb,
                "channel": {"$ref": f"#/channels/{name}"},
                "title": who,
            }
            for name in ON_TOPIC
            for verb, who in (
                ("send", by_name[name].written_by),
                ("receive", by_name[name].read_by),
            )
        },
        "components": {
            "messages": {
                kind: {
                    "name": kind,
                    "contentType": "application/cloudevents+json",
                    "payload": {
                        "schemaFormat": "application/schema+json;version=draft-2020-12",
                        "schema": {"$ref": f"./events/{kind}.schema.json"},
                    },
                }
                for kind in TYPES
            }
        },
    }


def _kafka_binding(topic: topics.Topic) -> Schema:
    return {"cleanup.policy": topic.cleanup.split(",")}


def differences(old: Schema, new: Schema, at: str = "") -> list[str]:
    """Say why readers and writers of two schemas of one type could not understand each other.

    A property that stays must keep its meaning, none may vanish, and what is required must stay
    so: then old readers find all they need, and new readers can read what was written before.
    """
    found = []
    if set(old.get("required", [])) != set(new.get("required", [])):
        found.append(f"{at or 'event'}: the required fields changed")
    added = set(new.get("properties", {})) - set(old.get("properties", {}))
    if added and old.get("additionalProperties") is False:
        found.append(f"{at or 'event'}: old readers refuse the new fields {sorted(added)}")
    for name, known in old.get("properties", {}).items():
        place = f"{at}.{name}" if at else name
        if name not in new.get("properties", {}):
            found.append(f"{place}: was removed")
        elif _meaning(known) != _meaning(new["properties"][name]):
            found.append(f"{place}: changed its type or bounds")
    for name, known in old.get("$defs", {}).items():
        if name not in new.get("$defs", {}):
            found.append(f"{name}: was removed")
        else:
            found += differences(known, new["$defs"][name], name)
    return found


def _meaning(schema: Any) -> Any:
    """A property's schema without what only people read."""
    if isinstance(schema, dict):
        prose = {"title", "description", "examples"}
        return {key: _meaning(value) for key, value in schema.items() if key not in prose}
    if isinstance(schema, list):
        return [_meaning(item) for item in schema]
    return schema


def documents() -> dict[str, Schema]:
    """Return every generated document by its path below ``contracts``."""
    return {
        "asyncapi.json": asyncapi(),
        **{f"events/{name}.schema.json": schema_of(name) for name in TYPES},
    }


def render(document: Schema) -> str:
    """Return a document as it is committed."""
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def write(folder: Path) -> int:
    """Write all documents below ``folder``; return 1 and write nothing where a type would break."""
    broken = []
    for path, document in documents().items():
        target = folder / path
        if path.startswith("events/") and target.is_file():
            broken += [
                f"{path}: {problem}"
                for problem in differences(json.loads(target.read_text()), document)
            ]
    if broken:
        sys.stderr.write("\n".join(["refused: make a new version of the type", *broken]) + "\n")
        return 1
    for path, document in documents().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render(document))
    return 0


if __name__ == "__main__":
    raise SystemExit(write(Path(sys.argv[1] if len(sys.argv) > 1 else "contracts")))
