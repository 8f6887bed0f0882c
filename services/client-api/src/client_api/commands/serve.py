"""``serve``: the API and the dashboard."""

import asyncio
from collections.abc import Callable
from typing import cast

import asyncpg
from sqlalchemy import QueuePool

from client_api.auth.access import Access
from client_api.database import make_engine
from client_api.live.hub import Hub
from client_api.live.kafka_feed import KafkaFeed
from client_api.live.postgres_feed import PostgresFeed
from client_api.metrics import Metrics
from client_api.operations.flow import FlowWatch
from client_api.operations.operator import Operator
from client_api.operations.preview import Previews
from client_api.operations.runs import Runs
from client_api.store.reads import Reads
from client_api.web.app import create_app
from client_api.web.server import make_server, serve
from client_api.web.settings import ApiSettings
from client_api.web.state import Parts
from common import health, kafka, logs, tracing
from common.clock import BusinessClock
from common.cluster import KafkaSecurity
from common.errors import Misconfigured
from common.metrics import pages
from common.settings import load
from common.starting import leave_on_sigterm, patiently
from common.statements import refusal
from common.topics import AT_RISK, SCORES
from engage.settings import Settings as EngageSettings

CONNECT_LIMIT_S = 5.0


def run() -> None:
    """Serve the API and the dashboard."""
    settings = load(ApiSettings)
    # Before all else, as any other setting: what is wrong of itself is plain already.
    access, cluster = Access(settings.access_rules), settings.kafka
    log = logs.configure("client-api", settings.log_level)
    tracing.start("client-api", settings.otel_exporter_otlp_endpoint)
    log.info("starting", settings=settings.model_dump(mode="json"))
    leave_on_sigterm()
    patiently(settings.start_wait_s)(lambda: _verify(settings))
    hub = Hub()
    crash = Later()
    engine = make_engine(settings.database_url)
    reads = Reads(settings.database_url)
    operator = Operator(where(settings), Runs(engine))
    metrics = Metrics()
    parts = Parts(
        engine=engine,
        reads=reads,
        access=access,
        clock=BusinessClock(settings.clock_file),
        hub=hub,
        feeds=(
            KafkaFeed(cluster, hub, crash, settings.shop_currency),
            PostgresFeed(settings.database_url, hub, crash),
        ),
        model_sandbox=settings.model_sandbox,
        currency=settings.shop_currency,
        trust_traceparent=settings.trust_traceparent,
        link_key=settings.link_key,
        bulk_bounds=settings.bulk_bounds,
        operator=operator,
        previews=Previews(engine),
        metrics=metrics,
        flow=FlowWatch(operator.flow, metrics),
    )
    writes = cast("QueuePool", engine.pool)
    metrics.ask(
        streams=lambda: len(hub), pools={"reads": reads.in_use, "writes": writes.checkedout}
    )
    app = create_app(parts, settings.dashboard_dir)
    server = make_server(app, settings.http_host, settings.http_port, before_stop=hub.close)
    crash.target = server.fail
    # Metrics are for our own network: never on the port that callers reach.
    exposed = health.serve_pages(settings.health_port, pages(metrics.registry))
    log.info("metrics", port=exposed.server_address[1])
    try:
        serve(server)
    finally:
        exposed.shutdown()
        exposed.server_close()


def where(settings: ApiSettings) -> EngageSettings:
    """Tell operators' tasks where the system is, as far as we know it."""
    return EngageSettings(
        **settings.model_dump(include=set(KafkaSecurity.model_fields)),
        kafka_bootstrap_servers=settings.kafka_bootstrap_servers,
        topic_partitions=settings.topic_partitions,
        connect_url=settings.connect_url,
        engage_database_url=settings.engage_database_url,
        mailer_url=settings.mailer_url,
        shop_time_zone=settings.shop_time_zone,
        clock_file=settings.clock_file,
    )


class Later:
    """A callback whose target is known only after those who call it are made."""

    target: Callable[[BaseException], None]

    def __call__(self, error: BaseException) -> None:
        """Pass the error on."""
        self.target(error)


def _verify(settings: ApiSettings) -> None:
    """Touch every outside thing once, so that a wrong setting shows at start, in one line."""
    kafka.verify(settings.kafka, (SCORES, AT_RISK), settings.topic_partitions)
    if settings.dashboard_dir and not (settings.dashboard_dir / "index.html").is_file():
        raise Misconfigured(f"DASHBOARD_DIR {settings.dashboard_dir} holds no built dashboard")

    async def touch() -> None:
        connection = await asyncpg.connect(
            settings.database_url.get_secret_value(), timeout=CONNECT_LIMIT_S
        )
        try:
            await connection.execute("SELECT FROM score_serving")
        finally:
            await connection.close()

    try:
        asyncio.run(touch())
    except (OSError, asyncpg.PostgresError) as error:
        raise refusal("DATABASE_URL", error) from error
