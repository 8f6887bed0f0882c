"""Runs that people start from the page: one of a kind at a time, each with a row that tells of it.

A run works in a thread of its own. Its server holds an advisory lock for it: a row that says
"running" and whose lock is free belongs to a server that ended, and is marked failed.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Literal

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from client_api.database import DATABASE_ERRORS, name_of
from client_api.operations.thread import in_a_thread
from client_api.problems import Conflict
from client_api.store import operations as store
from client_api.trail import Trail
from common.errors import Misconfigured, Transient
from engage.frame import BadInput, Failed
from engage.progress import Watcher

KNOWN = (BadInput, Failed, Misconfigured, Transient)
"""Their text is for people and holds nothing secret."""
WHAT_IF: Literal["what-if"] = "what-if"
"""The kind of run that changes nothing: people who are no operators may start it."""
PLACES = {
    WHAT_IF: "/api/what-ifs",
    "backfill": "/api/backfills",
    "replay": "/api/replays",
    "dead-letter-replay": "/api/dead-letters/replays",
}
"""Where the runs of a kind are, by kind; those of others are among all runs alone."""
TOLD_EVERY_S = 1.0
STOP_LIMIT_S = 3.0

Work = Callable[[Watcher], dict[str, Any]]

log = structlog.get_logger("client_api.operations")


class Interrupted(Exception):
    """The server ends, and with it the run."""


class Noted:
    """A run's progress, written by its thread and read by the server's."""

    def __init__(self) -> None:
        """Begin."""
        self.name, self.done = "", 0
        self.total: int | None = None
        self.stopping = False

    def step(self, name: str, total: int | None = None) -> None:
        """Begin a step; raises Interrupted when the server ends."""
        self._go_on()
        self.name, self.total, self.done = name, total, 0

    def advance(self, count: int = 1) -> None:
        """Count; raises Interrupted when the server ends."""
        self._go_on()
        self.done += count

    def say(self, text: str) -> None:
        """Log it."""
        log.info("run_says", text=text)

    def _go_on(self) -> None:
        if self.stopping:
            raise Interrupted


class Runs:
    """Starts runs, and keeps their rows true."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Work with the server's engine; each run holds one of its connections."""
        self.engine = engine
        self._tasks: dict[asyncio.Task[None], Noted] = {}
        self._starting = asyncio.Lock()

    async def start(
        self,
        kind: str,
        actor: str,
        parameters: dict[str, Any],
        work: Work,
        trail: Trail | None = None,
    ) -> int:
        """Start ``work`` in a thread; return the id of its row. Raises Conflict.

        ``trail`` is that of the request that asks for it, if one does: kept with the row.
        """
        async with self._starting:
            connection = await self.engine.connect()
            try:
                async with connection.begin():
                    await store.mark_interrupted(connection)
                    if trail is not None and trail.once is not None:
                        await trail.once.take(connection)
                    run = await store.begin(connection, kind, actor, parameters)
                    if trail is not None:
                        trail.note("run.started", f"operation/{run}", detail={"kind": kind})
                        await trail.keep(connection)
                        if trail.once is not None:
                            first = await _first_answer(connection, kind, run)
                            await trail.once.keep(connection, *first)
            except IntegrityError:
                await connection.close()
                raise Conflict(f"a run of this kind is going on: {kind}") from None
            except BaseException:
                await connection.close()
                raise
            noted = Noted()
            task = asyncio.create_task(self._follow(connection, run, kind, work, noted))
            self._tasks[task] = noted
            task.add_done_callback(self._tasks.pop)
            return run

    async def stop(self) -> None:
        """Break off what runs; what does not end in time is marked failed by the next server."""
        for noted in self._tasks.values():
            noted.stopping = True
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=STOP_LIMIT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _follow(
        self, connection: AsyncConnection, run: int, kind: str, work: Work, noted: Noted
    ) -> None:
        """Tell how far the run is until it ends, and how it ended."""
        log.info("run_started", run=run, kind=kind)
        outcome = in_a_thread(partial(_timed, work, noted), f"run-{run}")
        result: str | None = None
        error: str | None = None
        try:
            while not (await asyncio.wait({outcome}, timeout=TOLD_EVERY_S))[0]:
                async with connection.begin():
                    await store.tell(connection, run, noted.name, noted.done, noted.total)
            try:
                result = store.encoded(outcome.result())
            except KNOWN as known:
                error = str(known)
            except Interrupted:
                error = "interrupted: its server ended"
            except Exception as bug:
                log.exception("run_broke", run=run, kind=kind, error=type(bug).__name__)
                error = "it broke; the reason is logged"
            async with connection.begin():
                await store.tell(connection, run, noted.name, noted.done, noted.total)
                await store.finish(connection, run, result, error)
            log.info("run_ended", run=run, kind=kind, error=error)
        except DATABASE_ERRORS as lost:
            # Nobody can write the row now; the lock is gone with the connection.
            log.error(  # noqa: TRY400 - its text may quote a row
                "run_lost", run=run, kind=kind, error=name_of(lost)
            )
            noted.stopping = True
        finally:
            await _let_go(connection)


def place_of(kind: str, run: int) -> str:
    """Return the path of a run of this kind, in the list that it was started in."""
    return f"{PLACES.get(kind, '/api/operations')}/{run}"


async def _first_answer(
    connection: AsyncConnection, kind: str, run: int
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the answer to whoever started a run."""
    row = await store.read(connection, run)
    headers = {"content-type": "application/json", "location": place_of(kind, run)}
    return HTTPStatus.ACCEPTED, headers, row.model_dump_json().encode()


def _timed(work: Work, noted: Noted) -> dict[str, Any]:
    """Do the work; its result also says how long it took."""
    started = time.monotonic()
    found = work(noted)
    return {**found, "seconds": round(time.monotonic() - started, 1)}


async def _let_go(connection: AsyncConnection) -> None:
    """End the connection itself, not only its use: the run's lock hangs on it."""
    try:
        await connection.invalidate()
    finally:
        await connection.close()
