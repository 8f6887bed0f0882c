"""What an operation answers besides success, and with which headers, as its document says it.

Most follows from what the operation takes: a token, a body, an id, an ``If-Match``. The rest is
named here, operation by operation. Every status has its own entry; there is no blanket one.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"
PROBLEM = {"$ref": "#/components/schemas/ProblemDocument"}

WHY: dict[HTTPStatus, str] = {
    HTTPStatus.UNAUTHORIZED: "There is no access token, or it does not hold",
    HTTPStatus.FORBIDDEN: "The access token lacks a scope",
    HTTPStatus.NOT_FOUND: "There is no such thing",
    HTTPStatus.CONFLICT: "It is there already, is going on, or is still referred to",
    HTTPStatus.GONE: "It was there once, and will not be again",
    HTTPStatus.PRECONDITION_FAILED: "The row is at another version than `If-Match` names",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too long",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is of another media type",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The request is not valid; `errors` names the fields",
    HTTPStatus.TOO_MANY_REQUESTS: "The caller asks too often, or holds too much open",
    HTTPStatus.SERVICE_UNAVAILABLE: "Something that is needed does not answer; try again",
}

MORE: dict[str, tuple[HTTPStatus, ...]] = {
    "create_client": (HTTPStatus.CONFLICT,),
    "create_order": (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    "decide": (HTTPStatus.NOT_FOUND,),
    "list_clients": (HTTPStatus.GONE,),
    "list_dead_letters": (HTTPStatus.NOT_FOUND,),
    "preview_backfill": (),
    "preview_policy": (HTTPStatus.NOT_FOUND,),
    "preview_replay": (HTTPStatus.NOT_FOUND,),
    "read_current_policy": (HTTPStatus.NOT_FOUND,),
    "read_effect": (HTTPStatus.NOT_FOUND,),
    "replay_clients": (HTTPStatus.NOT_FOUND,),
    "replay_dead_letters": (HTTPStatus.NOT_FOUND,),
}
"""What does not follow from what an operation takes, by its id."""

TEXT: dict[str, Any] = {"type": "string"}
REQUEST_ID = {"X-Request-ID": "request-id"}
ON_PROBLEM: dict[HTTPStatus, dict[str, str]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "challenge"},
    HTTPStatus.FORBIDDEN: {"WWW-Authenticate": "challenge"},
    HTTPStatus.CONFLICT: {"Retry-After": "perhaps-retry-after"},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "retry-after"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "retry-after"},
}
ETAG, LOCATION, REPLAYED = "ETag", "Location", "Idempotent-Replayed"
VERSIONED = frozenset(
    (
        "create_client read_client update_client create_order read_order update_order "
        "publish_policy read_current_policy read_policy"
    ).split()
)
LOCATED = frozenset(
    (
        "create_client create_order publish_policy "
        "backfill replay_clients replay_dead_letters try_policy"
    ).split()
)

HEADERS: dict[str, dict[str, Any]] = {
    "request-id": {
        "description": "Names the request, as in the server's log and in the audit",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
        "example": "5f0c9b1e-6a5d-4f57-9b7a-2f6f0f1f7c11",
    },
    "etag": {
        "description": "The row's version, for `If-Match`",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9]{1,19}"$'},
        "example": '"7"',
    },
    "location": {
        "description": "Where what was created is to be read",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
        "example": "/api/clients/42",
    },
    "replayed": {
        "description": "Present when this is the kept answer to a request with the same key",
        "schema": {"type": "string", "const": "true"},
        "example": "true",
    },
    "challenge": {
        "description": "As RFC 6750 has it: what is wrong with the token, or which scope it lacks",
        "required": True,
        "schema": {"type": "string", "pattern": "^Bearer"},
        "example": 'Bearer error="insufficient_scope", scope="clients:read"',
    },
    "retry-after": {
        "description": "Seconds until it makes sense to try again",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "example": 1,
    },
    "perhaps-retry-after": {
        "description": "Seconds until it makes sense to try again, where waiting helps",
        "schema": {"type": "integer", "minimum": 1},
        "example": 1,
    },
}


def complete(operation: dict[str, Any]) -> None:
    """Give an operation of the API its problems and headers, in place."""
    responses: dict[str, Any] = operation["responses"]
    # FastAPI's own: another media type, another shape.
    responses.pop("422", None)
    for code, response in responses.items():
        if code.startswith("2"):
            headers = dict(_on_success(operation))
            response["headers"] = {**response.get("headers", {}), **_refs(headers)}
    for status in sorted({*_problems(operation), *MORE.get(operation["operationId"], ())}):
        responses[str(int(status))] = {
            "description": WHY[status],
            "headers": _refs({**REQUEST_ID, **ON_PROBLEM.get(status, {})}),
            "content": {MEDIA_TYPE: {"schema": PROBLEM, "example": _example(status)}},
        }


def _problems(operation: dict[str, Any]) -> Iterator[HTTPStatus]:
    parameters = operation.get("parameters", [])
    names = {parameter["name"].lower() for parameter in parameters}
    if operation.get("security"):
        yield from (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)
    yield HTTPStatus.TOO_MANY_REQUESTS
    if parameters or "requestBody" in operation:
        yield HTTPStatus.UNPROCESSABLE_ENTITY
    if "requestBody" in operation:
        yield from (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if any(parameter["in"] == "path" for parameter in parameters):
        yield HTTPStatus.NOT_FOUND
    if "if-match" in names:
        yield from (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT)
    if "idempotency-key" in names:
        yield HTTPStatus.CONFLICT
        if "bulk" not in operation["tags"]:
            yield HTTPStatus.GONE


def _on_success(operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from REQUEST_ID.items()
    if operation["operationId"] in VERSIONED:
        yield ETAG, "etag"
    if operation["operationId"] in LOCATED:
        yield LOCATION, "location"
    if any(p["name"].lower() == "idempotency-key" for p in operation.get("parameters", [])):
        yield REPLAYED, "replayed"


def _refs(headers: dict[str, str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{key}"} for name, key in headers.items()}


def _example(status: HTTPStatus) -> dict[str, Any]:
    document = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": WHY[status].lower().replace("`", ""),
    }
    if status is HTTPStatus.UNPROCESSABLE_ENTITY:
        document |= {
            "detail": "the request is not valid",
            "errors": [{"field": "query.limit", "detail": "Input should be less than or equal to"}],
        }
    return document
