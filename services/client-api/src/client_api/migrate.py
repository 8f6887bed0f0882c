"""Brings the database to the newest schema, and gives the roles their passwords. Idempotent."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from client_api.database import DATABASE_ERRORS, SCHEMA_LOCK, name_of, sqlstate_of
from client_api.settings import MigrateSettings, asyncpg_url
from common.errors import Misconfigured
from common.policy import ShopPolicy

CONNECT_TIMEOUT_S = 10.0
SCRAM_ROUNDS = 4096
"""Postgres's own number."""


async def migrate(settings: MigrateSettings) -> None:
    """Do it all in one transaction, one process at a time; raises Misconfigured."""
    engine = create_async_engine(
        asyncpg_url(settings.database_admin_url),
        hide_parameters=True,
        connect_args={"timeout": CONNECT_TIMEOUT_S},
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SCHEMA_LOCK}
            )
            try:
                await connection.run_sync(_upgrade)
            except asyncpg.PostgresError as error:
                # A script goes past SQLAlchemy, which would have wrapped this.
                raise _failed(error) from error
            await _set_passwords(connection, settings.passwords)
            await _seed_policy(connection)
    except DBAPIError as error:
        raise _failed(error) from error
    except DATABASE_ERRORS as error:
        raise Misconfigured(f"the database does not answer: {name_of(error)}") from error
    finally:
        await engine.dispose()


def _failed(error: Exception) -> Misconfigured:
    return Misconfigured(f"the migration failed: {name_of(error)} {sqlstate_of(error)}")


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _set_passwords(connection: AsyncConnection, passwords: Mapping[str, SecretStr]) -> None:
    for role, password in passwords.items():
        verifier = scram_verifier(password.get_secret_value(), secrets.token_bytes(16))
        await connection.exec_driver_sql(f"ALTER ROLE {role} PASSWORD '{verifier}'")


def scram_verifier(password: str, salt: bytes) -> str:
    """Return what Postgres stores of a password (RFC 5803), so that no log can show the password.

    The password must be ASCII, where preparing it (RFC 4013) changes nothing.
    """
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, SCRAM_ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (
        base64.b64encode(part).decode() for part in (salt, stored, server)
    )
    return f"SCRAM-SHA-256${SCRAM_ROUNDS}:{salt64}${stored64}:{server64}"


async def _seed_policy(connection: AsyncConnection) -> None:
    """Insert the first policy, so that scores have a version to name from the first one on."""
    statement = """
        INSERT INTO policies (id, document, note, created_by)
        SELECT 1, CAST(:document AS jsonb), 'reference figures, until a fit exists', 'migration'
        WHERE NOT EXISTS (SELECT FROM policies)
    """
    await connection.execute(text(statement), {"document": ShopPolicy().model_dump_json()})
