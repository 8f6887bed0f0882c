"""``migrate``: the database's newest schema."""

import asyncio

from client_api.migrate import migrate
from client_api.settings import MigrateSettings
from common import logs
from common.settings import load


def run() -> None:
    """Bring the database to the newest schema."""
    settings = load(MigrateSettings)
    log = logs.configure("migrate", settings.log_level)
    asyncio.run(migrate(settings))
    log.info("migrated")
