"""Lines out of a streamed body, however it is cut into parts."""

import random
from collections.abc import AsyncIterator

import pytest

from client_api.web.ndjson import LINE_BYTES_MAX, Line, TooMuch, lines_of


async def _parts(body: bytes, chance: random.Random) -> AsyncIterator[bytes]:
    while body:
        cut = chance.randrange(1, 9)
        yield body[:cut]
        body = body[cut:]


async def _read(
    body: AsyncIterator[bytes], *, lines_max: int = 1000, bytes_max: int = 10**9
) -> list[Line]:
    return [line async for line in lines_of(body, lines_max=lines_max, bytes_max=bytes_max)]


async def _read_until_too_much(
    body: AsyncIterator[bytes], **bounds: int
) -> tuple[list[Line], TooMuch]:
    found: list[Line] = []
    limits = {"lines_max": 1000, "bytes_max": 10**9, **bounds}

    async def read() -> None:
        async for line in lines_of(body, **limits):
            found.append(line)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(TooMuch) as ended:
        await read()
    return found, ended.value


async def _whole(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize("seed", range(20))
async def test_the_cuts_of_the_network_do_not_matter(seed: int) -> None:
    """Lines and their numbers are the same wherever the parts begin and end."""
    body = b'{"a":1}\n\n  \n{"b":2}\r\nlast'
    found = await _read(_parts(body, random.Random(seed)))
    assert found == [Line(1, b'{"a":1}'), Line(4, b'{"b":2}\r'), Line(5, b"last")]


async def test_a_line_without_end_is_named_and_not_kept() -> None:
    """However long it is, it costs no memory, and the next line is read again."""
    part = b"x" * (LINE_BYTES_MAX // 2)
    found = await _read(_whole(b"a\n", *[part] * 9, b"\nb\n", *[part] * 9))
    assert found == [Line(1, b"a"), Line(2, None), Line(3, b"b"), Line(4, None)]


async def test_an_empty_body_has_no_lines() -> None:
    """Nothing in, nothing out."""
    assert await _read(_whole(b"", b"\n", b" ")) == []


@pytest.mark.parametrize("seed", range(20))
async def test_a_body_of_too_many_lines_ends_behind_the_last_that_may_be(seed: int) -> None:
    """Blank lines count, and it does not matter how the network cuts."""
    body = b"a\n\nb\nc\nd"
    for most, texts in ((1, [b"a"]), (2, [b"a"]), (3, [b"a", b"b"]), (4, [b"a", b"b", b"c"])):
        parts = _parts(body, random.Random(seed))
        found, ended = await _read_until_too_much(parts, lines_max=most)
        assert [line.raw for line in found] == texts
        assert (ended.lines, ended.bound) == (most, f"{most} lines")
    for just_enough in (body, body + b"\n"):
        assert len(await _read(_parts(just_enough, random.Random(seed)), lines_max=5)) == 4


@pytest.mark.parametrize("seed", range(20))
async def test_a_body_of_too_many_bytes_ends_behind_the_last_whole_line(seed: int) -> None:
    """What was cut is not taken for a line."""
    body = b"first\nsecond\nthird"
    for most, lines in ((1, 0), (5, 0), (6, 1), (12, 1), (13, 2), (len(body) - 1, 2)):
        parts = _parts(body, random.Random(seed))
        found, ended = await _read_until_too_much(parts, bytes_max=most)
        assert [line.number for line in found] == list(range(1, lines + 1))
        assert (ended.lines, ended.bound) == (lines, f"{most} bytes")
    whole = await _read(_parts(body, random.Random(seed)), bytes_max=len(body))
    assert [line.raw for line in whole] == body.splitlines()
