"""What happens in one schedule: made from the seed and its number alone, before anything runs."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from tests.chaos.emails.nonces import word_of
from tests.chaos.emails.repertoire import (
    ACTS,
    BUDGET_S,
    FATES,
    HARMS,
    HARMS_MAX,
    PASSING,
    SINK_HARMS,
    TROUBLES,
    Cost,
)
from tests.e2e import reference

IDS_EACH = 1_000
"""Room for the ids of one schedule: those of two never meet."""
ORDER_IDS_EACH = 100
"""Room for the ids of one client's orders; the last of them is the order that comes later."""
PLAIN = 3
"""Clients of each schedule who fall at risk, consent, and whom nothing happens to."""
OTHERS = 4
EPOCH = date(1970, 1, 1)
NOON = time(12, tzinfo=UTC)
CREATED_WITHIN_S, ACTS_WITHIN_S, HARMS_WITHIN_S = 1.5, 6.0, 5.0


class Person(NamedTuple):
    """One client as created, and what the journal expects of it."""

    client: int
    fate: str
    consent: bool
    orders: tuple[dict[str, Any], ...]
    episode: str | None
    trouble: dict[str, Any] | None

    @property
    def name(self) -> str:
        """The first name."""
        return word_of(self.client, "name").capitalize()

    @property
    def address(self) -> str:
        """The address: it holds none of the client's words."""
        return f"client-{self.client}@example.test"


class Act(NamedTuple):
    """What somebody does, so many seconds after the schedule's beginning."""

    after_s: float
    person: Person
    act: str


class Harm(NamedTuple):
    """A fault, so many seconds after the schedule's beginning, or when the one before is over."""

    after_s: float
    kind: str


class Plan(NamedTuple):
    """A whole schedule."""

    people: tuple[Person, ...]
    acts: tuple[Act, ...]
    harms: tuple[Harm, ...]
    passing: tuple[dict[str, Any], ...]
    """The model's passing trouble."""


def make(seed: int, number: int, today: date, rules: reference.Rules, *, delivery: bool) -> Plan:
    """Make schedule ``number`` of a seed; the same arguments make the same plan."""
    chance = random.Random(f"{seed}:{number}")
    fates = ["plain"] * PLAIN + _some(chance, FATES, OTHERS)
    first = (number + 1) * IDS_EACH
    people = tuple(
        _person(chance, first + place, fate, today, rules) for place, fate in enumerate(fates)
    )
    acts = [Act(chance.uniform(0, CREATED_WITHIN_S), person, "create") for person in people]
    for created in acts[PLAIN:]:
        acts += _later(chance, created)
    known = HARMS | (SINK_HARMS if delivery else {})
    harms = [Harm(chance.uniform(0, HARMS_WITHIN_S), kind) for kind in _harms(chance, known)]
    return Plan(
        people,
        tuple(sorted(acts, key=lambda act: act.after_s)),
        tuple(sorted(harms)),
        tuple(chance.sample(PASSING, chance.randint(0, 1))),
    )


def calm(seed: int, number: int, today: date, rules: reference.Rules) -> Plan:
    """Make a schedule in which each fate and each act comes once, and no harm."""
    chance = random.Random(f"{seed}:{number}")
    first = (number + 1) * IDS_EACH
    courses: list[tuple[str, str | None]] = [("plain", None)] * PLAIN
    courses += [(fate, None) for fate in FATES if fate != "plain"]
    courses += [("plain", act) for act in ACTS if act] + [("held", "release"), ("trouble", "retry")]
    acts = []
    for place, (fate, act) in enumerate(courses):
        person = _person(chance, first + place, fate, today, rules)
        acts.append(Act(0.0, person, "create"))
        if act is not None:
            acts.append(Act(CREATED_WITHIN_S + chance.uniform(0, ACTS_WITHIN_S), person, act))
    people = tuple(act.person for act in acts if act.act == "create")
    return Plan(people, tuple(sorted(acts, key=lambda act: act.after_s)), (), ())


def _some(chance: random.Random, weights: dict[Any, int], count: int) -> list[Any]:
    return chance.choices(list(weights), weights=list(weights.values()), k=count)


def _harms(chance: random.Random, known: dict[str, Cost]) -> list[str]:
    """Draw one harm to a few, as far as the budget goes."""
    drawn = _some(
        chance,
        {kind: cost.weight for kind, cost in known.items()},
        chance.randint(1, HARMS_MAX),
    )
    found, left_s = drawn[:1], BUDGET_S - known[drawn[0]].seconds
    for kind in drawn[1:]:
        if known[kind].seconds <= left_s:
            found.append(kind)
            left_s -= known[kind].seconds
    return found


def _later(chance: random.Random, created: Act) -> list[Act]:
    """Return what happens to one of the others after the client was created."""
    person, after_s = created.person, created.after_s
    found = []
    if person.fate == "held" and chance.random() < 0.5:
        found.append(Act(after_s, person, "release"))
    if person.fate == "trouble" and chance.random() < 0.5:
        found.append(Act(after_s, person, "retry"))
    if not found and person.fate in {"plain", "held", "trouble"}:
        [act] = _some(chance, ACTS, 1)
        if act is not None:
            found.append(Act(after_s + chance.uniform(0.3, ACTS_WITHIN_S), person, act))
    return found


def _person(
    chance: random.Random, client: int, fate: str, today: date, rules: reference.Rules
) -> Person:
    """Make up a client whose silence crosses, or does not, as the fate has it."""
    # Two days: the newer alone opens nothing, so a client half created is never half at risk.
    ages = (chance.randint(8, 60), 0)
    amounts = [chance.randrange(1_000, 9_000) / 100 for _ in ages]
    days = [
        (today - timedelta(days=age), amount) for age, amount in zip(ages, amounts, strict=True)
    ]
    silence = (reference.crossing(reference.standing(days, rules), rules) - today).days
    # A crossing of today or yesterday is fresh, even when midnight falls into the schedule.
    silence += chance.randint(8, 20) if fate == "held" else chance.randint(0, 1)
    if fate == "quiet":
        silence = 0
    orders = [
        _order(client, place, day - timedelta(days=silence), amount)
        for place, (day, amount) in enumerate(days)
    ]
    if chance.random() < 0.3:
        cancelled = _order(client, len(orders), today, 50.0) | {"status": "cancelled"}
        orders.append(cancelled)
    last = (today - EPOCH).days - silence
    return Person(
        client,
        fate,
        fate != "mute",
        tuple(orders),
        None if fate == "quiet" else f"{client}-{last}",
        dict(chance.choice(TROUBLES)) if fate == "trouble" else None,
    )


def _order(client: int, place: int, day: date, amount: float) -> dict[str, Any]:
    return {
        "id": client * ORDER_IDS_EACH + place,
        "client_id": client,
        "ordered_at": datetime.combine(day, NOON).isoformat(),
        "amount": f"{amount:.2f}",
        "category": word_of(client, "category"),
    }


def later_order(person: Person) -> dict[str, Any]:
    """Return the order with which a client comes back; now, by the business clock."""
    order = person.client * ORDER_IDS_EACH + ORDER_IDS_EACH - 1
    return {"id": order, "client_id": person.client, "amount": "25.00"}
