"""The front door of the mailer: settings, logs, adapters, then the loops until told to stop."""

import asyncio
import logging
import signal
import sys

from common import kafka, tracing
from common.clock import BusinessClock
from common.errors import Misconfigured
from common.health import Heartbeat, serve
from common.logs import Logger, configure
from common.metrics import pages
from common.settings import EXIT_MISCONFIGURED, load
from common.starting import leave_on_sigterm, patiently_async
from common.topics import AT_RISK, dead_letters_of
from mailer import database
from mailer.delivery.service import Delivery
from mailer.delivery.settings import DeliverySettings
from mailer.episodes.books import Books
from mailer.episodes.intake import CONSUMER, GROUP, Intake
from mailer.episodes.policies import Policies
from mailer.episodes.recording import Recorder
from mailer.episodes.release import Release
from mailer.episodes.standing import Days
from mailer.episodes.wishes import Wishes
from mailer.metrics import Metrics
from mailer.model.budget import Limits
from mailer.model.calls import Asking
from mailer.model.door import clients_for
from mailer.model.gate import Gate
from mailer.model.grants import Grants
from mailer.model.openrouter import OpenRouter
from mailer.people.decisions import Decisions
from mailer.people.judgement import Judgement
from mailer.settings import Settings
from mailer.vitals import PostgresVitals
from mailer.writing.asking import Asker
from mailer.writing.dispatch import Dispatcher
from mailer.writing.results import Results
from mailer.writing.writer import Writer

LOOPS = ("intake", "dispatcher", "decisions", "wishes", "release", "delivery")
LOOP_LIMIT_S = 120.0
"""A loop that has not turned for so long hangs. Trying Postgres again takes about a minute."""


def main() -> int:
    """Run the mailer; return its exit code."""
    settings, outgoing = load(Settings), load(DeliverySettings)
    log = configure("mailer", settings.log_level)
    tracing.start("mailer", settings.otel_exporter_otlp_endpoint)
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        asyncio.run(run(settings, outgoing, log))
    except Misconfigured as error:
        sys.stderr.write(f"cannot start: {error}\n")
        return EXIT_MISCONFIGURED
    except Exception:
        log.exception("the mailer crashed")
        return 1
    finally:
        tracing.stop()
    return 0


async def run(settings: Settings, outgoing: DeliverySettings, log: Logger) -> None:
    """Build the adapters, check that each outside thing is there, and run the loops."""
    topics = (AT_RISK, dead_letters_of(AT_RISK))
    clock = BusinessClock(settings.clock_file)

    async def reach() -> database.Pool:
        await asyncio.to_thread(kafka.verify, settings.kafka, topics, settings.topic_partitions)
        return await database.connect(settings.database_url)

    leave_on_sigterm()
    pool = await patiently_async(settings.start_wait_s)(reach)
    http = clients_for(
        settings.openrouter_api_key,
        settings.mailer_concurrency,
        loopback=settings.base_url_is_loopback,
    )
    async with pool, http as clients:
        model = OpenRouter(
            clients,
            settings.openrouter_base_url,
            settings.openrouter_model,
            settings.openrouter_provider,
            settings.model_deadline_s,
        )
        log.info(
            "starting",
            model=model.model,
            provider=model.provider,
            base_url=settings.openrouter_base_url,
            sandbox=settings.model_sandbox,
            delivery=outgoing.delivery,
        )
        await _work(settings, log, clock, pool, model, outgoing=outgoing)
    log.info("stopped")


async def _work(
    settings: Settings,
    log: Logger,
    clock: BusinessClock,
    pool: database.Pool,
    model: OpenRouter,
    *,
    outgoing: DeliverySettings,
) -> None:
    beats = {name: Heartbeat(LOOP_LIMIT_S) for name in LOOPS}
    days = Days(clock, settings)
    policies = Policies()
    gate = Gate(model.probe, settings.probe_base_s, log)
    asking = Asking(model.model, model.provider, settings.model_sandbox)
    metrics = Metrics()
    results = Results(pool, policies, days, asking, metrics=metrics, log=log)
    limits = Limits(
        settings.model_requests_per_minute,
        settings.model_tokens_per_minute,
        settings.model_cost_per_day_usd,
    )
    grants = Grants(pool, limits, asking, log)
    asker = Asker(model, gate, grants, settings.mailer_concurrency, metrics=metrics, log=log)
    writer = Writer(asker, gate, results, days, retry_base_s=settings.retry_base_s, log=log)
    dispatcher = Dispatcher(
        pool,
        gate,
        asker,
        writer,
        results,
        lease_s=settings.lease_s,
        call_s=settings.model_deadline_s,
        beat=beats["dispatcher"],
        log=log,
    )
    recorder = Recorder(pool, policies, clock, settings, on_pending=dispatcher.wake, log=log)
    intake = Intake(
        kafka.consumer(settings.kafka, GROUP, CONSUMER),
        kafka.producer(settings.kafka),
        recorder.record,
        beats["intake"],
        metrics=metrics,
        log=log,
    )
    release = Release(pool, policies, days, dispatcher.wake, beat=beats["release"], log=log)

    def on_work() -> None:
        dispatcher.wake()
        release.wake()

    judgement = Judgement(policies, days)
    decisions = Decisions(pool, judgement, on_work, beats["decisions"], log)
    wishes = Wishes(pool, policies, days, beats["wishes"], log)
    delivery = Delivery(
        outgoing,
        pool,
        policies,
        days,
        lease_s=settings.lease_s,
        probe_base_s=settings.probe_base_s,
        beat=beats["delivery"],
        metrics=metrics,
        log=log,
    )
    vitals = PostgresVitals(pool)
    books = Books(pool, metrics, log)
    metrics.ask(
        paused=lambda: gate.check() is not None,
        unsent=lambda: delivery.check() is not None,
        claims=lambda: dispatcher.claims,
    )
    health = serve(
        settings.health_port,
        live={name: beat.check for name, beat in beats.items()},
        ready={
            "kafka": intake.assigned,
            "postgres": vitals.check,
            "model": gate.check,
            "delivery": delivery.check,
        },
        pages=pages(metrics.registry),
    )
    log.info("listening", health_port=health.server_address[1])
    stopping = _until_told()
    try:
        async with asyncio.TaskGroup() as tasks:
            upkeep = [
                tasks.create_task(vitals.run()),
                tasks.create_task(books.run()),
                tasks.create_task(gate.run(dispatcher.wake)),
            ]
            async with asyncio.TaskGroup() as loops:
                loops.create_task(gate.ask_first())
                loops.create_task(intake.run(stopping))
                loops.create_task(dispatcher.run(stopping, settings.stop_grace_s))
                loops.create_task(decisions.run(settings.database_url, stopping))
                loops.create_task(wishes.run(settings.database_url, stopping))
                loops.create_task(release.run(stopping))
                loops.create_task(delivery.run(stopping, settings.stop_grace_s))
            for task in upkeep:
                task.cancel()
    finally:
        health.shutdown()
        health.server_close()


def _until_told() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


if __name__ == "__main__":
    sys.exit(main())
