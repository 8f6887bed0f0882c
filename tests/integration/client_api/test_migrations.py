"""The migration: safe to run again, and roles that can do what they must and no more."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from client_api import migrations
from client_api.settings import asyncpg_url
from common.policy import ShopPolicy
from tests.servers import CLIENT_API_PASSWORD, Database, execute, migrate

OWN = {
    "client_api": {
        "clients": {"SELECT", "INSERT", "UPDATE", "DELETE"},
        "orders": {"SELECT", "INSERT", "UPDATE", "DELETE"},
        "policies": {"SELECT", "INSERT"},
        "decisions": {"SELECT", "INSERT"},
        "score_features": {"SELECT", "INSERT", "UPDATE", "DELETE"},
        "scores": {"SELECT", "INSERT", "UPDATE", "DELETE"},
        "score_serving": {"SELECT", "UPDATE"},
        "episodes": {"SELECT"},
        "episode_history": {"SELECT"},
        "emails": {"SELECT"},
        "model_calls": {"SELECT"},
        "decision_outcomes": {"SELECT"},
        "operations": {"SELECT", "INSERT", "UPDATE"},
        "suppressions": {"SELECT", "INSERT", "DELETE"},
        "deliveries": {"SELECT"},
        "audit": {"SELECT", "INSERT"},
        "ledger_books": {"SELECT"},
        "clients_unscored": {"SELECT"},
        "daily_figures": {"SELECT", "INSERT", "UPDATE"},
        "idempotency_keys": {"SELECT", "INSERT", "DELETE"},
        "bulk_chunks": {"SELECT", "INSERT", "DELETE"},
    },
    "mailer": {
        "episodes": {"SELECT", "INSERT", "UPDATE"},
        "emails": {"SELECT", "INSERT", "UPDATE"},
        "episode_history": {"SELECT", "INSERT"},
        "model_calls": {"SELECT", "INSERT"},
        "decision_outcomes": {"SELECT", "INSERT"},
        "decisions": {"SELECT"},
        "policies": {"SELECT"},
        "deliveries": {"SELECT", "INSERT"},
        "ledger_books": {"SELECT"},
    },
    "cdc": {
        "clients": {"SELECT"},
        "orders": {"SELECT"},
        "policies": {"SELECT"},
        "cdc_heartbeat": {"SELECT", "INSERT", "UPDATE"},
        "cdc_signals": {"SELECT", "INSERT", "DELETE"},
    },
    "engage": {
        "policies": {"SELECT"},
        "cdc_heartbeat": {"SELECT"},
        "scores": {"SELECT"},
        "score_serving": {"SELECT"},
        "cdc_signals": {"SELECT", "INSERT", "DELETE"},
        "audit": {"SELECT", "INSERT"},
    },
}


async def test_each_role_has_exactly_the_privileges_it_needs(admin: asyncpg.Connection) -> None:
    """Table by table: nothing missing, nothing over, TRUNCATE for nobody."""
    rows = await admin.fetch(
        """SELECT grantee, table_name, privilege_type FROM information_schema.table_privileges
           WHERE table_schema = 'public' AND grantee <> current_user"""
    )
    found: dict[str, dict[str, set[str]]] = {}
    for role, table, privilege in rows:
        found.setdefault(role, {}).setdefault(table, set()).add(privilege)
    assert found == OWN


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("mailer", "SELECT email FROM clients"),
        ("mailer", "SELECT * FROM clients"),
        ("mailer", "SELECT id FROM clients FOR UPDATE"),
        ("mailer", "UPDATE clients SET consent = true"),
        ("mailer", "SELECT amount, currency FROM orders"),
        ("mailer", "INSERT INTO decisions (episode_id, action, actor) VALUES ('1-1', 'edit', 'm')"),
        ("mailer", "SELECT scores_open_day('2026-01-01')"),
        ("mailer", "SELECT reserve_ids('clients', 5)"),
        ("client_api", "TRUNCATE orders"),
        ("client_api", "UPDATE episodes SET state = 'held'"),
        ("client_api", "UPDATE policies SET note = ''"),
        ("client_api", "DELETE FROM decisions"),
        ("client_api", "UPDATE decisions SET actor = 'x'"),
        ("client_api", "INSERT INTO score_serving VALUES (1, NULL, NULL)"),
        ("client_api", "SELECT lock_client(1)"),
        ("client_api", "CREATE TABLE mine (i int)"),
        ("client_api", "ALTER TABLE clients DISABLE TRIGGER row_version"),
        ("cdc", "UPDATE orders SET status = 'paid'"),
        ("cdc", "SELECT * FROM emails"),
        ("engage", "SELECT first_name FROM clients"),
        ("engage", "SELECT category FROM orders"),
        ("engage", "SELECT event FROM episodes"),
        ("engage", "UPDATE orders SET status = 'paid'"),
        ("engage", "SELECT setval('row_version', 1)"),
        ("engage", "SELECT FROM operations"),
    ],
)
async def test_a_role_cannot_do_more(admin: asyncpg.Connection, role: str, statement: str) -> None:
    """What is another service's affair, or nobody's, is refused."""
    async with admin.transaction():
        await admin.execute(f"SET LOCAL ROLE {role}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with admin.transaction():
                await admin.execute(statement)


async def test_a_caller_cannot_choose_a_rows_version(database: Database) -> None:
    """The trigger overrules whatever version a statement names, and ids never change."""
    connection = await asyncpg.connect(database.client_api_url)
    try:
        insert = "INSERT INTO clients (first_name, version) VALUES ('A', 999999) RETURNING version"
        first = await connection.fetchval(insert)
        assert first < 1000
        update = "UPDATE clients SET version = 5 RETURNING version"
        assert await connection.fetchval(update) > first
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE clients SET id = 77")
    finally:
        await connection.close()


async def test_migrating_again_changes_nothing(
    database: Database, admin: asyncpg.Connection
) -> None:
    """A second run, or two at once, keep data, policy and passwords."""
    await admin.execute("INSERT INTO clients (first_name) VALUES ('Ada')")
    before = await admin.fetchrow("SELECT version, created_at FROM policies")
    await asyncio.gather(*(asyncio.to_thread(migrate, database.admin_url) for _ in range(2)))
    assert await admin.fetchrow("SELECT version, created_at FROM policies") == before
    assert await admin.fetchval("SELECT count(*) FROM clients") == 1
    connection = await asyncpg.connect(database.client_api_url)
    await connection.close()


BEFORE_EMAILS = """
INSERT INTO clients (id, first_name) VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
    opened_as_of, score, value_at_risk, policy_version, event)
SELECT n || '-1', n, 'draft', 'r', 'mailer', '2026-01-01', '2026-02-01', now(), 0.2, 10, 1,
    '{"canary": 1}' FROM generate_series(1, 2) n;
INSERT INTO emails (episode_id, client_id, subject, body, facts_used, draft_hash, prompt_version,
    prompt_hash, model, provider, generation_id, sandbox)
SELECT id, client_id, 'canary', 'canary', '["canary"]', 'h', 'v', 'h', 'm', 'p', 'g', true
FROM episodes;
INSERT INTO decisions (episode_id, action, actor, payload)
SELECT id, 'edit', 'eve', '{"subject": "canary", "sent": true}' FROM episodes;
INSERT INTO operations (kind, actor, parameters, state, finished_at, result)
VALUES ('what-if', 'eve', '{}', 'done', now(),
    '{"what_if": {"moved": [{"client_id": 1}, {"client_id": 2}]}}');
DELETE FROM clients WHERE id = 1;
"""
POLICY = "INSERT INTO policies (id, document, note, created_by) VALUES (1, $1, '', 'test')"
SAID = """
SELECT e.event, e.score, e.value_at_risk, m.subject, m.body, m.facts_used, d.payload
FROM episodes e JOIN emails m ON m.episode_id = e.id JOIN decisions d ON d.episode_id = e.id
ORDER BY e.id
"""


def upgrade(connection: Connection) -> None:
    """Bring a database to what it was before this issue."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__path__[0])))
    config.attributes["connection"] = connection
    command.upgrade(config, "0002")


async def test_what_earlier_erasures_left_behind_goes_with_the_migration(postgres: str) -> None:
    """Words and figures of clients who were gone before it are blank; others keep theirs."""
    name = f"engage_{uuid4().hex[:12]}"
    url = urlunsplit(urlsplit(postgres)._replace(path=f"/{name}"))
    await asyncio.to_thread(execute, postgres, f'CREATE DATABASE "{name}"')
    try:
        engine = create_async_engine(asyncpg_url(SecretStr(url)))
        async with engine.begin() as connection:
            await connection.run_sync(upgrade)
        await engine.dispose()
        admin = await asyncpg.connect(url)
        try:
            await admin.execute(POLICY, ShopPolicy().model_dump_json())
            await admin.execute(BEFORE_EMAILS)
            _, bob = await admin.fetch(SAID)
            await asyncio.to_thread(migrate, url)
            erased, kept = await admin.fetch(SAID)
            assert tuple(erased) == ("{}", 0, 0, "", "", "[]", '{"sent": true}')
            assert kept == bob
            result = await admin.fetchval("SELECT result FROM operations")
            assert json.loads(result) == {"what_if": {"moved": [{"client_id": 2}]}}
        finally:
            await admin.close()
    finally:
        await asyncio.to_thread(execute, postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


async def test_roles_that_an_operator_made_keep_their_passwords(
    postgres: str, migrated_template: str
) -> None:
    """As CloudNativePG does it: roles are there, and the schema's owner may not touch them."""
    name, roles = f"engage_{uuid4().hex[:12]}", ("client_api", "mailer", "cdc", "engage")
    owner = f"owner_{uuid4().hex[:12]}"
    url = urlunsplit(urlsplit(postgres)._replace(path=f"/{name}"))
    own = Database(name, url).url(owner, "owner")
    admin = await asyncpg.connect(postgres)
    try:
        await admin.execute(f"CREATE ROLE {owner} LOGIN PASSWORD 'owner'")
        await admin.execute(f'CREATE DATABASE "{name}" OWNER {owner}')
        kept = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY($1) ORDER BY 1"
        before = await admin.fetch(kept, roles)
        assert len(before) == len(roles), f"the roles are made with {migrated_template}"
        done = await asyncio.to_thread(_migrate, {"DATABASE_ADMIN_URL": own})
        assert done.returncode == 0, done.stderr
        assert await admin.fetch(kept, roles) == before
        api = await asyncpg.connect(Database(name, url).client_api_url)
        assert await api.fetchval("SELECT count(*) FROM policies") == 1
        await api.close()
    finally:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.execute(f"DROP ROLE IF EXISTS {owner}")
        await admin.close()


async def test_a_script_that_fails_is_named_by_its_error_and_changes_nothing(
    postgres: str, migrated_template: str
) -> None:
    """A database that answers is not said to be silent: here a table is in the way."""
    name = f"engage_{uuid4().hex[:12]}"
    url = urlunsplit(urlsplit(postgres)._replace(path=f"/{name}"))
    admin = await asyncpg.connect(postgres)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        taken = await asyncpg.connect(url)
        await taken.execute("CREATE TABLE orders (id bigint)")
        done = await asyncio.to_thread(_migrate, {"DATABASE_ADMIN_URL": url})
        assert done.returncode == 2
        assert "the migration failed: DuplicateTableError 42P07" in done.stderr
        tables = "SELECT relname FROM pg_stat_user_tables"
        assert [row["relname"] for row in await taken.fetch(tables)] == ["orders"]
        await taken.close()
    finally:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.close()


def _migrate(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "client_api", "migrate"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_database_that_does_not_answer_is_one_clear_line() -> None:
    """Migrating into nothing ends with one line and a code other than zero, without a trace."""
    done = _migrate(
        {
            "DATABASE_ADMIN_URL": "postgresql://a:canary@127.0.0.1:9/engage",
            "CLIENT_API_PASSWORD": CLIENT_API_PASSWORD,
            "MAILER_PASSWORD": "b",
            "CDC_PASSWORD": "c",
            "ENGAGE_PASSWORD": "d",
        }
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "does not answer" in done.stderr
    assert "canary" not in done.stderr
