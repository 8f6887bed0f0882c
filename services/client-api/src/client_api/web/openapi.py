"""The OpenAPI document: FastAPI's, with what it cannot know put in its place."""

from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from client_api.live.events import EVENTS
from client_api.shapes.responses import ProblemDocument
from client_api.web import rules
from client_api.web.documented import HEADERS, complete
from client_api.web.examples import illustrate

REPLACED = ("HTTPValidationError", "ValidationError")
CLOSED = "/api/"
TAGS = {
    "clients": "Clients, their scores, and all that is kept about one",
    "orders": "Orders, of which the scores are a function",
    "bulk": "Many rows at once, as newline-delimited JSON",
    "emails": "Emails to clients at risk: drafts, decisions, what came of them",
    "episodes": "Silences in which a client fell at risk",
    "shop": "The whole shop: figures and rules",
    "operations": "What operators see and do",
    "events": "What happens, as it happens",
    "access": "Who asks, and where to sign in",
    "health": "Whether the process lives, and can serve",
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
            tags=[{"name": name, "description": text} for name, text in TAGS.items()],
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
        found["components"]["headers"] = HEADERS
        rules.lay_down(schemas)
        for path, operations in found["paths"].items():
            for operation in operations.values():
                rules.settle_parameters(operation)
                if path.startswith(CLOSED):
                    complete(operation)
        illustrate(found)
        app.openapi_schema = found
    return app.openapi_schema
