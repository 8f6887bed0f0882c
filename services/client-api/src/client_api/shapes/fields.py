"""Kinds of fields that callers send, each as strict as its schema says, which says all of it."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from common.policy import ShopPolicy

ID_GIVEN_MAX = 10**15
"""Callers may name ids up to here: the sequence, which moves past them, keeps room to count on, and
every id stays exact in JavaScript's numbers."""

NUL_FREE = "^[^\\u0000]*$"
"""What ``_without_nul`` checks, as a pattern of JSON Schema; Postgres keeps no NUL in a text."""
MONEY = r"^-?[0-9]{1,14}(\.[0-9]{1,2})?$"
COST = r"^[0-9]{1,6}(\.[0-9]{1,6})?$"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _is_a_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("is no known time zone")
    return name


def _written_as_moment(value: Any) -> Any:
    if not isinstance(value, datetime) and not (
        isinstance(value, str) and _MOMENT.fullmatch(value)
    ):
        raise ValueError("write it as RFC 3339 has it: 2026-01-31T09:30:00Z")
    # What a function hands on counts as Python's, of which strict takes no text for a moment.
    return datetime.fromisoformat(value.upper()) if isinstance(value, str) else value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999 of UTC") from None


def _written_as_day(value: Any) -> Any:
    if not isinstance(value, date) and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError("write it as 2026-01-31")
    return date.fromisoformat(value) if isinstance(value, str) else value


def _written_as(pattern: str, hint: str) -> BeforeValidator:
    """Return what takes a decimal as a string of this form alone; ``hint`` says how to write it."""

    def check(value: Any) -> Any:
        if not isinstance(value, Decimal) and not (
            isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) and value[-1] != "\n"
        ):
            raise ValueError(f"write it as a string with {hint}")
        return Decimal(value)

    return BeforeValidator(check)


def _is_part_of_a_policy(document: dict[str, Any]) -> dict[str, Any]:
    """Check each field; how they go together is known only with the policy that they change."""
    try:
        ShopPolicy.model_validate_json(orjson.dumps(document), strict=True)
    except ValidationError as error:
        if any(found["loc"] for found in error.errors()):
            raise
    return document


NulFree = AfterValidator(_without_nul)
SaysNulFree = Field(json_schema_extra={"pattern": NUL_FREE})
"""Beside ``NulFree``, where no other pattern says more."""

GivenId = Annotated[int, Field(ge=1, le=ID_GIVEN_MAX)]
RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100), NulFree, SaysNulFree]
Surname = Annotated[str, StringConstraints(max_length=100), NulFree, SaysNulFree]
Email = Annotated[
    str,
    StringConstraints(
        max_length=320, pattern=r"^[^@\s\x00-\x1f\x7f-\x9f\uFEFF]+@[^@\s\x00-\x1f\x7f-\x9f\uFEFF]+$"
    ),
]
Phone = Annotated[str, StringConstraints(max_length=50), NulFree, SaysNulFree]
Address = Annotated[str, StringConstraints(max_length=500), NulFree, SaysNulFree]
StyleTag = Annotated[str, StringConstraints(min_length=1, max_length=50), NulFree, SaysNulFree]
StyleTags = Annotated[list[StyleTag], Field(max_length=20)]
TimeZone = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_is_a_zone),
    Field(json_schema_extra={"format": "iana-time-zone"}),
]
Moment = Annotated[AwareDatetime, BeforeValidator(_written_as_moment), AfterValidator(_in_utc)]
"""With its offset; in UTC from here on."""
Day = Annotated[date, BeforeValidator(_written_as_day)]
Amount = Annotated[
    Decimal,
    Field(max_digits=16, decimal_places=2, allow_inf_nan=False),
    _written_as(MONEY, 'two decimals at most: "29.90"'),
    WithJsonSchema({"type": "string", "pattern": MONEY, "examples": ["29.90"]}),
]
"""Money as a decimal string."""
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Category = Annotated[str, StringConstraints(min_length=1, max_length=100), NulFree, SaysNulFree]
DraftHash = Annotated[str, StringConstraints(max_length=128), NulFree, SaysNulFree]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500), NulFree, SaysNulFree]
PartOfPolicy = Annotated[dict[str, Any], AfterValidator(_is_part_of_a_policy)]
"""A policy, or those of its fields that differ from the one in force."""
Cost = Annotated[
    Decimal,
    Field(max_digits=12, decimal_places=6, allow_inf_nan=False),
    _written_as(COST, 'six decimals at most: "0.02"'),
    WithJsonSchema({"type": "string", "pattern": COST, "examples": ["0.02"]}),
]
"""What one of many costs: a decimal string with more places than money has."""
Cursor = Annotated[
    str, StringConstraints(max_length=400), Field(json_schema_extra={"format": "cursor"})
]
Search = Annotated[str, StringConstraints(min_length=1, max_length=100), NulFree, SaysNulFree]
