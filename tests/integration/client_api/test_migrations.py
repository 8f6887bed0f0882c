"""The migration: safe to run again, and roles that can do what they must and no more."""

import asyncio
import subprocess
import sys

import asyncpg
import pytest

from tests.servers import CLIENT_API_PASSWORD, Database, migrate

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
    },
    "mailer": {
        "episodes": {"SELECT", "INSERT", "UPDATE"},
        "emails": {"SELECT", "INSERT", "UPDATE"},
        "episode_history": {"SELECT", "INSERT"},
        "model_calls": {"SELECT", "INSERT"},
        "decision_outcomes": {"SELECT", "INSERT"},
        "decisions": {"SELECT"},
        "policies": {"SELECT"},
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


def test_a_database_that_does_not_answer_is_one_clear_line() -> None:
    """Migrating into nothing ends with one line and a code other than zero, without a trace."""
    done = subprocess.run(
        [sys.executable, "-m", "client_api", "migrate"],
        env={
            "DATABASE_ADMIN_URL": "postgresql://a:canary@127.0.0.1:9/engage",
            "CLIENT_API_PASSWORD": CLIENT_API_PASSWORD,
            "MAILER_PASSWORD": "b",
            "CDC_PASSWORD": "c",
            "ENGAGE_PASSWORD": "d",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "does not answer" in done.stderr
    assert "canary" not in done.stderr
