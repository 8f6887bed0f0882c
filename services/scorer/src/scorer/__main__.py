"""The front door: settings, logs, checks, then the worker until it is told to stop."""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from common import health
from common.clock import BusinessClock
from common.errors import Misconfigured, Transient
from common.kafka import create_topics, verify
from common.logs import Logger, configure
from common.settings import EXIT_MISCONFIGURED, load
from common.topics import AT_RISK, SCORES, dead_letters_of
from scorer import agent
from scorer.app import (
    SOURCES,
    ScorerApp,
    attach,
    changelog_of,
    ends,
    make_app,
    on_revoked,
    owned,
    progress,
    reach_of,
    steady,
    store_of,
)
from scorer.desk import Desk
from scorer.fatal import Fatal
from scorer.keeper import Keeper
from scorer.outbox import Outbox
from scorer.settings import Settings
from scorer.shims.versions import require_versions
from scorer.table import Rows
from scorer.ticker import Ticker
from scorer.watchdog import Watchdog

LOOP_LIMIT_S = 30.0
"""How long the main loop may not turn before the process counts as hung."""

WATCH_PERIOD_S = 0.5
STOP_LIMIT_S = 20.0


def prepare(settings: Settings) -> None:
    """Check everything outside that must be right; raises Misconfigured with one clear line."""
    require_versions()
    settings.scorer_data_dir.mkdir(parents=True, exist_ok=True)
    servers, partitions = settings.kafka_bootstrap_servers, settings.topic_partitions
    verify(
        servers,
        (*SOURCES, SCORES, AT_RISK, *(dead_letters_of(source) for source in SOURCES)),
        partitions,
    )
    changelog = changelog_of(settings.generation)
    create_topics(servers, [changelog], partitions, settings.replication_factor)
    verify(servers, [changelog], partitions)


async def run(settings: Settings, clock: BusinessClock, log: Logger) -> None:
    """Work until SIGTERM or SIGINT; anything unforeseen ends the process at once."""
    fatal = Fatal(log)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    app, outbox = make_app(settings, fatal), Outbox(settings.kafka_bootstrap_servers)
    rows = Rows(store_of(app), outbox, changelog_of(settings.generation).name)
    keeper = Keeper(
        rows=rows,
        desk=Desk(rows, outbox, settings.generation),
        clock=clock,
        zone=settings.zone,
        partitions=settings.topic_partitions,
        reach=reach_of(app),
        log=log,
    )
    attach(app, agent.make(keeper, fatal))

    on_revoked(app, keeper.revoke)

    ticker = Ticker(
        clock=clock,
        outbox=outbox,
        owned=functools.partial(owned, app),
        ends=functools.partial(ends, app),
    )
    watchdog, heart = Watchdog(), health.Heartbeat(LOOP_LIMIT_S)
    server = health.serve(
        settings.health_port,
        live={"loop": heart.check},
        ready={
            "partitions": lambda: None if steady(app) else "recovering or rebalancing",
            "progress": watchdog.problem,
            "ticks": keeper.problem,
        },
    )
    await outbox.start()
    tasks = [
        _guarded(app.start(), fatal),
        _guarded(_watch(app, watchdog, heart), fatal),
        _guarded(ticker.run(settings.tick_period_s), fatal),
    ]
    log.info("started", health_port=server.server_address[1], group=app.conf.id)
    await stop.wait()
    log.info("stopping")
    for task in tasks[1:]:
        task.cancel()
    await asyncio.wait_for(app.stop(), STOP_LIMIT_S)
    await outbox.stop()
    log.info("stopped")


async def _watch(app: ScorerApp, watchdog: Watchdog, heart: health.Heartbeat) -> None:
    while True:
        await asyncio.sleep(WATCH_PERIOD_S)
        heart.beat()
        if steady(app):
            watchdog.look(progress(app))


def _guarded(work: Coroutine[Any, Any, Any], fatal: Fatal) -> asyncio.Task[Any]:
    """Start a task whose failure ends the process."""

    def ended(task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            fatal(error)

    task = asyncio.create_task(work)
    task.add_done_callback(ended)
    return task


def main() -> None:
    """Run the scorer; exits with 0 when told to stop, 2 when it cannot work as it is set up."""
    settings = load(Settings)
    log = configure("scorer", settings.log_level)
    try:
        clock = BusinessClock(settings.clock_file)
        prepare(settings)
    except (Misconfigured, Transient) as error:
        sys.stderr.write(f"cannot start: {error}\n")
        raise SystemExit(EXIT_MISCONFIGURED) from None
    try:
        asyncio.run(run(settings, clock, log))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it must not hang in a thread
        Fatal(log)(error)
    sys.stderr.flush()
    # Threads of the consumer may linger; everything that matters has been committed.
    os._exit(0)


if __name__ == "__main__":
    main()
