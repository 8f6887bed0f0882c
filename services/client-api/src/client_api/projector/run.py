"""The projector's process: both loops side by side, until one fails or a signal comes."""

import asyncio
import signal
from collections.abc import Coroutine

import asyncpg
from pydantic import SecretStr

from client_api.database import make_engine
from client_api.projector.days import Days
from client_api.projector.figures import Figures
from client_api.projector.loop import Projector
from client_api.projector.metrics import Metrics
from client_api.projector.store import ScoreStore
from client_api.projector.watch import DayWatch
from client_api.settings import ProjectorSettings
from common import health, kafka
from common.clock import BusinessClock
from common.metrics import pages
from common.starting import leave_on_sigterm, patiently_async
from common.statements import connection_class, refusal
from common.topics import SCORES, dead_letters_of

GROUP = "projector"
CONSUMER = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 2000}
"""A projector that was killed holds its partitions no longer than this."""
CONNECTIONS = 6
CONNECT_LIMIT_S = 5.0
STATEMENT_LIMIT_S = 60.0
COUNT_LIMIT_S = 600.0
"""Counting passes over whole tables, on a connection of its own."""


async def connect(url: SecretStr) -> "asyncpg.Pool[asyncpg.Record]":
    """Open the projector's connections; raises Misconfigured, Unreachable."""
    try:
        return await asyncpg.create_pool(
            url.get_secret_value(),
            min_size=1,
            max_size=CONNECTIONS,
            timeout=CONNECT_LIMIT_S,
            connection_class=connection_class(),
            command_timeout=STATEMENT_LIMIT_S,
            server_settings={"application_name": "projector"},
        )
    except (OSError, asyncpg.PostgresError) as error:
        raise refusal("DATABASE_URL", error) from error


async def project(settings: ProjectorSettings) -> None:
    """Run until SIGTERM or SIGINT; raises Misconfigured, Transient."""
    cluster = settings.kafka
    clock = BusinessClock(settings.clock_file)
    topics = (SCORES, dead_letters_of(SCORES))

    async def reach() -> "asyncpg.Pool[asyncpg.Record]":
        await asyncio.to_thread(kafka.verify, cluster, topics, settings.topic_partitions)
        return await connect(settings.database_url)

    leave_on_sigterm()
    pool = await patiently_async(settings.start_wait_s)(reach)
    engine = make_engine(settings.database_url, COUNT_LIMIT_S)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        store = ScoreStore(pool)
        figures = Figures(engine, clock, settings.shop_currency)
        metrics = Metrics()
        watch = DayWatch(
            Days(pool, store), clock, settings.zone, metrics, switched=figures.wanted.set
        )
        metrics.ask(days_behind=watch.days_behind)
        projector = Projector(
            kafka.consumer(cluster, GROUP, CONSUMER),
            kafka.producer(cluster),
            store,
            metrics,
        )
        probes = health.serve(
            settings.health_port,
            {"loop": projector.heartbeat.check, "days": watch.heartbeat.check},
            projector.checks() | {"figures": figures.check},
            pages(metrics.registry),
        )
        await watch.first(stop)
        await _together(watch.run(stop), projector.run(stop), figures.run(stop), stop=stop)
        probes.shutdown()
    finally:
        await engine.dispose()
        await pool.close()


async def _together(*loops: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """Run loops until all have ended; when one fails, stop the others, then raise its error."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
