"""Reads JSON as strictly as JSON Schema does: ``"1"`` and ``true`` are no integers, ``1.0`` is."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

ModelT = TypeVar("ModelT", bound=BaseModel)


def read(model: type[ModelT], raw: bytes) -> ModelT:
    """Return the model that a JSON text says; raises ValidationError."""
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        if not _misses_integers(error):
            raise
    return model.model_validate_json(to_json(_with_integers(from_json(raw))), strict=True)


def _misses_integers(error: ValidationError) -> bool:
    found = error.errors(include_url=False, include_context=False)
    return any(e["type"] == "int_type" and _is_whole(e["input"]) for e in found)


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _with_integers(value: Any) -> Any:
    """Write whole numbers without a fraction; to JSON Schema and to floats they are the same."""
    if isinstance(value, dict):
        return {name: _with_integers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_integers(part) for part in value]
    return int(value) if _is_whole(value) else value
