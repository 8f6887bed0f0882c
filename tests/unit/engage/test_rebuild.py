"""What a rebuild decides by itself: what is still to be read, and whether two tables agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.events import ScoreFeatures
from common.score.policy import Policy
from engage.rebuild_goals import remaining
from engage.rebuild_scores import Told, differing, table_hash

POLICIES = {1: Policy(), 2: Policy(version=2, theta=0.3)}
DAY = 20_000


def features(value: float = 90.0, n: int = 3, last: int = DAY - 80) -> ScoreFeatures:
    return ScoreFeatures(frequency=2.5, value=value, n=n, first_day=last - 100, last_day=last)


def told(version: int = 7, policy: int = 1, found: ScoreFeatures | None = None) -> Told:
    return Told(1, version, policy, found or features())


def test_what_is_left_counts_from_where_the_group_stands():
    """Partitions that were passed are gone; those without a commit count from their beginning."""
    goal = {("a", 0): 100, ("a", 1): 50, ("b", 0): 30, ("c", 0): 10}
    committed = {("a", 0): 40, ("a", 1): 50, ("c", 0): 2}
    begins = {("b", 0): 20, ("c", 0): 8}
    assert remaining(goal, committed, begins) == {("a", 0): 60, ("b", 0): 10, ("c", 0): 2}


def test_tables_differ_where_the_same_knowledge_gives_another_judgement():
    """Only clients with the same rows and policy are compared, to nine digits."""
    before = {client: told() for client in range(1, 8)}
    after = {
        1: told(),
        2: told(found=features(value=90.0 * (1 + 1e-12))),
        3: told(found=features(value=90.1)),
        4: told(version=8, found=features(value=99.0)),
        5: told(policy=2, found=features(value=99.0)),
        6: Told(2, 7, 1, None),
        8: told(),
    }
    assert list(differing(before, after)) == [3, 6]


@given(st.permutations(range(1, 9)))
def test_the_hash_does_not_depend_on_order_or_generation(order: list[int]):
    """Whoever told the scores, in whatever order, the hash is the same."""
    want = {client: told(version=client) for client in range(1, 9)}
    other = {client: want[client]._replace(generation=5) for client in order}
    assert table_hash(other, POLICIES, DAY) == table_hash(want, POLICIES, DAY)


@pytest.mark.parametrize(
    "changed",
    [
        {1: told(version=8)},
        {1: told(policy=2)},
        {1: told(found=features(value=90.01))},
        {1: Told(1, 7, 1, None)},
        {1: told(), 2: told()},
        {},
    ],
)
def test_the_hash_tells_any_other_table(changed: dict[int, Told]):
    """A version, a policy, a feature or a client more or less: another hash."""
    assert table_hash(changed, POLICIES, DAY) != table_hash({1: told()}, POLICIES, DAY)


def test_the_hash_is_of_one_day():
    """On another day a client may be at risk who was not."""
    table = {1: told()}
    assert table_hash(table, POLICIES, DAY - 80) != table_hash(table, POLICIES, DAY + 150)
