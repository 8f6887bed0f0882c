"""A running API on a fresh database."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.integration.client_api.serving import Api, running_api
from tests.servers import Database


@pytest.fixture
async def api(database: Database) -> AsyncIterator[Api]:
    """The API on a fresh database, without event feeds."""
    async with running_api(database.client_api_url) as running:
        yield running


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the superuser to the test's database."""
    connection = await asyncpg.connect(database.admin_url)
    yield connection
    await connection.close()
