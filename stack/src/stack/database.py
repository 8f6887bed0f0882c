"""Our database on a new server; everything in it comes from the migrations."""

import asyncio

import asyncpg

TIMEOUT_S = 30.0


def create(server_url: str, name: str) -> None:
    """Create the database when it is missing. Must not be called from a running event loop."""
    asyncio.run(_create(server_url, name))


async def _create(server_url: str, name: str) -> None:
    connection = await asyncpg.connect(server_url, timeout=TIMEOUT_S)
    try:
        there = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name)
        if not there:
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
