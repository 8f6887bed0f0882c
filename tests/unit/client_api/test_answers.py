"""Hot reads say what their models promise: the bytes are those that the model would give."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from client_api.shapes.episodes import EpisodeRow
from client_api.shapes.money import priced
from client_api.shapes.responses import ClientRow, EmailRow, EmailText, OrderRow, Page
from client_api.store import clients, emails
from client_api.web import answers

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
IDS = st.integers(1, 2**53)
# The bounds of the strategy are without a zone; what it draws is in UTC.
FIRST, LAST = datetime(1, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
FIGURES = st.floats(allow_nan=False, allow_infinity=False)

CLIENTS = st.fixed_dictionaries(
    {
        **dict.fromkeys(("id", "version"), IDS),
        **dict.fromkeys(("first_name", "time_zone"), TEXT),
        **{name: st.none() | TEXT for name in ("surname", "email", "phone", "address")},
        **{name: st.booleans() for name in ("consent", "synthetic")},
        **dict.fromkeys(("created_at", "updated_at"), MOMENTS),
        "style_tags": st.lists(TEXT, max_size=3),
    }
)
SCORES = st.fixed_dictionaries(
    {
        "as_of": DAYS,
        "score": st.none() | FIGURES,
        "state": st.sampled_from(["no_orders", "one_order", "active", "at_risk", "lapsed"]),
        "crossing_day": st.none() | DAYS,
        "policy_version": IDS,
        "merged_version": IDS,
    }
)
UNSCORED = st.just(
    dict.fromkeys(
        ("as_of", "score", "state", "crossing_day", "policy_version", "merged_version"), None
    )
)
ORDERS = st.fixed_dictionaries(
    {
        **dict.fromkeys(("id", "client_id", "version"), IDS),
        **dict.fromkeys(("ordered_at", "created_at", "updated_at"), MOMENTS),
        "amount": st.decimals(-(10**13), 10**13, places=2).map(str),
        "currency": st.just("EUR"),
        "status": st.sampled_from(["placed", "paid", "cancelled"]),
        "category": TEXT,
    }
)
EPISODES = st.fixed_dictionaries(
    {
        "episode_id": TEXT,
        "first_name": st.none() | TEXT,
        "state": st.sampled_from(["held", "draft", "sent"]),
        "until": st.none() | MOMENTS,
        **dict.fromkeys(("client_id", "policy_version", "attempts"), IDS),
        **dict.fromkeys(("reason", "actor"), TEXT),
        **dict.fromkeys(("last_order_day", "crossing_day"), DAYS),
        **dict.fromkeys(("opened_as_of", "created_at", "updated_at"), MOMENTS),
        **dict.fromkeys(("score", "value_at_risk"), FIGURES),
    }
)
SILENCES = st.fixed_dictionaries(
    {
        "episode_id": TEXT,
        "state": st.sampled_from(["held", "draft", "sent"]),
        "outcome": st.sampled_from([None, "sent", "recovered"]),
        **dict.fromkeys(("until", "closed_at", "ordered_at"), st.none() | MOMENTS),
        **dict.fromkeys(("client_id", "policy_version"), IDS),
        **dict.fromkeys(("reason", "actor"), TEXT),
        **dict.fromkeys(("last_order_day", "crossing_day"), DAYS),
        **dict.fromkeys(("opened_at", "created_at", "updated_at"), MOMENTS),
        **dict.fromkeys(("score", "value_at_risk"), FIGURES),
    }
)
"""Episodes as such, without client or text."""
NO_TEXT = st.just({f"email_{name}": None for name in EmailText.model_fields})
SOME_TEXT = st.fixed_dictionaries(
    {
        f"email_{name}": {
            "sandbox": st.booleans(),
            "created_at": MOMENTS,
            "written_as_of": st.none() | MOMENTS,
        }.get(name, TEXT)
        for name in EmailText.model_fields
    }
)


def joined(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw one row of several tables."""
    return st.tuples(*parts).map(lambda found: {k: v for part in found for k, v in part.items()})


KINDS: dict[str, tuple[Any, Callable[[Any], dict[str, Any]], type[BaseModel]]] = {
    "client": (joined(CLIENTS, SCORES | UNSCORED), clients.fields_of, ClientRow),
    "order": (ORDERS, dict, OrderRow),
    "episode": (SILENCES, lambda row: priced(row, "EUR"), EpisodeRow),
    "email": (
        joined(EPISODES, NO_TEXT | SOME_TEXT),
        lambda row: priced(emails.fields_of(row), "EUR"),
        EmailRow,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_the_bytes_are_those_of_the_model(kind: str, data: st.DataObject) -> None:
    """Field by field, in the same text: moments in UTC, money as strings, null as null."""
    rows, shape, model = KINDS[kind]
    fields = [shape(row) for row in data.draw(st.lists(rows, min_size=1, max_size=3))]
    body = answers.page(fields, 10, lambda _: "x").body
    page = Page[model].model_validate_json(bytes(body))  # type: ignore[valid-type]
    assert orjson.loads(body) == orjson.loads(page.model_dump_json())
    direct = Page[model].model_validate({"items": fields, "next": None})  # type: ignore[valid-type]
    assert orjson.loads(body) == orjson.loads(direct.model_dump_json())


def test_a_page_names_the_row_behind_which_the_next_begins() -> None:
    """One row more than the limit was read; it is not shown, but there is a next page."""
    rows = [{"id": 1}, {"id": 2}, {"id": 3}]
    told = orjson.loads(answers.page(rows, 2, lambda row: f"behind {row['id']}").body)
    assert told == {"items": rows[:2], "next": "behind 2"}
    told = orjson.loads(answers.page(rows, 3, lambda row: f"behind {row['id']}").body)
    assert told == {"items": rows, "next": None}


def test_one_row_has_its_version_as_etag() -> None:
    """So that an update can name what it saw."""
    assert answers.one({"id": 1, "version": 7}).headers["ETag"] == '"7"'
