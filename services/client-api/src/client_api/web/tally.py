"""How a bulk load went: counts, and why lines were refused, in bounded memory.

A JSON answer names the first hundred refused lines; as newline-delimited JSON all of them are
named, up to a bound. These lie in a file without a name until they are sent. Counts have no bound.
"""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

import orjson
from fastapi import Response
from fastapi.responses import StreamingResponse

from client_api.shapes.responses import BulkError, BulkResult
from client_api.store.bulk import Refusal
from client_api.web.ndjson import MEDIA_TYPE

ERRORS_NAMED_MAX = 100
DETAIL_MAX = 500
"""Characters; a line may be named by what stands in it, and that may be long."""
MEMORY_BYTES_MAX = 1024 * 1024
PART_BYTES = 64 * 1024


class Tally:
    """Counts what went in and what did not."""

    def __init__(self, *, each: bool, dry_run: bool, bytes_max: int) -> None:
        """``each`` keeps refusals to be sent line by line, up to so many bytes of them."""
        self._accepted = 0
        self._rejected = 0
        self._dry_run = dry_run
        self._named = 0
        self._errors: list[BulkError] = []
        self._bytes_left = bytes_max
        self._each = SpooledTemporaryFile(MEMORY_BYTES_MAX) if each else None  # noqa: SIM115

    def add(self, rows: int, refused: list[Refusal]) -> None:
        """Count a chunk of so many rows, of which some were refused."""
        self._accepted += rows - len(refused)
        self.refuse(refused)

    def refuse(self, refused: list[Refusal]) -> None:
        """Count lines that were refused."""
        self._rejected += len(refused)
        for one in refused:
            if not self._names(one.line, one.detail[:DETAIL_MAX]):
                return
            self._named += 1

    def _names(self, line: int, detail: str) -> bool:
        """Keep a refusal to be named; return False when there is no more room."""
        if self._each is None:
            if self._named == ERRORS_NAMED_MAX:
                return False
            self._errors.append(BulkError(line=line, detail=detail))
            return True
        said = orjson.dumps({"line": line, "detail": detail}, option=orjson.OPT_APPEND_NEWLINE)
        self._bytes_left -= len(said)
        if self._bytes_left < 0:
            return False
        self._each.write(said)
        return True

    @property
    def counts(self) -> str:
        """What became of the lines so far, in words."""
        taken = "would go in" if self._dry_run else "are in"
        return f"{self._accepted} rows {taken}, {self._rejected} lines were refused"

    def close(self) -> None:
        """Let go of the refusals, when no answer comes of them."""
        if self._each is not None:
            self._each.close()

    def answer(self) -> Response:
        """Return the result; line by line it ends with the counts, and errors come as found."""
        errors = sorted(self._errors, key=lambda error: error.line)
        result = BulkResult(
            accepted=self._accepted,
            rejected=self._rejected,
            unnamed=self._rejected - self._named,
            dry_run=self._dry_run,
            errors=errors,
        )
        if self._each is None:
            return Response(result.model_dump_json(), media_type="application/json")
        return StreamingResponse(self._lines(result), media_type=MEDIA_TYPE)

    def _lines(self, result: BulkResult) -> Iterator[bytes]:
        if self._each is None:
            return
        with self._each as file:
            file.seek(0)
            while part := file.read(PART_BYTES):
                yield part
        yield result.model_dump_json(exclude={"errors"}).encode() + b"\n"
