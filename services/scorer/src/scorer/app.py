"""The faust.App, and what hangs on it: topics as raw bytes, the table, the agent, the shims."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, NoReturn, cast

import faust
from faust.types import TP

from common.cluster import Cluster
from common.topics import BACKFILL, CONTROL, LEDGERS, LIVE, SCORER
from scorer.settings import Settings
from scorer.shims.reading import RunConsumer, RunTransport
from scorer.shims.recovery import OrderlyTables
from scorer.shims.rows import RowStore, RowTable
from scorer.shims.turns import Turns
from scorer.ticker import Ends
from scorer.ticks import Reach
from scorer.watchdog import Progress

SOURCES = (CONTROL, LIVE, BACKFILL)

COMMIT_INTERVAL_S = 1.0
HEARTBEATS = 10
"""In one session timeout."""
REQUEST_TIMEOUT_S = 60.0
FETCH_BYTES_MAX = 512 * 1024
"""Of one partition in one fetch."""


class ScorerApp(faust.App):
    """A Faust app whose holes are closed."""

    on_fatal: Callable[[BaseException], NoReturn]
    """Ends the process; called from where Faust would swallow the error."""

    def _new_transport(self) -> Any:
        return RunTransport(self.conf.broker_consumer, self)

    def _crash(self, reason: BaseException) -> None:
        """End the process when any part of Faust crashed: it would stop, and commit on the way."""
        self.on_fatal(reason)

    @property
    def reader(self) -> RunConsumer:
        """Our consumer."""
        consumer = self.consumer
        if not isinstance(consumer, RunConsumer):
            raise TypeError(f"the app runs with {type(consumer)}")
        return consumer


def make_app(settings: Settings, fatal: Callable[[BaseException], NoReturn]) -> ScorerApp:
    """Build the app inside the running loop; nothing is connected yet."""
    app = ScorerApp(
        SCORER,
        version=settings.generation,
        broker=[f"kafka://{one.strip()}" for one in settings.kafka_bootstrap_servers.split(",")],
        store="rocksdb://",
        datadir=settings.scorer_data_dir,
        processing_guarantee="at_least_once",
        key_serializer="raw",
        value_serializer="raw",
        autodiscover=False,
        TableManager=OrderlyTables,
        Table=RowTable,
        broker_credentials=_credentials(settings.kafka),
        topic_partitions=settings.topic_partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.scorer_instance_id,
        consumer_max_fetch_size=FETCH_BYTES_MAX,
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / HEARTBEATS,
        broker_request_timeout=REQUEST_TIMEOUT_S,
        broker_client_id=settings.scorer_instance_id,
        # The broker gives a member who comes back what Faust's leader had assigned, with the URL of
        # then, and Faust refuses another. By default that is the host's name: a new container's.
        canonical_url=f"http://{settings.scorer_instance_id}:6066",
        stream_buffer_maxsize=4096,
        # Faust would wait for every event it handed out; ``Keeper.leave`` knows which are to come.
        stream_wait_empty=False,
        web_enabled=False,
        web_tables_enabled=False,
    )
    app.on_fatal = fatal
    return app


def _credentials(cluster: Cluster) -> faust.SSLCredentials | None:
    """Return what all of Faust's own clients show, and whom they trust; None in the clear."""
    if cluster.certificates is None:
        return None
    return faust.SSLCredentials(context=cluster.certificates.context())


def store_of(app: ScorerApp) -> RowStore:
    """Declare the table of ledgers and return the store below it."""
    store = app.Table(LEDGERS, key_type=bytes, value_type=bytes, default=None).data
    if not isinstance(store, RowStore):
        raise TypeError(f"the table's store is {type(store)}")
    return store


def attach(app: ScorerApp, score: Any) -> None:
    """Let the agent read all sources as one stream."""
    topic = app.topic(
        *(source.name for source in SOURCES), key_type=bytes, value_type=bytes, internal=False
    )
    app.agent(topic, name=SCORER, concurrency=1)(score)
    lanes = [source.name for source in SOURCES]
    app.reader.turns = Turns(app.reader.flight, lanes, [BACKFILL.name])


def on_partitions(
    app: ScorerApp,
    *,
    leave: Callable[[], Awaitable[None]],
    enter: Callable[[], None],
    take: Callable[[Collection[int]], Awaitable[None]],
) -> None:
    """Have what happens to partitions attended to.

    ``leave`` finishes what is under way before any partition can become another worker's; ``enter``
    begins anew with those assigned; ``take`` fences whoever wrote to them, and makes their rows
    whole, before anything of them is read.
    """

    async def revoked(*_: Any, **__: Any) -> None:
        await leave()

    async def assigned(*_: Any, **__: Any) -> None:
        enter()

    app.on_partitions_revoked.connect(cast(Any, revoked))
    app.on_partitions_assigned.connect(cast(Any, assigned))
    cast(OrderlyTables, app.tables).recover = take


def reach_of(app: ScorerApp) -> Callable[[str, int], Reach]:
    """Return how far a partition of a topic has been read and settled."""
    return lambda topic, partition: app.reader.flight.reach((topic, partition))


def steady(app: ScorerApp) -> bool:
    """Whether recovery is complete and no rebalance is under way."""
    return cast(OrderlyTables, app.tables).whole and not app.rebalancing


def owned(app: ScorerApp) -> Collection[int]:
    """Return the partitions that are this worker's, once it is ready to work on them."""
    if not steady(app) or app.reader.retired:
        return ()
    return [tp.partition for tp in app.consumer.assignment() if tp.topic == CONTROL.name]


async def ends(app: ScorerApp, places: Collection[tuple[str, int]]) -> Ends:
    """Ask the broker for the last stable offsets: what readers of committed records can reach."""
    found = await app.consumer.highwaters(*(TP(*place) for place in places))
    return {(tp.topic, tp.partition): offset for tp, offset in found.items()}


def progress(app: ScorerApp) -> Progress:
    """Return what the watchdog looks at."""
    reader = app.reader
    places = [
        (tp.topic, tp.partition)
        for tp in reader.assignment()
        if app.topics.acks_enabled_for(tp.topic)
    ]
    settled = {place: reader.flight.committable(place) for place in places}
    return Progress(
        settled={place: offset for place, offset in settled.items() if offset is not None},
        committed={place: reader.committed(place) for place in places},
        oldest=reader.flight.oldest(),
    )
