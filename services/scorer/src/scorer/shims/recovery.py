"""Recovery: nothing is fetched before the streams can take it.

The hole (faust-streaming#596, open): ``Recovery.on_recovery_completed`` resumes the source
partitions, then seeks, then resumes the flow, and resuming the flow clears every stream's queue
(``FlowControlEvent.resume``). Whatever was fetched in between is gone; it is unacked, so commits of
that partition stop, and it comes again only with a restart, out of order. ``_resume_streams`` does
the same for an app without tables.

The order here: seek and clear while the source partitions are still paused, resume them last.
A second hole: ``_slurp_changelogs`` logs any error and goes on, so a changelog row that could not
be applied is silently missing. The store (``rows``) ends the process instead.
"""

from typing import Any, cast

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery


class OrderlyRecovery(Recovery):
    """Resumes in the order seek, clear, resume."""

    async def _resume_streams(self, generation_id: int = 0) -> None:
        await cast(Any, self.app).on_rebalance_complete.send()
        if self.app.consumer_generation_id != generation_id:
            self.log.warning("Recovery rebalancing again")
            return
        await self._resume_in_order()

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Resume the streams once the tables are whole."""
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
            await self._wait(consumer.perform_seek(), timeout=self.app.conf.broker_request_timeout)
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
