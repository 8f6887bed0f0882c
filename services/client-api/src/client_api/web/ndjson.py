"""Lines out of a streamed body, in bounded memory."""

from collections.abc import AsyncIterator
from typing import NamedTuple

MEDIA_TYPE = "application/x-ndjson"
MEDIA_TYPES = frozenset({MEDIA_TYPE, "application/ndjson", "application/jsonl"})
LINE_BYTES_MAX = 64 * 1024
"""Far more than any row needs."""


class Line(NamedTuple):
    """One line that is not blank; ``raw`` is None when it was too long to keep."""

    number: int
    raw: bytes | None


async def lines_of(body: AsyncIterator[bytes]) -> AsyncIterator[Line]:
    """Yield the lines of a body with their numbers, from 1; blank ones are skipped."""
    number = 0
    rest = b""
    too_long = False
    async for part in body:
        *whole, rest = (rest + part).split(b"\n")
        for raw in whole:
            number += 1
            if too_long or len(raw) > LINE_BYTES_MAX:
                yield Line(number, None)
            elif raw.strip():
                yield Line(number, raw)
            too_long = False
        if len(rest) > LINE_BYTES_MAX:
            # The end of this line has yet to come; what it says is lost already.
            rest, too_long = b"", True
    if too_long or rest.strip():
        yield Line(number + 1, None if too_long or len(rest) > LINE_BYTES_MAX else rest)
