"""Where the next page begins: the sort key of the last row, opaque to callers."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, TypeVar

import orjson
from pydantic import AwareDatetime, Field, TypeAdapter

from client_api.problems import Invalid

Id = Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
EpisodeId = Annotated[str, Field(max_length=64, pattern=r"^[0-9-]+$")]

BY_ID: TypeAdapter[tuple[int]] = TypeAdapter(tuple[Id])
BY_SCORE: TypeAdapter[tuple[float | None, int]] = TypeAdapter(tuple[Finite | None, Id])
"""Null score: the cursor stands among those without one, which come last."""
BY_TIME: TypeAdapter[tuple[datetime, int]] = TypeAdapter(tuple[AwareDatetime, Id])
BY_VALUE: TypeAdapter[tuple[float, str]] = TypeAdapter(tuple[Finite, EpisodeId])
BY_CREATION: TypeAdapter[tuple[datetime, str]] = TypeAdapter(tuple[AwareDatetime, EpisodeId])

Key = TypeVar("Key")


def encode(sort: str, *key: str | float | datetime | None) -> str:
    """Return the cursor behind the row with this sort key."""
    return urlsafe_b64encode(orjson.dumps([sort, *key])).decode().rstrip("=")


def decode(cursor: str | None, sort: str, shape: TypeAdapter[Key]) -> Key | None:
    """Return the key in a cursor that ``encode`` made for this sort; None stays None.

    Raises Invalid when it is none of ours, or belongs to another sort.
    """
    if cursor is None:
        return None
    try:
        key = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(key, list) and key[:1] == [sort]:
            return shape.validate_python(key[1:])
    except (ValueError, binascii.Error):
        pass  # answered below, as any other cursor that is not ours
    raise Invalid(
        "the cursor does not belong to this list",
        [("cursor", "use the 'next' of the page before, with the same sort")],
    )
