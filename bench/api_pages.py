"""The pages that the API's benchmark asks for: our path, and the statement behind it for the other.

The statement is noted from our own store, so that both run the very same one.
"""

import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson

from client_api.problems import NotFound
from client_api.shapes.money import priced
from client_api.store import client_lists, clients, curves, emails, episodes, orders, scores
from client_api.store.episode_lists import EpisodePage
from client_api.store.reads import Reads
from client_api.web import cursors

LIMIT = 50
CURRENCY = "USD"
"""That of a shop which names none."""
PREFIX = (2, 5)
"""How many letters people type."""
STATES = ("active", "at_risk", "lapsed", "one_order", "no_orders")

Fields = dict[str, Any]


class Asked(NamedTuple):
    """One page: where ours is, and what the bare route is asked."""

    kind: str
    path: str
    statement: str
    values: list[Any]

    @property
    def bare_path(self) -> str:
        """The bare route's path."""
        return f"/{self.kind}?" + urlencode({"values": orjson.dumps(self.values).decode()})


def _dict(row: Any) -> Fields:
    return dict(row.items())


def _plain(row: Any) -> Fields:
    """Less than ours answers, so the bare route has the lighter work."""
    return {name: str(value) for name, value in row.items()}


SHAPES: Mapping[str, Callable[[Any], Fields]] = {
    "list_by_id": clients.fields_of,
    "search_by_name": clients.fields_of,
    "filter_by_state": clients.fields_of,
    "sort_by_score": clients.fields_of,
    "state_by_score": clients.fields_of,
    "one_client": clients.fields_of,
    "orders_of_client": _dict,
    "newest_orders": _dict,
    "emails_by_value": emails.fields_of,
    "episodes_of_client": _dict,
    "one_score": _plain,
    "score_curve": _plain,
}
"""What makes fields of a row."""


def _by_score(sort: str) -> Callable[[Fields], str]:
    return lambda row: cursors.encode(
        sort, row["score"]["score"], row["id"], day=row["score"]["as_of"]
    )


def _by_id(row: Fields) -> str:
    return cursors.encode("id", row["id"])


def _by_id_of_day(row: Fields) -> str:
    return cursors.encode("id", row["id"], day=row["score"]["as_of"])


def _by_time(row: Fields) -> str:
    return cursors.encode("-ordered_at", row["ordered_at"], row["id"])


def _by_value(row: Fields) -> str:
    return cursors.encode("-value", row["value_at_risk"], row["episode_id"])


BEHIND: Mapping[str, Callable[[Fields], str]] = {
    "list_by_id": _by_id,
    "search_by_name": _by_id,
    "filter_by_state": _by_id_of_day,
    "sort_by_score": _by_score("score"),
    "state_by_score": _by_score("-score"),
    "orders_of_client": _by_time,
    "newest_orders": _by_time,
    "emails_by_value": _by_value,
    "episodes_of_client": _by_value,
}
"""The cursor behind the last row of a page."""
SINGLE = frozenset({"one_client", "one_score"})
"""One row. What is neither that nor a page is all rows that the statement gives."""


def _priced(row: Fields) -> Fields:
    return priced(row, CURRENCY)


TOLD: Mapping[str, Callable[[Fields], Fields]] = {
    "emails_by_value": _priced,
    "episodes_of_client": _priced,
}
"""What a row goes out as, where the cursor needs more of it than that."""


class Noted(Reads):
    """Runs nothing: keeps the first statement that it is given."""

    def __init__(self) -> None:
        """Begin with none."""
        self.first: tuple[str, list[Any]] | None = None

    async def rows(
        self,
        statement: str,
        values: Sequence[Any],
        *,
        search: bool = False,  # noqa: ARG002 - as the real one
    ) -> list[Any]:
        """Note a statement."""
        if self.first is None:
            self.first = (statement, list(values))
        return []


class Samples(NamedTuple):
    """Rows to begin pages at, drawn from the tables."""

    clients: list[tuple[int, float, str, str]]
    """Id, score, state and surname."""
    orders: list[tuple[Any, int]]
    episodes: list[tuple[float, str, str]]
    """Value at risk, id and state."""


CLIENTS = """
    SELECT c.id, s.score, s.state, c.surname
    FROM scores s TABLESAMPLE BERNOULLI ($1) REPEATABLE (1) JOIN clients c ON c.id = s.client_id
    WHERE s.as_of = (SELECT as_of FROM score_serving) AND s.score IS NOT NULL LIMIT 400
"""
ORDERS = "SELECT ordered_at, id FROM orders TABLESAMPLE BERNOULLI ($1) REPEATABLE (1) LIMIT 400"
EPISODES = """
    SELECT value_at_risk, id, state FROM episodes TABLESAMPLE BERNOULLI ($1) REPEATABLE (1)
    LIMIT 400
"""


async def draw(db: Any, clients_in_all: int) -> Samples:
    """Draw some hundred rows of each table."""
    percent = min(100.0, 50_000 / clients_in_all)
    found = Samples(
        [tuple(row) for row in await db.fetch(CLIENTS, percent)],
        [tuple(row) for row in await db.fetch(ORDERS, percent / 10)],
        [tuple(row) for row in await db.fetch(EPISODES, min(100.0, percent * 4))],
    )
    for rows in found:
        random.Random(1).shuffle(rows)
    return found


async def pages(kind: str, samples: Samples) -> list[Asked]:
    """Return pages of a kind, each at another place."""
    draw = random.Random(kind)
    make = MAKERS[kind]
    many = samples.episodes if kind.startswith("emails") else samples.clients
    if kind == "newest_orders":
        return [await make(kind, sample, draw) for sample in samples.orders]
    return [await make(kind, sample, draw) for sample in many]


async def _noted(
    kind: str, path: str, query: Mapping[str, object], call: Callable[[Reads], Awaitable[object]]
) -> Asked:
    noted = Noted()
    with contextlib.suppress(NotFound):
        await call(noted)
    assert noted.first is not None  # noqa: S101 - every page takes a statement
    return Asked(kind, f"{path}?{urlencode(query)}" if query else path, *noted.first)


async def _list_by_id(kind: str, sample: Any, _: random.Random) -> Asked:
    return await _noted(
        kind,
        "/api/clients",
        {"cursor": cursors.encode("id", sample[0])},
        lambda reads: client_lists.by_id(
            reads, descending=False, after=sample[0], state=None, search=None, limit=LIMIT + 1
        ),
    )


async def _search(kind: str, sample: Any, draw: random.Random) -> Asked:
    typed = sample[3][: draw.randint(*PREFIX)]
    return await _noted(
        kind,
        "/api/clients",
        {"search": typed},
        lambda reads: client_lists.by_id(
            reads, descending=False, after=None, state=None, search=typed, limit=LIMIT + 1
        ),
    )


async def _filter(kind: str, sample: Any, draw: random.Random) -> Asked:
    state = draw.choice(STATES)
    return await _noted(
        kind,
        "/api/clients",
        {"state": state, "cursor": cursors.encode("id", sample[0])},
        lambda reads: client_lists.by_id(
            reads, descending=False, after=sample[0], state=state, search=None, limit=LIMIT + 1
        ),
    )


async def _sort(kind: str, sample: Any, _: random.Random) -> Asked:
    client, score, _state, _surname = sample
    return await _noted(
        kind,
        "/api/clients",
        {"sort": "score", "cursor": cursors.encode("score", score, client)},
        lambda reads: client_lists.by_score(
            reads,
            descending=False,
            after=(score, client),
            state=None,
            search=None,
            limit=LIMIT + 1,
        ),
    )


async def _state_by_score(kind: str, sample: Any, _: random.Random) -> Asked:
    client, score, state, _surname = sample
    return await _noted(
        kind,
        "/api/clients",
        {"sort": "-score", "state": state, "cursor": cursors.encode("-score", score, client)},
        lambda reads: client_lists.by_score(
            reads,
            descending=True,
            after=(score, client),
            state=state,
            search=None,
            limit=LIMIT + 1,
        ),
    )


async def _one_client(kind: str, sample: Any, _: random.Random) -> Asked:
    path = f"/api/clients/{sample[0]}"
    return await _noted(kind, path, {}, lambda reads: clients.find(reads, sample[0]))


async def _orders_of_client(kind: str, sample: Any, _: random.Random) -> Asked:
    return await _noted(
        kind,
        "/api/orders",
        {"client_id": sample[0]},
        lambda reads: orders.newest(reads, client_id=sample[0], after=None, limit=LIMIT + 1),
    )


async def _newest_orders(kind: str, sample: Any, _: random.Random) -> Asked:
    return await _noted(
        kind,
        "/api/orders",
        {"cursor": cursors.encode("-ordered_at", *sample)},
        lambda reads: orders.newest(reads, client_id=None, after=sample, limit=LIMIT + 1),
    )


async def _emails(kind: str, sample: Any, _: random.Random) -> Asked:
    value, episode, _state = sample
    return await _noted(
        kind,
        "/api/emails",
        {"cursor": cursors.encode("-value", value, episode)},
        lambda reads: emails.page(
            reads,
            EpisodePage(
                sort="-value", after=(value, episode), state=None, client_id=None, limit=LIMIT + 1
            ),
        ),
    )


async def _episodes_of_client(kind: str, sample: Any, _: random.Random) -> Asked:
    client = sample[0]
    return await _noted(
        kind,
        "/api/episodes",
        {"client_id": client},
        lambda reads: episodes.page(
            reads,
            EpisodePage(sort="-value", after=None, state=None, client_id=client, limit=LIMIT + 1),
        ),
    )


async def _one_score(kind: str, sample: Any, _: random.Random) -> Asked:
    return Asked(kind, f"/api/clients/{sample[0]}/score", scores.READ, [sample[0]])


async def _score_curve(kind: str, sample: Any, _: random.Random) -> Asked:
    # Ours takes a second statement, and reckons a score for each day; the bare route hands out the
    # orders that all of it follows from.
    return Asked(kind, f"/api/clients/{sample[0]}/curve", curves.ORDERS, [sample[0]])


MAKERS: Mapping[str, Callable[[str, Any, random.Random], Awaitable[Asked]]] = {
    "list_by_id": _list_by_id,
    "search_by_name": _search,
    "filter_by_state": _filter,
    "sort_by_score": _sort,
    "state_by_score": _state_by_score,
    "one_client": _one_client,
    "orders_of_client": _orders_of_client,
    "newest_orders": _newest_orders,
    "emails_by_value": _emails,
    "episodes_of_client": _episodes_of_client,
    "one_score": _one_score,
    "score_curve": _score_curve,
}
KINDS = tuple(MAKERS)
