"""Kubernetes documents as text: how every generated file is written."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

Document = Mapping[str, Any]

HEADER = "# Written by `make manifests` from {source}; do not edit.\n"


class Inline(dict[str, Any]):
    """A mapping that is written on one line."""


class Block(str):
    """A text that is written as it is, line by line."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Indents lists, so that the files look as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)


def _inline(dumper: yaml.SafeDumper, mapping: Inline) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", mapping, flow_style=True)


def _block(dumper: yaml.SafeDumper, text: Block) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


_Dumper.add_representer(Inline, _inline)
_Dumper.add_representer(Block, _block)


def dump(documents: Sequence[Document], source: str) -> str:
    """Return the documents as one YAML file that says where it comes from."""
    texts = [
        yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=1000)
        for document in documents
    ]
    return HEADER.format(source=source) + "---\n".join(texts)
