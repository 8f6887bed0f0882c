"""deploy/docker-compose.yml as tests look at it: read, and with its variables filled in."""

import re
from typing import Any

import yaml

from stack import compose_env
from stack.places import ROOT

FILE = ROOT / "deploy" / "docker-compose.yml"
VARIABLE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?:(?P<how>:-|:\?)(?P<word>[^}]*))?\}")
"""The forms of https://docs.docker.com/reference/compose-file/interpolation/ that the file uses."""


def raw() -> dict[str, Any]:
    """Return the file with variables as they stand there."""
    document: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return document


def filled(variables: dict[str, str]) -> dict[str, Any]:
    """Return the file as Compose sees it; raises KeyError for a variable that must be set."""
    document: dict[str, Any] = _filled(raw(), variables)
    return document


def usual() -> dict[str, Any]:
    """Return the file as it is after `make compose-env`, without a model of one's own."""
    return filled(compose_env.completed({}, {}))


def environment(service: dict[str, Any]) -> dict[str, str]:
    """Return what a service is told."""
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def _filled(part: Any, variables: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {key: _filled(value, variables) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, variables) for value in part]
    if isinstance(part, str):
        return VARIABLE.sub(lambda found: _value(found, variables), part)
    return part


def _value(found: re.Match[str], variables: dict[str, str]) -> str:
    name, how, word = found["name"], found["how"], found["word"]
    if name is None:
        return "$"
    if how == ":-":
        return variables.get(name) or word
    if how == ":?" and not variables.get(name):
        raise KeyError(f"{name}: {word}")
    return variables[name]
