"""Lines out of a streamed body, however it is cut into parts."""

import random
from collections.abc import AsyncIterator

import pytest

from client_api.web.ndjson import LINE_BYTES_MAX, Line, lines_of


async def _parts(body: bytes, chance: random.Random) -> AsyncIterator[bytes]:
    while body:
        cut = chance.randrange(1, 9)
        yield body[:cut]
        body = body[cut:]


async def _whole(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize("seed", range(20))
async def test_the_cuts_of_the_network_do_not_matter(seed: int) -> None:
    """Lines and their numbers are the same wherever the parts begin and end."""
    body = b'{"a":1}\n\n  \n{"b":2}\r\nlast'
    found = [line async for line in lines_of(_parts(body, random.Random(seed)))]
    assert found == [Line(1, b'{"a":1}'), Line(4, b'{"b":2}\r'), Line(5, b"last")]


async def test_a_line_without_end_is_named_and_not_kept() -> None:
    """However long it is, it costs no memory, and the next line is read again."""
    part = b"x" * (LINE_BYTES_MAX // 2)
    found = [line async for line in lines_of(_whole(b"a\n", *[part] * 9, b"\nb\n", *[part] * 9))]
    assert found == [Line(1, b"a"), Line(2, None), Line(3, b"b"), Line(4, None)]


async def test_an_empty_body_has_no_lines() -> None:
    """Nothing in, nothing out."""
    assert [line async for line in lines_of(_whole(b"", b"\n", b" "))] == []
