"""The front door: settings, logs, checks, then the worker until it is told to stop."""

import asyncio
import functools
import gc
import os
import signal
import sys
import time
from collections.abc import Collection, Coroutine
from typing import Any

from common import health, tracing
from common.clock import BusinessClock
from common.errors import Misconfigured, Transient
from common.kafka import align_topics, create_topics, verify
from common.logs import Logger, configure
from common.metrics import pages
from common.settings import EXIT_MISCONFIGURED, load
from common.starting import leave_on_sigterm, patiently
from common.topics import AT_RISK, SCORES, changelog_of, dead_letters_of, group_of
from scorer import agent
from scorer.app import (
    SOURCES,
    ScorerApp,
    attach,
    ends,
    make_app,
    on_partitions,
    owned,
    progress,
    reach_of,
    steady,
    store_of,
)
from scorer.chores import Chores
from scorer.fatal import Fatal
from scorer.keeper import Keeper
from scorer.metrics import Metrics
from scorer.outbox import Outbox
from scorer.pipeline import Pipeline
from scorer.readiness import Readiness
from scorer.settings import Settings
from scorer.shims.restore import restore
from scorer.shims.rows import RowStore
from scorer.shims.versions import require_versions
from scorer.ticker import Ticker
from scorer.watchdog import Watchdog

LOOP_LIMIT_S = 30.0
"""How long the main loop may not turn before the process counts as hung."""

GARBAGE_THRESHOLDS = (50_000, 20, 50)
"""Rows come and go by the thousand, free of cycles: looking for some each time costs a tenth."""

SWITCH_INTERVAL_S = 0.001
"""The threads that read and commit need little, and that at once; Python's default is 5 ms."""

WATCH_PERIOD_S = 0.5
STOP_LIMIT_S = 20.0


def prepare(settings: Settings) -> None:
    """Check everything outside that must be right; raises Misconfigured with one clear line."""
    require_versions()
    settings.scorer_data_dir.mkdir(parents=True, exist_ok=True)
    cluster, partitions = settings.kafka, settings.topic_partitions
    used = (*SOURCES, SCORES, AT_RISK, *(dead_letters_of(source) for source in SOURCES))
    leave_on_sigterm()
    patiently(settings.start_wait_s)(lambda: verify(cluster, used, partitions))
    changelog = changelog_of(settings.generation)
    create_topics(cluster, [changelog], partitions, settings.replication_factor)
    align_topics(cluster, [changelog])
    verify(cluster, [changelog], partitions)


async def run(settings: Settings, clock: BusinessClock, log: Logger) -> None:
    """Work until SIGTERM or SIGINT; anything unforeseen ends the process at once."""
    fatal = Fatal(log)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    app = make_app(settings, fatal)
    generation = settings.generation
    outbox = Outbox(settings.kafka, group_of(generation), changelog_of(generation).name)
    store = store_of(app)
    metrics = Metrics()
    pipeline = Pipeline(outbox, store, fatal, metrics)

    def retire() -> None:
        if not app.reader.retired:
            log.error("superseded: a later generation speaks", generation=settings.generation)
            app.reader.retired = True

    keeper = Keeper(
        store=store,
        pipeline=pipeline,
        generation=settings.generation,
        clock=clock,
        zone=settings.zone,
        partitions=settings.topic_partitions,
        log=log,
        retire=retire,
    )
    attach(app, agent.make(keeper, fatal))
    on_partitions(
        app,
        leave=functools.partial(_leave, keeper, outbox),
        enter=keeper.enter,
        take=functools.partial(
            _take, settings=settings, outbox=outbox, store=store, metrics=metrics, log=log
        ),
    )

    ticker = Ticker(
        clock=clock,
        outbox=outbox,
        owned=functools.partial(owned, app),
        ends=functools.partial(ends, app),
    )
    chores = Chores(keeper, store, pipeline, reach_of(app), log)
    readiness = Readiness(keeper, clock, app.reader.lag)
    metrics.ask(
        partitions=readiness.partitions,
        silent=readiness.silent,
        tick_wait_s=readiness.tick_wait_s,
        lag=app.reader.lag,
        in_flight=lambda: app.reader.flight.size,
    )
    watchdog, heart = Watchdog(), health.Heartbeat(LOOP_LIMIT_S)
    server = health.serve(
        settings.health_port,
        live={"loop": heart.check},
        ready={
            "partitions": lambda: None if steady(app) else "recovering or rebalancing",
            "progress": watchdog.problem,
            "ticks": readiness.ticks,
            "generation": readiness.generation,
        },
        pages=pages(metrics.registry),
    )
    tasks = [
        _guarded(app.start(), fatal),
        _guarded(_watch(app, watchdog, heart), fatal),
        _guarded(ticker.run(settings.tick_period_s), fatal),
        _guarded(chores.run(), fatal),
    ]
    log.info("started", health_port=server.server_address[1], group=app.conf.id)
    await stop.wait()
    log.info("stopping")
    for task in tasks[1:]:
        task.cancel()
    await asyncio.wait_for(_stop(app, keeper, outbox), STOP_LIMIT_S)
    log.info("stopped")


async def _stop(app: ScorerApp, keeper: Keeper, outbox: Outbox) -> None:
    """Finish what is under way, commit it, and let go of everything."""
    await _leave(keeper, outbox)
    await app.stop()
    await outbox.stop()


async def _leave(keeper: Keeper, outbox: Outbox) -> None:
    """Finish what is under way with partitions before they can become another worker's."""
    await keeper.leave()
    await outbox.idle()


async def _take(
    partitions: Collection[int],
    *,
    settings: Settings,
    outbox: Outbox,
    store: RowStore,
    metrics: Metrics,
    log: Logger,
) -> None:
    """Become the only writer of partitions, then read their changelogs to the end."""
    began = time.monotonic()
    await outbox.take(partitions)
    fenced = time.monotonic()
    changelog = changelog_of(settings.generation).name
    cluster = settings.kafka
    rows = await asyncio.gather(
        *(restore(store, cluster, changelog, one, outbox.thread) for one in partitions)
    )
    whole = time.monotonic()
    metrics.restored(sum(rows), whole - fenced)
    log.info(
        "partitions taken",
        partitions=list(partitions),
        rows=sum(rows),
        seconds=round(whole - began, 3),
    )


async def _watch(app: ScorerApp, watchdog: Watchdog, heart: health.Heartbeat) -> None:
    while True:
        await asyncio.sleep(WATCH_PERIOD_S)
        heart.beat()
        if steady(app) and not app.reader.retired:
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
    tracing.start("scorer", settings.otel_exporter_otlp_endpoint)
    try:
        clock = BusinessClock(settings.clock_file)
        prepare(settings)
    except (Misconfigured, Transient) as error:
        sys.stderr.write(f"cannot start: {error}\n")
        raise SystemExit(EXIT_MISCONFIGURED) from None
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        asyncio.run(run(settings, clock, log))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it must not hang in a thread
        Fatal(log)(error)
    tracing.stop()
    sys.stderr.flush()
    # Threads of the consumer may linger; everything that matters has been committed.
    os._exit(0)


if __name__ == "__main__":
    main()
