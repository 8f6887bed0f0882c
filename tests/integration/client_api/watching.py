"""What a test sees of the statements that a request takes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self
from unittest import mock

from sqlalchemy import event

from client_api.store.reads import Reads
from tests.integration.client_api.serving import Api


class Statement(str):
    """A statement as it went to the driver."""

    __slots__ = ("values",)
    values: list[Any]

    @classmethod
    def of(cls, text: str, values: Sequence[Any]) -> Self:
        """Keep the values beside the text."""
        made = cls(text)
        made.values = list(values)
        return made


@contextmanager
def statements_of(api: Api) -> Iterator[list[Statement]]:
    """Collect the statements of the server's engine and of its hot reads while the block runs."""
    found: list[Statement] = []
    rows = Reads.rows

    async def noted(
        self: Reads, statement: str, values: Sequence[Any], *, search: bool = False
    ) -> list[Any]:
        found.append(Statement.of(statement, values))
        return await rows(self, statement, values, search=search)

    def note(_: object, __: object, statement: str, values: Sequence[Any], *___: object) -> None:
        found.append(Statement.of(statement, values))

    engine = api.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with mock.patch.object(Reads, "rows", noted):
            yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
