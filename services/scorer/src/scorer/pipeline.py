"""Sheets on their way to the broker: a few at a time, each partition in order, acks in order.

While one batch is being committed, by threads that wait for the broker, the next one is read and
merged. For each sheet: a transaction for each of its partitions, then the rows into the local
store, then the acknowledgements. The local store never knows what the changelog does not.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

from scorer.metrics import Metrics
from scorer.outbox import Outbox
from scorer.rows import Row
from scorer.sheet import Page, Sheet
from scorer.table import Store

SHEETS_MAX = 2
"""On their way at once: one being committed, one waiting for its turn."""


class Pipeline:
    """Settles sheets. A failure ends the process: what is not acknowledged comes again."""

    def __init__(
        self,
        outbox: Outbox,
        store: Store,
        fatal: Callable[[BaseException], Any],
        metrics: Metrics,
    ) -> None:
        """``fatal`` ends the process."""
        self._outbox = outbox
        self._store = store
        self._fatal = fatal
        self._metrics = metrics
        self._sheets: deque[tuple[Sheet, asyncio.Task[None]]] = deque()
        self._last_of: dict[int, asyncio.Task[None]] = {}
        self.on_settled: Callable[[Sheet], None] = lambda _: None

    def find(self, partition: int, client_id: int) -> Row | None:
        """Return a row that is on its way, as the newest sheet has it."""
        for sheet, _ in reversed(self._sheets):
            rows = sheet.touched.get(partition)
            if rows is not None and client_id in rows:
                return rows[client_id]
        return None

    async def submit(self, sheet: Sheet) -> None:
        """Send a sheet on its way; waits while too many are."""
        while len(self._sheets) >= SHEETS_MAX:
            await self._first()
        pages = [self._page(partition, page) for partition, page in sheet.pages.items()]
        before = self._sheets[-1][1] if self._sheets else None
        task = asyncio.create_task(self._settle(sheet, pages, before))
        task.add_done_callback(self._ended)
        self._sheets.append((sheet, task))

    async def drained(self) -> None:
        """Wait until nothing is on its way."""
        while self._sheets:
            await self._first()

    async def _first(self) -> None:
        """Wait until the oldest sheet is settled; raises what went wrong with it."""
        task = self._sheets[0][1]
        await asyncio.wait([task])
        task.result()

    def _page(self, partition: int, page: Page) -> asyncio.Task[None]:
        """Settle a page once the one before it, of the same partition, is settled."""
        before = self._last_of.get(partition)
        task = asyncio.create_task(self._write(partition, page, before))
        self._last_of[partition] = task
        return task

    async def _write(self, partition: int, page: Page, before: asyncio.Task[None] | None) -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        if before is not None and before.exception() is not None:
            return
        if not page.letters and not page.rows:
            return
        offset = await self._outbox.settle(partition, page.letters, page.rows)
        if page.rows:
            await self._outbox.thread(self._store.write, partition, page.rows, offset)

    async def _settle(
        self,
        sheet: Sheet,
        pages: Collection[asyncio.Task[None]],
        before: asyncio.Task[None] | None,
    ) -> None:
        """Wait for all pages, and for the sheet before; then acknowledge."""
        began = time.monotonic()
        await asyncio.gather(*pages)
        if before is not None:
            await asyncio.wait([before])
        self._sheets.popleft()
        self.on_settled(sheet)
        self._metrics.settled(sheet, time.monotonic() - began)
        for span in sheet.spans:
            span.end()
        for event in sheet.events:
            event.ack()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fatal(error)
