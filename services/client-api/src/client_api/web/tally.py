"""How a bulk load went: counts, and why lines were refused, in bounded memory.

A JSON answer names the first hundred refused lines; as newline-delimited JSON every one of them is
named. These lie in a file that has no name until they are sent.
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
MEMORY_BYTES_MAX = 1024 * 1024
PART_BYTES = 64 * 1024


class Tally:
    """Counts what went in and what did not."""

    def __init__(self, *, each: bool, dry_run: bool) -> None:
        """``each`` keeps every refusal, to be sent line by line."""
        self._accepted = 0
        self._rejected = 0
        self._dry_run = dry_run
        self._errors: list[BulkError] = []
        self._each = SpooledTemporaryFile(MEMORY_BYTES_MAX) if each else None  # noqa: SIM115

    def add(self, rows: int, refused: list[Refusal]) -> None:
        """Count a chunk of so many rows, of which some were refused."""
        self._accepted += rows - len(refused)
        self.refuse(refused)

    def refuse(self, refused: list[Refusal]) -> None:
        """Count lines that were refused."""
        self._rejected += len(refused)
        room = ERRORS_NAMED_MAX - len(self._errors)
        self._errors += [BulkError(line=r.line, detail=r.detail) for r in refused[:room]]
        if self._each is not None:
            for one in refused:
                self._each.write(orjson.dumps(one._asdict(), option=orjson.OPT_APPEND_NEWLINE))

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
            dry_run=self._dry_run,
            errors=[] if self._each else errors,
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
