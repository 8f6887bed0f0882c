"""Schedules and words: the seed says it all, and nobody's words are another's."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.emails import plan, repertoire
from tests.chaos.emails.nonces import ROLES, word_of, words_in, words_of
from tests.e2e import reference

TODAY = date(2026, 7, 1)
CLIENTS = st.integers(1, 10**6)
SEEDS = st.integers(0, 2**32 - 1)
NUMBERS = st.integers(0, 199)


@given(CLIENTS, CLIENTS)
def test_words_belong_to_one_client(first, second):
    """All words of two clients differ, and each is found wherever it stands."""
    words = {*words_of(first), *words_of(second)}
    assert len(words) == len(ROLES) * len({first, second})
    text = f'Hello {word_of(first, "name").capitalize()}, ("{word_of(first, "tag")}").'
    assert words_in([text]) == {word_of(first, "name"), word_of(first, "tag")}


@given(SEEDS, NUMBERS)
def test_the_seed_determines_the_schedule(seed, number):
    """The same seed and number make the same schedule."""

    def make() -> plan.Plan:
        return plan.make(seed, number, TODAY, reference.USUAL, delivery=True)

    assert make() == make()


@given(SEEDS, NUMBERS)
def test_a_schedule_is_what_its_journal_will_say(seed, number):
    """By the reference, whoever shall have an episode crosses at a day that is fresh, or held."""
    made = plan.make(seed, number, TODAY, reference.USUAL, delivery=False)
    assert made.harms
    assert sum(repertoire.HARMS[harm.kind].seconds for harm in made.harms) <= repertoire.BUDGET_S
    for person in made.people:
        orders = [
            (date.fromisoformat(order["ordered_at"][:10]), float(order["amount"]))
            for order in person.orders
            if order.get("status") != "cancelled"
        ]
        _, state, crossing = reference.expected(orders, TODAY, reference.USUAL)
        if person.episode is None:
            assert state == "active"
            assert crossing > TODAY + timedelta(days=1)
            continue
        assert state == "at_risk"
        late = (TODAY - crossing).days
        assert late > 7 if person.fate == "held" else late in {0, 1}
        last = max(day for day, _ in orders)
        assert person.episode == f"{person.client}-{last.toordinal() - plan.EPOCH.toordinal()}"


def test_the_calm_schedule_has_all_fates_and_acts():
    """So that what is recorded from it, and planted in it, has every kind of client."""
    made = plan.calm(1, 0, TODAY, reference.USUAL)
    assert {person.fate for person in made.people} == repertoire.FATES.keys()
    acts = {act.act for act in made.acts}
    assert acts == {"create", "release", "retry", *filter(None, repertoire.ACTS)}
    assert not made.harms
