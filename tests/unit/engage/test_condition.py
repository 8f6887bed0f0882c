"""The condition of a backfill: one expression, in brackets, or refused in one line."""

import pytest

from engage.condition import checked, table_of
from engage.frame import BadInput


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("client_id < 5 OR id > 9", "(client_id < 5 OR id > 9)"),
        ("status IN ('paid',\n 'shipped')", "(status IN ('paid', 'shipped'))"),
        ("status = ')'", "(status = ')')"),
        ("status = 'it''s'", "(status = 'it''s')"),
    ],
)
def test_a_condition_stays_whole_in_brackets(where: str, kept: str):
    """An OR in it cannot reach beyond it, and brackets in texts do not count."""
    assert checked(where) == kept


@pytest.mark.parametrize(
    "where",
    [
        "",
        "  ",
        "1=1) OR (1=1",
        "(1=1",
        "1=1; DELETE FROM orders",
        "1=1 -- and nothing more",
        "1=1 /* or",
        "status = 'open",
        "status = $$x$$",
        "x" * 2001,
    ],
)
def test_what_is_no_single_expression_is_refused(where: str):
    """Nothing reaches Debezium that could end its own condition."""
    with pytest.raises(BadInput, match="--where"):
        checked(where)


def test_only_tables_with_events_on_the_lanes_are_backfilled():
    """The schema may be named; another table is refused by name."""
    assert table_of("public.orders") == table_of("orders") == "orders"
    with pytest.raises(BadInput, match="'episodes' is not captured"):
        table_of("episodes")
