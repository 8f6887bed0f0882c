"""One page of a list from one row more than was asked for; and versions as ETags."""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Header, Response

from client_api.problems import Invalid
from client_api.shapes.responses import Page

RowT = TypeVar("RowT")

ETAGS_MAX = 20
_ETAG = re.compile(r'"(\d{1,19})"')


def page_of(rows: list[RowT], limit: int, cursor: Callable[[RowT], str]) -> Page[RowT]:
    """Cut ``limit`` rows from ``limit + 1``; the cursor names the last row shown."""
    shown = rows[:limit]
    return Page(items=shown, next=cursor(shown[-1]) if len(rows) > limit else None)


def set_etag(response: Response, version: int) -> None:
    """Name the row's version in the answer."""
    response.headers["ETag"] = f'"{version}"'


def versions_of(
    if_match: Annotated[
        str | None, Header(max_length=1000, description="ETags; * takes any version")
    ] = None,
) -> list[int] | None:
    """Return the versions that If-Match names; None means any."""
    if if_match is None or if_match.strip() == "*":
        return None
    versions = []
    for part in if_match.split(",", ETAGS_MAX):
        found = _ETAG.fullmatch(part.strip())
        if found is None or int(found[1]) >= 2**63:
            raise Invalid("If-Match names no ETag of ours", [("header.if-match", 'use "123"')])
        versions.append(int(found[1]))
    return versions
