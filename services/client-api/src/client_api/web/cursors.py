"""Where the next page begins: the sort key of the last row, opaque to callers.

Of a list that goes by the scores of one day the cursor also tells the day: on another one clients
have other places, and to go on would skip some and repeat others.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import AwareDatetime, Field, TypeAdapter

from client_api.problems import Invalid
from client_api.shapes.episodes import EpisodeSort

Id = Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)]
Offset = Annotated[int, Field(ge=0, lt=2**63 - 1, strict=True)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
EpisodeId = Annotated[str, Field(max_length=64, pattern=r"^[0-9-]+$")]

BY_ID: TypeAdapter[tuple[int]] = TypeAdapter(tuple[Id])
BY_OFFSET: TypeAdapter[tuple[int]] = TypeAdapter(tuple[Offset])
BY_SCORE: TypeAdapter[tuple[float | None, int]] = TypeAdapter(tuple[Finite | None, Id])
"""Null score: the cursor stands among those without one, which come last."""
BY_TIME: TypeAdapter[tuple[datetime, int]] = TypeAdapter(tuple[AwareDatetime, Id])
BY_VALUE: TypeAdapter[tuple[float, str]] = TypeAdapter(tuple[Finite, EpisodeId])
BY_CREATION: TypeAdapter[tuple[datetime, str]] = TypeAdapter(tuple[AwareDatetime, EpisodeId])
OF_EPISODES: Mapping[EpisodeSort, TypeAdapter[Any]] = {"-value": BY_VALUE, "-created": BY_CREATION}
"""Lists of episodes and of their emails, by their sort."""

OF_DAY = "@"

Key = TypeVar("Key")


def encode(sort: str, *key: str | float | datetime | None, day: date | None = None) -> str:
    """Return the cursor behind the row with this sort key, in a list of this day if it has one."""
    name = sort if day is None else f"{sort}{OF_DAY}{day.isoformat()}"
    return urlsafe_b64encode(orjson.dumps([name, *key])).decode().rstrip("=")


def decode(cursor: str | None, sort: str, shape: TypeAdapter[Key]) -> Key | None:
    """Return the key in a cursor that ``encode`` made for this sort; None stays None.

    Raises Invalid when it is none of ours, or belongs to another sort.
    """
    if cursor is None:
        return None
    try:
        name, key = _read(cursor)
        if name.partition(OF_DAY)[0] == sort:
            return shape.validate_python(key)
    except ValueError:
        pass  # answered below, as any other cursor that is not ours
    raise _not_ours()


def day_of(cursor: str) -> date | None:
    """Return the day of the list that a cursor belongs to, if it has one; raises Invalid."""
    try:
        _, dated, day = _read(cursor)[0].partition(OF_DAY)
        return date.fromisoformat(day) if dated else None
    except ValueError:
        raise _not_ours() from None


def _read(cursor: str) -> tuple[str, list[Any]]:
    """Return a cursor's name and key; raises ValueError."""
    found = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    if not isinstance(found, list) or not found or not isinstance(found[0], str):
        raise ValueError(cursor)
    return found[0], found[1:]


def _not_ours() -> Invalid:
    return Invalid(
        "the cursor does not belong to this list",
        [("cursor", "use the 'next' of the page before, with the same sort")],
    )
