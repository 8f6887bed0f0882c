"""The OpenAPI document: FastAPI's, with our problem documents in place of its own errors."""

from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from client_api.live.events import EVENTS
from client_api.web.errors import MEDIA_TYPE
from client_api.web.responses import ProblemDocument

REPLACED = ("HTTPValidationError", "ValidationError")
ANY_PROBLEM = {
    "description": "A problem, as RFC 9457 has it",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
}


def dumps(app: FastAPI) -> str:
    """Return the document as the text that is kept in the repository."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    return orjson.dumps(document(app), option=options).decode() + "\n"


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the application."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version=app.openapi_version,
            description=app.description,
            routes=app.routes,
        )
        schemas = found["components"]["schemas"]
        for name in REPLACED:
            schemas.pop(name, None)
        shapes: list[type[BaseModel]] = [ProblemDocument, *EVENTS]
        _, ours = models_json_schema(
            [(shape, "serialization") for shape in shapes],
            ref_template="#/components/schemas/{model}",
        )
        schemas.update(ours["$defs"])
        for path, operations in found["paths"].items():
            for operation in operations.values():
                operation["responses"].pop("422", None)
                if path.startswith("/api/"):
                    operation["responses"]["default"] = ANY_PROBLEM
        app.openapi_schema = found
    return app.openapi_schema
