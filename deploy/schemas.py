"""Strict JSON schemas for kubeconform: what a schema does not name is an error.

Those of the built-in kinds come from the package that ``tools.py`` fetched, whose files share their
definitions in a way that kubeconform cannot follow. Those of operators come from their custom
resource definitions, which belong to the cluster and are not in this repository.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

SHARED = re.compile(r'"(?:/api/_definitions\.json)?#/\$defs/([^"]+)"')
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BRANCHES = ("oneOf", "anyOf", "allOf", "not")
"""They only restrict what stands beside them: closed, they would refuse everything."""


def built_in(source: Path, kinds: Iterable[str]) -> Iterator[tuple[str, Schema]]:
    """Yield the file name and the self-contained schema of each kind.

    ``source`` is a folder of the package's schemas; a kind is named as in ``deployment-apps-v1``.
    """
    definitions = json.loads((source / "_definitions.json").read_text())["$defs"]
    texts = {name: json.dumps(one) for name, one in definitions.items()}
    for kind in kinds:
        text = (source / f"{kind}.json").read_text()
        needed: dict[str, str] = {}
        wanted = SHARED.findall(text)
        while wanted:
            name = wanted.pop()
            if name not in needed:
                needed[name] = texts[name]
                wanted += SHARED.findall(texts[name])
        schema = json.loads(_local(text))
        # References are resolved against it, if it is there.
        schema.pop("$id", None)
        schema["$defs"] = {name: json.loads(_local(text)) for name, text in needed.items()}
        yield f"{kind}.json", schema


def custom(definitions: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Schema]]:
    """Yield the file name and the schema of each served version of custom resources."""
    for definition in definitions:
        spec = definition["spec"]
        for version in spec["versions"]:
            if not version.get("served"):
                continue
            schema = closed(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": {"type": "object"},
            }
            schema["required"] = sorted(
                {*schema.get("required", []), "apiVersion", "kind", "metadata"}
            )
            kind = spec["names"]["kind"].lower()
            yield f"{spec['group']}/{kind}_{version['name']}.json", schema


def definitions_in(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the custom resource definitions in the YAML files of a folder, lists unpacked."""
    for file in sorted(folder.glob("*.yaml")):
        for document in yaml.load_all(file.read_text(), Loader=LOADER):
            for one in (document or {}).get("items", [document]):
                if one and one.get("kind") == "CustomResourceDefinition":
                    yield one


def closed(schema: Any) -> Any:
    """Return a schema that refuses what it does not name, unless it is open on purpose."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: one if name in BRANCHES else closed(one) for name, one in schema.items()}
    if strict.pop("x-kubernetes-int-or-string", False):
        strict["type"] = ["integer", "string"]
    is_open = strict.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(strict.get("properties"), dict) and not is_open:
        strict.setdefault("additionalProperties", False)
    if strict.pop("nullable", False) and isinstance(strict.get("type"), str):
        strict["type"] = [strict["type"], "null"]
    return strict


def _local(text: str) -> str:
    return SHARED.sub(r'"#/$defs/\1"', text)
