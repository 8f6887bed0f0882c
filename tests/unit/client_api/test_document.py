"""The document of the API is OpenAPI 3.1, gives each answer by itself, and has true examples."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from client_api.auth.scopes import Scope
from client_api.web.app import describe
from client_api.web.documented import LOCATED, MORE, VERSIONED

DOCUMENT: dict[str, Any] = json.loads(json.dumps(describe().openapi()))
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def _validator(schema: Any) -> Draft202012Validator:
    return Draft202012Validator(
        {**schema, "components": DOCUMENT["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def _bodies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, (_, _, operation) in OPERATIONS.items():
        for kind, holder in [("request", operation.get("requestBody", {})), *_answers(operation)]:
            for media_type, body in holder.get("content", {}).items():
                yield f"{name} {kind}", media_type, body


def _answers(operation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(code, response) for code, response in operation["responses"].items()]


def test_the_document_is_valid_openapi() -> None:
    """As the specification's own schema of 3.1 has it, examples and defaults included."""
    assert DOCUMENT["openapi"].startswith("3.1.")
    validate(DOCUMENT)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_model_has_a_true_example(name: str) -> None:
    """Each example is valid by its own model."""
    examples = SCHEMAS[name]["examples"]
    assert examples
    for example in examples:
        _validator(SCHEMAS[name]).validate(example)


def test_every_body_has_a_true_example() -> None:
    """Requests, answers and problems; streamed ones are texts."""
    for where, media_type, body in _bodies():
        assert "example" in body, (where, media_type)
        _validator(body["schema"]).validate(body["example"])


def test_every_parameter_is_explained_by_a_true_example() -> None:
    """Also headers of answers."""
    for name, (_, _, operation) in OPERATIONS.items():
        for parameter in operation.get("parameters", ()):
            assert "example" in parameter or "enum" in parameter["schema"], (name, parameter)
            if "example" in parameter:
                _validator(parameter["schema"]).validate(parameter["example"])
    for header in DOCUMENT["components"]["headers"].values():
        _validator(header["schema"]).validate(header["example"])


def test_no_operation_has_a_blanket_answer() -> None:
    """Every status stands by itself, and every problem is a problem document."""
    for name, (_, path, operation) in OPERATIONS.items():
        assert "default" not in operation["responses"], name
        for code, response in operation["responses"].items():
            if path.startswith("/api/") and code >= "400":
                assert list(response["content"]) == ["application/problem+json"], (name, code)


def test_every_operation_says_what_it_is_for() -> None:
    """A description, one of the tags that the document explains, and a scope that there is."""
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    scopes = {scope.value for scope in Scope}
    for name, (_, _, operation) in OPERATIONS.items():
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name
        for asked in operation.get("security", ()):
            assert set(asked["oidc"]) <= scopes, name
    assert tags == {tag for _, _, operation in OPERATIONS.values() for tag in operation["tags"]}


def test_the_lists_of_special_operations_name_operations_that_there_are() -> None:
    """A route that is renamed takes its entry along."""
    assert {*MORE, *LOCATED, *VERSIONED} <= set(OPERATIONS)
