"""Taking partitions over: fenced first, then restored, and how long each of it took."""

import logging
from types import SimpleNamespace

import structlog

from scorer import __main__ as process
from scorer.metrics import Metrics
from scorer.settings import Settings


async def test_the_time_of_restoring_is_that_of_reading_rows_alone(tmp_path, monkeypatch):
    """To fence who wrote before may wait for the broker, which makes no row come slower."""
    now = [1_000.0]
    monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=lambda: now[0]))

    async def take(_):
        now[0] += 50.0

    async def restore(*_):
        now[0] += 2.0
        return 7

    monkeypatch.setattr(process, "restore", restore)
    metrics = Metrics()
    await process._take(
        [0, 1],
        settings=Settings(
            kafka_bootstrap_servers="localhost:9",
            scorer_data_dir=tmp_path,
            scorer_instance_id="one",
        ),
        outbox=SimpleNamespace(take=take, thread=None),
        store=None,
        metrics=metrics,
        log=structlog.wrap_logger(logging.getLogger("test")),
    )

    told = metrics.registry.get_sample_value
    assert told("engage_scorer_restored_rows_total") == 14
    assert told("engage_scorer_restore_seconds_total") == 4.0
