"""A what-if says exactly what two policies differ in, and what each would have been worth."""

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.score.ledger import Ledger, entry_of_order
from common.score.model import assess
from common.score.policy import Policy, Weights
from engage.frame import BadInput
from engage.history_columns import History, Journal
from engage.what_if import compare, differences
from engage.what_if_backtest import TOO_FEW, backtest, proportion
from engage.what_if_policy import candidate_of
from fitting.parameters import FittedPolicy, Parameters

TODAY = 20_000
PRESENT = Policy(version=7)


class Shop:
    """The same orders as a history and as ledgers."""

    def __init__(self, orders: list[tuple[int, int, int]]) -> None:
        """Take (client, day, cents) of each order."""
        self.journal, self.ledgers = Journal(), dict[int, Ledger]()
        for number, (client, day, cents) in enumerate(orders, start=1):
            self.journal.order(client, number, number, day=day, cents=cents, counts=True)
            ledger = self.ledgers.setdefault(client, Ledger())
            ledger.merge_order(number, entry_of_order(number, day, cents, "paid"))

    @property
    def history(self) -> History:
        return self.journal.history()

    def states(self, policy: Policy, day: int = TODAY) -> dict[int, str]:
        return {c: assess(ledger, day, policy).state for c, ledger in self.ledgers.items()}


def random_shop(seed: int, clients: int = 300) -> Shop:
    rng = random.Random(seed)
    return Shop(
        [
            (client, TODAY - rng.randrange(500), rng.randrange(500, 20_000))
            for client in range(1, clients + 1)
            for _ in range(rng.randrange(1, 8))
        ]
    )


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_the_present_policy_changes_nothing(seed: int):
    """Tried against itself, a policy moves nobody, changes no score and expects no email."""
    found = compare(random_shop(seed).history, TODAY, PRESENT, PRESENT, list_clients=None)
    assert (found.entering, found.leaving, found.states_changed, found.scores_changed) == (0,) * 4
    assert (found.changed_fields, found.moved, found.emails.expected) == ({}, [], 0)
    assert found.present == found.candidate


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    theta=st.floats(0.1, 0.9),
    lapse=st.integers(151, 300),
    intercept=st.floats(-4, 0),
)
def test_who_moves_is_who_moves_one_by_one(seed: int, theta: float, lapse: int, intercept: float):
    """Transitions, those named and their order agree with each client's own assessment."""
    shop = random_shop(seed)
    other = Policy(version=7, theta=theta, lapse_days=lapse, weights=Weights(intercept=intercept))
    was, becomes = shop.states(PRESENT), shop.states(other)
    found = compare(shop.history, TODAY, PRESENT, other, list_clients=None)
    enter = [c for c in was if becomes[c] == "at_risk" != was[c]]
    leave = [c for c in was if was[c] == "at_risk" != becomes[c]]
    rest = [c for c in was if was[c] != becomes[c] and c not in (*enter, *leave)]
    assert [one.client_id for one in found.moved] == [*enter, *leave, *rest]
    assert all(
        (one.before, one.after) == (was[i], becomes[i])
        for one in found.moved
        for i in [one.client_id]
    )
    assert (found.entering, found.leaving) == (len(enter), len(leave))
    assert sum(sum(row.values()) for row in found.transitions.values()) == found.clients == len(was)
    for state in found.present.by_state:
        assert found.present.by_state[state] == list(was.values()).count(state)
        assert found.candidate.by_state[state] == list(becomes.values()).count(state)


def test_only_so_many_clients_are_named_and_the_rest_counted():
    """A list is cut where asked, and says what it left out."""
    shop = random_shop(3)
    stricter = PRESENT.model_copy(update={"theta": 0.2})
    whole = compare(shop.history, TODAY, PRESENT, stricter, list_clients=None)
    cut = compare(shop.history, TODAY, PRESENT, stricter, list_clients=5)
    assert cut.moved == whole.moved[:5]
    assert cut.moved_left_out == len(whole.moved) - 5 > 0


def test_expected_precision_is_the_mean_chance_of_not_ordering():
    """It is computed from the scores of those at risk under each policy, and from no others."""
    shop = random_shop(4)
    found = compare(shop.history, TODAY, PRESENT, PRESENT)
    chances = [
        1 - result.score
        for ledger in shop.ledgers.values()
        if (result := assess(ledger, TODAY, PRESENT)).state == "at_risk"
        and result.score is not None
    ]
    assert found.present.expected_precision == pytest.approx(math.fsum(chances) / len(chances))


def test_emails_leave_out_the_holdout_and_those_held():
    """Of those who enter, the ones crossed long ago wait for a person; a share is held out."""
    shop = random_shop(5)
    looser = PRESENT.model_copy(update={"theta": 0.9, "rho": 0.9, "holdout_percent": 20.0})
    found = compare(shop.history, TODAY, PRESENT, looser, cost_per_email=0.5).emails
    fresh = sum(
        TODAY + 1 - day <= looser.hold_after_days
        for client, ledger in shop.ledgers.items()
        if shop.states(PRESENT)[client] != "at_risk"
        and (result := assess(ledger, TODAY, looser)).state == "at_risk"
        and (day := result.crossing_day) is not None
    )
    assert 0 < fresh < found.entering
    assert found.held_for_a_person == found.entering - fresh
    assert found.expected == pytest.approx(fresh * 0.8)
    assert found.expected_if_all_released == pytest.approx(found.entering * 0.8)
    assert found.expected_cost == pytest.approx(fresh * 0.4)


def test_no_cost_is_made_up():
    """Without a cost per email there is no expected cost."""
    found = compare(
        random_shop(6).history, TODAY, PRESENT, PRESENT.model_copy(update={"theta": 0.9})
    )
    assert found.emails.expected_cost is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_backtest_counts_what_happened(seed: int):
    """Calls one horizon ago, compared with the orders that came, agree with a plain count."""
    shop = random_shop(seed, 800)
    found = backtest(shop.history, TODAY, PRESENT)
    days = {c: sorted(e.day for e in ledger.orders.values()) for c, ledger in shop.ledgers.items()}
    last = max(day for each in days.values() for day in each)
    then = last - PRESENT.horizon_days
    assert (found.as_of_day, found.until_day) == (then, last)
    called = base = silent_called = silent_base = lapsed = caught = 0
    for client, ledger in shop.ledgers.items():
        past = Ledger(orders={i: e for i, e in ledger.orders.items() if e.day <= then})
        result = assess(past, then, PRESENT)
        if result.features is None or result.features.n < 2 or result.state == "lapsed":
            continue
        risky = result.state == "at_risk"
        silent = days[client][-1] <= then
        gone = silent and last - result.features.last > PRESENT.lapse_days
        base, called = base + 1, called + risky
        silent_base, silent_called = silent_base + silent, silent_called + (silent and risky)
        lapsed, caught = lapsed + gone, caught + (gone and risky)
    assert (found.precision.count, found.precision.n) == (silent_called, called)
    assert (found.base_rate.count, found.base_rate.n) == (silent_base, base)
    assert (found.lapses_caught.count, found.lapses_caught.n) == (caught, lapsed)
    assert called > TOO_FEW


def test_a_history_shorter_than_the_horizon_has_no_backtest():
    """There is nothing to compare calls with, and it is said so."""
    found = backtest(Shop([(1, TODAY - 50, 500), (1, TODAY, 500)]).history, TODAY, PRESENT)
    assert found.as_of_day is None
    assert (found.precision.n, found.precision.share) == (0, None)


def test_wilson_interval():
    """The interval of 45 of 50 is the published one; below 30 there is none."""
    found = proportion(45, 50)
    assert (found.share, found.low, found.high) == pytest.approx((0.9, 0.7864, 0.9565), abs=1e-4)
    assert proportion(29, 29).share is None
    assert proportion(30, 30).high == 1.0


def test_a_candidate_is_laid_over_the_present_policy(tmp_path):
    """A file replaces what it names, single values come on top, the rest stays."""
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"theta": 0.3, "weights": {"recency": 0.9}, "version": 99}))
    found = candidate_of(PRESENT, file, ["rho=0.6", "weights.value=0.2"])
    want = {"theta": (0.5, 0.3), "rho": (0.7, 0.6)}
    want |= {"weights.recency": (0.527, 0.9), "weights.value": (0.194, 0.2)}
    assert differences(PRESENT, found) == want
    assert found.version == PRESENT.version


@pytest.mark.parametrize(
    ("content", "values", "says"),
    [
        (None, [], "cannot be read"),
        ("{", [], "is not JSON"),
        ("[]", [], "holds no object"),
        ('{"thta": 0.3}', [], "no field 'thta'"),
        ('{"weights": {"luck": 1}}', [], "no field 'luck'"),
        ('{"weights": 3}', [], "weights"),
        ('{"schema_version": 2, "policy": {}}', [], "schema version 1"),
        ('{"theta": 1.5}', [], "theta: Input should be less than 1"),
        ('{"silence_max_days": 200}', [], "silence_max_days must be below lapse_days"),
        ("{}", ["theta"], "NAME=VALUE"),
        ("{}", ["theta=NaN"], "theta"),
        ("{}", ["theta=much"], "theta"),
        ("{}", ["theta.x=1"], "theta"),
    ],
)
def test_what_is_no_policy_is_refused_in_one_line(tmp_path, content, values, says):
    """A missing file, no JSON, an unknown field, a value out of range: one clear line."""
    file = tmp_path / "policy.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(BadInput) as refused:
        candidate_of(PRESENT, file, values)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_of_score_fit_is_taken_as_it_is(tmp_path):
    """What the fit decides is tried, the shop's own choices stay."""
    file = tmp_path / "parameters.json"
    fitted = FittedPolicy(
        weights=Weights(recency=0.8),
        gap_prior_days=40,
        half_life_days=180,
        horizon_days=90,
        rho=0.6,
        theta=0.5,
    )
    document = Parameters.model_construct(policy=fitted)  # type: ignore[call-arg] # the part read
    document.save(file)
    found = differences(PRESENT, candidate_of(PRESENT, file, []))
    assert found == {
        "weights.recency": (0.527, 0.8),
        "gap_prior_days": (45.0, 40.0),
        "rho": (0.7, 0.6),
    }


def test_nothing_to_try_is_refused():
    """A what-if without a file or a value says what to give it."""
    with pytest.raises(BadInput, match="--policy FILE"):
        candidate_of(PRESENT, None, [])
