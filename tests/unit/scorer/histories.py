"""Journals of domain events about one client, as the lanes may carry them, for property tests."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from common.events import ClientChanged, ClientErased, Data, OrderChanged, OrderRemoved
from common.wire import image_of
from scorer.engine import Moment, Outcome, Rules, merge, moment, reassess_many
from scorer.rows import Row, dump, head_key, load

CLIENT = 7
BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)


def order(order_id: int, version: int, day: int, amount: str = "30.00", status: str = "paid"):
    """Return an order dated ``day`` days after the beginning."""
    return OrderChanged(
        client_id=CLIENT,
        order_id=order_id,
        version=version,
        ordered_at=BEGIN + timedelta(days=day),
        amount=Decimal(amount),
        currency="USD",
        status=status,
    )


def removal(order_id: int, version: int) -> OrderRemoved:
    """Return the removal of an order."""
    return OrderRemoved(client_id=CLIENT, order_id=order_id, version=version, reason="deleted")


def erasure(version: int) -> ClientErased:
    """Return the erasure of the client."""
    return ClientErased(client_id=CLIENT, version=version)


def at(day: int) -> Moment:
    """Return noon of a day after the beginning."""
    return moment(BEGIN + timedelta(days=day), UTC)


@dataclass
class Story:
    """A row, and all that was told about its client."""

    rules: Rules
    row: Row = field(default_factory=Row)
    told: list[Outcome] = field(default_factory=list)
    stored: dict[bytes, bytes | None] = field(default_factory=dict)

    def hear(self, data: Data, when: Moment) -> list[Outcome]:
        """Merge an event and assess the row if it was news."""
        news = merge(self.row, image_of(data), UTC)
        return self.assess(when) if news else []

    def tick(self, when: Moment) -> list[Outcome]:
        """Do what a tick that passed its barrier does with this client, if it is due."""
        if self.row.due is None or self.row.due > when.day:
            return []
        return self.assess(when, opens=True)

    def assess(self, when: Moment, *, opens: bool = False) -> list[Outcome]:
        """Assess the row, store it and read it again, and keep what was told."""
        told = reassess_many([(CLIENT, self.row)], when, self.rules, opens=opens)
        for key, value in dump(CLIENT, self.row).items():
            self.stored[key] = value
        self.row = load(CLIENT, self.stored[head_key(CLIENT)], self.stored.get)
        return self.note(told)

    def note(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Keep what was told."""
        self.told += outcomes
        return outcomes


@st.composite
def journals(draw: st.DrawFn) -> list[Data]:
    """Row images of a few orders: the images of one (order, version) pair are all the same."""
    images = draw(
        st.dictionaries(
            st.tuples(st.integers(1, 5), st.integers(1, 60)),
            st.tuples(
                st.integers(0, 400),
                st.sampled_from(["0.00", "5.00", "30.00", "120.50", "-8.00"]),
                st.sampled_from(["placed", "paid", "cancelled", "refunded"]),
                st.booleans(),
            ),
            min_size=1,
            max_size=20,
        )
    )
    journal: list[Data] = [
        removal(number, version) if gone else order(number, version, day, amount, status)
        for (number, version), (day, amount, status, gone) in images.items()
    ]
    journal += [
        ClientChanged(client_id=CLIENT, version=version)
        for version in draw(st.lists(st.integers(1, 60), max_size=3))
    ]
    if draw(st.booleans()):
        journal.append(erasure(draw(st.integers(1, 60))))
    return journal
