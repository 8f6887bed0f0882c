"""JSON of hot reads: fields as they came from Postgres, in the shape of the route's model.

The routes name their model for the OpenAPI document; a test holds that it takes all that goes out.
A score, which is worked out, is a model already.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from fastapi import Response
from pydantic import BaseModel

OPTIONS = orjson.OPT_UTC_Z
MEDIA_TYPE = "application/json"

Fields = dict[str, Any]


def page(
    rows: Sequence[Fields],
    limit: int,
    cursor: Callable[[Fields], str],
    told: Callable[[Fields], Fields] | None = None,
) -> Response:
    """Answer with ``limit`` of ``limit + 1`` rows; the cursor names the last one shown.

    ``told`` is what a row goes out as, where the cursor needs more of it than that.
    """
    shown = rows[:limit]
    behind = cursor(shown[-1]) if len(rows) > limit else None
    items = shown if told is None else [told(row) for row in shown]
    return whole({"items": items, "next": behind})


def one(row: Fields) -> Response:
    """Answer with one versioned row, and its version as the ETag."""
    return whole(row, {"ETag": f'"{row["version"]}"'})


def whole(found: Fields, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with fields as they are."""
    return Response(orjson.dumps(found, option=OPTIONS), media_type=MEDIA_TYPE, headers=headers)


def model(row: BaseModel) -> Response:
    """Answer with a row that is a model already."""
    return Response(row.model_dump_json(), media_type=MEDIA_TYPE)
