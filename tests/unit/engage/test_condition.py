"""The condition of a backfill: one expression, in brackets, or refused in one line."""

import pytest

from engage.condition import checked, table_of
from engage.frame import BadInput


@pytest.mark.parametrize(
    "where",
    [
        "client_id < 5 OR id > 9",
        "status IN ('paid', 'shipped')",
        "ordered_at >= current_date - interval '7 days'",
        "  ordered_at::date = '1998-01-01' and amount > -1.5 ",
        "status = 'caf\u00e9  au lait'",
        "status = ')'",
        "status = 'it''s'",
    ],
)
def test_a_condition_stays_whole_in_brackets(where: str):
    """An OR in it cannot reach beyond it, and brackets in texts do not count."""
    assert checked(where) == f"({where.strip()})"


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
        "id = " + "1" * 1800,
        "id = 1\n or id = 2",
        r"status = E'\'' = '''' ) -- '",
        "$\u00e9$'$\u00e9$ = '' ) -- '",
        "status = '\udcff'",
        "id = $1",
        "id = 1e9",
    ],
)
def test_what_is_no_single_expression_is_refused(where: str):
    """Nothing reaches Debezium that could end its own condition."""
    with pytest.raises(BadInput, match="--where"):
        checked(where)


@pytest.mark.parametrize(
    "where",
    [
        "CASE WHEN current_user = 'cdc' THEN pg_sleep(1e6) IS NULL ELSE true END",
        "(SELECT count(*) FROM clients) > 0",
        "pg_sleep(5) IS NULL",
        "email LIKE 'a%'",
    ],
)
def test_functions_subqueries_and_personal_columns_cannot_be_named(where: str):
    """Debezium's role may do more than an operator's, so the words are a closed list."""
    with pytest.raises(BadInput, match="may not stand in a condition"):
        checked(where)


def test_only_tables_with_events_on_the_lanes_are_backfilled():
    """The schema may be named; another table is refused by name."""
    assert table_of("public.orders") == table_of("orders") == "orders"
    with pytest.raises(BadInput, match="'episodes' is not captured"):
        table_of("episodes")
