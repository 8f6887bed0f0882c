"""A run of clients is assessed together and comes out as if one by one, to the last digit."""

from hypothesis import given
from hypothesis import strategies as st

from common.score.crossing import TOGETHER_MIN, crossing_days
from common.score.model import Features, assess, crossing_day_of, entry_and_exit
from common.score.policy import Policy, Weights
from scorer.merging import merge_order
from scorer.orders import NEVER
from scorer.rows import Row
from scorer.runs import assess_many, entries_of

LEDGERS = st.lists(
    st.tuples(
        st.one_of(st.integers(-300, 700), st.sampled_from([-25_567, 2_932_896])),
        st.sampled_from([0, 1, 999, 12_050, 9_999_999_999_999_999]),
    ),
    max_size=12,
)
POLICIES = st.builds(
    Policy,
    weights=st.builds(
        Weights,
        intercept=st.floats(-800, 800) | st.floats(-4, 0),
        frequency=st.floats(0, 3) | st.just(0.0),
        value=st.floats(0, 3),
        recency=st.floats(0, 3) | st.just(0.0),
    ),
    gap_prior_days=st.floats(0.01, 1e5),
    half_life_days=st.floats(0.01, 1e5),
    rho=st.floats(0.01, 0.99),
    theta=st.floats(0.01, 0.99),
    silence_max_days=st.integers(1, 179),
    ahead_days=st.integers(0, 30),
)


def row_of(orders) -> Row:
    row = Row()
    for number, (day, cents) in enumerate(orders, start=1):
        when = day if cents else NEVER
        merge_order(row, number, number, removed=False, day=when, cents=cents)
    return row


@given(
    st.lists(LEDGERS, min_size=1, max_size=TOGETHER_MIN // 4),
    POLICIES | st.just(Policy()),
    st.integers(-26_000, 1_000),
    st.booleans(),
)
def test_a_run_is_assessed_as_one_by_one(ledgers, policy, today, together):
    """For any ledgers, policy and day, in small runs and in large ones: exactly ``assess``."""
    rows = [row_of(orders) for orders in ledgers] * (TOGETHER_MIN if together else 1)
    want = [assess(row.ledger, today, policy) for row in rows[: len(ledgers)]]
    assert assess_many(rows, today, policy) == want * (TOGETHER_MIN if together else 1)


@given(
    st.lists(
        st.builds(
            lambda frequency, value, n, first, span: Features(
                frequency, value, n, first, first + span
            ),
            st.floats(1, 5_000),
            st.floats(0, 1e14),
            st.integers(2, 5_000),
            st.integers(-25_567, 2_932_896),
            st.integers(1, 40_000),
        ),
        min_size=TOGETHER_MIN,
        max_size=2 * TOGETHER_MIN,
    ),
    POLICIES,
)
def test_crossing_days_together_are_those_one_by_one(clients, policy):
    """Bisection in columns ends on the same days, also where score and entry nearly touch."""
    entries = entries_of(clients, policy)
    assert entries == [entry_and_exit(one, policy)[0] for one in clients]
    one_by_one = [crossing_day_of(c, e, policy) for c, e in zip(clients, entries, strict=True)]
    assert crossing_days(clients, entries, policy) == one_by_one
