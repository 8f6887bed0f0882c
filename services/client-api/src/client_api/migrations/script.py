"""Whole SQL scripts inside a migration's transaction."""

from alembic import op


def run(script: str) -> None:
    """Run several statements at once, as Postgres's simple protocol takes them.

    SQLAlchemy prepares each statement, and a prepared one cannot hold several; so the script goes
    to the driver's own connection, in the transaction that the first statement here has begun.
    """
    bind = op.get_bind()
    bind.exec_driver_sql("SELECT 1")
    adapted = bind.connection.dbapi_connection
    assert adapted is not None  # noqa: S101 - an open transaction has a connection
    adapted.run_async(lambda driver: driver.execute(script))
