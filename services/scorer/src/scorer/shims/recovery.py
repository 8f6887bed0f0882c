"""Recovery: fenced, from the changelog, and nothing is fetched before the streams can take it.

The holes, in ``faust/tables/recovery.py``:

- #596, open: ``Recovery.on_recovery_completed`` resumes the source partitions, then seeks, then
  resumes the flow, and resuming the flow clears every stream's queue
  (``FlowControlEvent.resume``). Whatever was fetched in between is gone; it is unacked, so commits
  of that partition stop, and it comes again only with a restart, out of order. ``_resume_streams``
  does the same for an app without tables. The order here: seek and clear while the source
  partitions are still paused, resume them last.
- Nobody is fenced: a worker that slept through the loss of its partitions goes on writing rows
  behind the back of the one that has recovered them. Here the partitions are taken over from
  whoever wrote to them before the end of their changelog is asked for.
- ``_slurp_changelogs`` takes row by row at some 10k/s, logs any error and goes on, and waits for an
  offset that is never read where a changelog ends in the marker of a transaction. Here the rows are
  restored by ``restore``, and Faust then finds nothing left to do.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP

Recover = Callable[[Collection[int]], Awaitable[None]]


class OrderlyRecovery(Recovery):
    """Takes over, restores, then resumes in the order seek, clear, resume."""

    async def _build_highwaters(
        self,
        consumer: Any,
        tps: set[TP],
        destination: Counter[TP],
        title: str,  # noqa: ARG002 - the signature is Faust's
    ) -> None:
        """Say that nothing is missing: Faust reads no changelog."""
        destination.clear()
        consumer.leave_alone(tps)

    async def _build_offsets(
        self, consumer: Any, tps: set[TP], destination: Counter[TP], title: str
    ) -> None:
        """Ask nothing: Faust reads no changelog."""

    async def _seek_offsets(
        self, consumer: Any, tps: set[TP], offsets: Counter[TP], title: str
    ) -> None:
        """Seek nothing: Faust reads no changelog."""

    async def _resume_streams(self, generation_id: int = 0) -> None:
        await cast(Any, self.app).on_rebalance_complete.send()
        if self.app.consumer_generation_id != generation_id:
            self.log.warning("Recovery rebalancing again")
            return
        await self._resume_in_order()

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Take over, restore, and resume the streams once the tables are whole.

        This is the one step that Faust waits for without a limit; another rebalance cancels it.
        """
        try:
            recover = cast(OrderlyTables, self.tables).recover
            await recover(sorted(tp.partition for tp in self.active_tps))
        except Exception as error:  # noqa: BLE001 - whatever it is, rows would be missing
            if self.app.consumer_generation_id != generation_id:
                # These partitions have moved on meanwhile; recovery begins anew for the new ones.
                self.log.warning("Recovery rebalancing again")
                return
            cast(Any, self.app).on_fatal(error)
        await cast(Any, self.app).on_rebalance_complete.send()
        self._set_recovery_ended()
        for table in self.tables.values():
            await table.on_recovery_completed(
                self.actives_for_table[table], self.standbys_for_table[table]
            )
        if self.app.consumer_generation_id != generation_id:
            self.log.warning("Recovery rebalancing again")
            return
        await self._resume_in_order()

    async def _resume_in_order(self) -> None:
        consumer = cast(Any, self.app.consumer)
        assignment = consumer.assignment()
        if assignment:
            await self._wait(consumer.go_back(), timeout=self.app.conf.broker_request_timeout)
        self.app.flow_control.resume()
        self.completed.set()
        consumer.resume_partitions({tp for tp in assignment if not self._is_changelog_tp(tp)})
        consumer.resume_flow()
        await cast(Any, self.app)._fetcher.maybe_start()  # noqa: SLF001
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        cast(Any, self.app).on_rebalance_end()
        self.log.info("Worker ready")


class OrderlyTables(TableManager):
    """Faust's tables with the orderly recovery."""

    recover: Recover
    """Makes this worker the only writer of partitions, and their rows whole."""

    @property
    def whole(self) -> bool:
        """Whether the tables have been recovered. Safe from any thread, at any time."""
        return self._recovery is not None and self._recovery.completed.is_set()

    @property
    def recovery(self) -> Recovery:
        """Recovery service used by this table manager."""
        if self._recovery is None:
            self._recovery = OrderlyRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
