"""``project``: scores from Kafka into Postgres."""

import asyncio

from client_api.projector.run import project
from client_api.settings import ProjectorSettings
from common import logs, tracing
from common.settings import load


def run() -> None:
    """Write scores from Kafka into Postgres."""
    settings = load(ProjectorSettings)
    log = logs.configure("projector", settings.log_level)
    tracing.start("projector", settings.otel_exporter_otlp_endpoint)
    log.info("starting", settings=settings.model_dump(mode="json"))
    asyncio.run(project(settings))
