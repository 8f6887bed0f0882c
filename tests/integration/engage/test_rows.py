"""Rows that no event can say are named, and nothing breaks with a trace."""

import pytest

from engage.frame import Failed
from engage.postgres import connect
from engage.rows import Shop
from tests.servers import Database, execute


def test_an_order_of_a_year_that_no_event_can_say_is_one_clear_line(database: Database):
    """Postgres knows the year 12026: whoever wrote it there learns which order it is."""
    execute(
        database.admin_url,
        "INSERT INTO clients (id, first_name) VALUES (7, 'Ada')",
        "INSERT INTO orders (id, client_id, ordered_at, amount) VALUES (1, 7, now(), 1)",
    )
    with connect(database.engage_url) as opened:
        assert [order.order_id for order in Shop(opened).orders_of([7])] == [1]
    execute(
        database.admin_url,
        "INSERT INTO orders (id, client_id, ordered_at, amount) VALUES (42, 7, '12026-01-01Z', 1)",
    )
    with connect(database.engage_url) as opened:
        with pytest.raises(Failed, match=r"years 1 to 9999: id 42$"):
            Shop(opened).orders_of([7])
        with pytest.raises(Failed, match=r"id 42$"):
            Shop(opened).orders([42])
