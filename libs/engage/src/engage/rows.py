"""Rows as they stand in Postgres now, by id: what a replay sends and lanes are compared with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from common.events import ClientChanged, OrderChanged
from engage.frame import Failed
from engage.postgres import Database

CHUNK = 1_000
S_co = TypeVar("S_co", covariant=True)

CLIENTS = "SELECT id, version FROM clients WHERE id = ANY($1)"
ORDER = "id, client_id, ordered_at, amount, currency, status, version"
ORDERS = f"SELECT {ORDER} FROM orders WHERE id = ANY($1)"  # noqa: S608 - our own columns
ORDERS_OF = f"SELECT {ORDER} FROM orders WHERE client_id = ANY($1)"  # noqa: S608 - our own columns
BEYOND = """
    SELECT id FROM orders
    WHERE ordered_at >= '10000-01-01Z' OR ordered_at < '0001-01-01Z' ORDER BY id LIMIT 10
"""


@dataclass(frozen=True)
class Shop:
    """Rows as events are made of them: by id, as they stand now. Errors: see ``Database``."""

    database: Database

    def clients(self, ids: Sequence[int]) -> dict[int, ClientChanged]:
        """Return those of the clients that are there."""
        return {
            row["id"]: ClientChanged(client_id=row["id"], version=row["version"])
            for row in self.database.rows(CLIENTS, list(ids))
        }

    def orders(self, ids: Sequence[int]) -> dict[int, OrderChanged]:
        """Return those of the orders that are there."""
        return {found.order_id: found for found in self._orders(ORDERS, ids)}

    def orders_of(self, clients: Sequence[int]) -> list[OrderChanged]:
        """Return all orders of these clients."""
        return self._orders(ORDERS_OF, clients)

    def all_client_ids(self) -> list[int]:
        """Return the ids of all clients: eight bytes each and a bit, for a million a few MB."""
        return [row["id"] for row in self.database.rows("SELECT id FROM clients ORDER BY id")]

    def _orders(self, sql: str, ids: Sequence[int]) -> list[OrderChanged]:
        try:
            rows = self.database.rows(sql, list(ids))
        except (OverflowError, ValueError):
            # Postgres knows years that no event can say.
            beyond = self.database.rows(BEYOND)
            if not beyond:
                raise
            named = ", ".join(str(row["id"]) for row in beyond)
            raise Failed(f"orders are dated outside of the years 1 to 9999: id {named}") from None
        return [
            OrderChanged(
                client_id=row["client_id"],
                order_id=row["id"],
                version=row["version"],
                ordered_at=row["ordered_at"],
                amount=row["amount"],
                currency=row["currency"],
                status=row["status"],
            )
            for row in rows
        ]


class Sliced(Protocol[S_co]):
    """A list, a tuple or an array: what has a length and gives slices of itself."""

    def __len__(self) -> int:
        """Its length."""

    def __getitem__(self, index: slice, /) -> S_co:
        """A part of it."""


def chunks(values: Sliced[S_co], size: int = CHUNK) -> Iterator[S_co]:
    """Cut a sequence into pieces of at most ``size``."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
