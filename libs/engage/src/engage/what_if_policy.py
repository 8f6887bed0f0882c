"""The policy to be tried: a file, and single values on top, over the policy in force."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from common.score.policy import Policy
from engage.frame import BadInput

EMAILS = "emails"
"""The part of a policy's row that the scorer is never told."""

FITTED_SCHEMA = 1
"""The version of the parameter files that ``score-fit`` writes and this reads."""


def candidate_of(present: Policy, file: Path | None, settings: Sequence[str]) -> Policy:
    """Return the present policy with what the file and then the settings say instead.

    ``settings`` look like ``theta=0.4`` or ``weights.recency=0.6``. Raises BadInput with one line.
    """
    if file is None and not settings:
        raise BadInput("say what is to be tried: --policy FILE, or --set theta=0.4")
    over = [] if file is None else [(str(file), _read(file))]
    return laid_over(present, *over, *((f"--set {one}", _parsed(one)) for one in settings))


def laid_over(present: Policy, *over: tuple[str, Mapping[str, Any]]) -> Policy:
    """Return the present policy with (name, document) pairs laid over it, one after another.

    A document is a policy or a part of one; its rules of emails are passed over, since they decide
    nothing about who is at risk. Raises BadInput with one line.
    """
    document = present.model_dump()
    for name, each in over:
        scoring = {field: value for field, value in each.items() if field != EMAILS}
        _lay_over(document, scoring, name)
    try:
        # The version only orders policies; a trial has none, and bears the present one's.
        return Policy.model_validate({**document, "version": present.version})
    except ValidationError as error:
        raise BadInput(f"this is no policy: {_reasons(error)}") from None


def _read(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text())
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise BadInput(f"{file} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadInput(f"{file} holds no object")
    if "schema_version" not in found:
        return found
    fitted = found.get("policy")
    if found["schema_version"] != FITTED_SCHEMA or not isinstance(fitted, dict):
        raise BadInput(f"{file} is no parameter file of schema version {FITTED_SCHEMA}")
    return fitted


def _parsed(setting: str) -> Mapping[str, Any]:
    name, equals, text = setting.partition("=")
    if not equals or not name.strip():
        raise BadInput(f"--set takes NAME=VALUE, as theta=0.4, not {setting!r}")
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    for part in reversed(name.strip().split(".")):
        value = {part: value}
    return dict(value)


def _lay_over(document: dict[str, Any], over: Mapping[str, Any], where: str) -> None:
    """Replace values in place, one level into groups such as the weights."""
    for name, value in over.items():
        if name not in document:
            raise BadInput(
                f"{where}: a policy has no field {name!r}; it has {', '.join(sorted(document))}"
            )
        if isinstance(document[name], dict) and isinstance(value, dict):
            _lay_over(document[name], value, where)
        else:
            document[name] = value


def _reasons(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in e['loc']) or 'policy'}: {e['msg']}"
        for e in error.errors(include_url=False, include_context=False, include_input=False)
    )
