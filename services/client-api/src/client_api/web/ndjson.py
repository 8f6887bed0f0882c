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


class TooMuch(Exception):
    """A body goes on beyond a bound; the lines before it were yielded."""

    def __init__(self, lines: int, bound: str) -> None:
        """``lines`` is the number of the last one before it."""
        super().__init__(bound)
        self.lines = lines
        self.bound = bound


async def lines_of(
    body: AsyncIterator[bytes], *, lines_max: int, bytes_max: int
) -> AsyncIterator[Line]:
    """Yield the lines of a body with their numbers, from 1; blank ones are skipped.

    Raises TooMuch behind the last line within both bounds.
    """
    number = 0
    size = 0
    rest = b""
    too_long = False
    async for part in body:
        beyond = (size := size + len(part)) > bytes_max
        kept = part[: len(part) - (size - bytes_max)] if beyond else part
        *whole, rest = (rest + kept).split(b"\n")
        for raw in whole:
            if number == lines_max:
                raise TooMuch(number, f"{lines_max} lines")
            number += 1
            if too_long or len(raw) > LINE_BYTES_MAX:
                yield Line(number, None)
            elif raw.strip():
                yield Line(number, raw)
            too_long = False
        if beyond:
            raise TooMuch(number, f"{bytes_max} bytes")
        if len(rest) > LINE_BYTES_MAX:
            # The end of this line has yet to come; what it says is lost already.
            rest, too_long = b"", True
    if too_long or rest.strip():
        if number == lines_max:
            raise TooMuch(number, f"{lines_max} lines")
        yield Line(number + 1, None if too_long or len(rest) > LINE_BYTES_MAX else rest)
