"""The draw of the holdout: sticky, uniform, blind to what it draws, and monotone in its share."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.episodes.rules import in_holdout

CLIENTS = 5_000
CHI_SQUARE_LIMIT = 63.7
"""Beyond it lies one in a million, for 19 degrees of freedom."""

SALTS = st.text(min_size=1, max_size=40)
IDS = st.integers(1, 2**63 - 1)
SHARES = st.floats(0, 100)


@given(SALTS, IDS, SHARES)
def test_a_draw_is_the_same_for_ever(salt, client, percent):
    """The same salt, client and share give the same answer whenever they are asked."""
    assert in_holdout(salt, client, percent) is in_holdout(salt, client, percent)


def test_a_draw_is_the_same_in_every_process():
    """Nothing that differs between processes, such as the seed of hash(), goes into the draw."""
    ask = (
        "from mailer.episodes.rules import in_holdout;"
        "print([c for c in range(1, 400) if in_holdout('salt', c, 10)])"
    )
    here = str([c for c in range(1, 400) if in_holdout("salt", c, 10)])
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", ask],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here


def test_the_draw_is_pinned():
    """Clients stay where they were drawn through every release: these draws may never change."""
    assert [c for c in range(1, 101) if in_holdout("salt", c, 10)] == [
        5,
        7,
        22,
        35,
        39,
        55,
        57,
        85,
        86,
        89,
    ]


@given(SALTS, IDS, SHARES, SHARES)
def test_a_larger_share_keeps_all_of_a_smaller_one(salt, client, one, other):
    """Raising the share lets nobody go; lowering it draws nobody new."""
    low, high = sorted((one, other))
    assert in_holdout(salt, client, high) or not in_holdout(salt, client, low)


@given(SALTS, IDS)
def test_no_share_draws_nobody_and_the_whole_everybody(salt, client):
    """Both ends of the scale are exact."""
    assert not in_holdout(salt, client, 0)
    assert in_holdout(salt, client, 100)


@pytest.mark.parametrize("step", [1, 2, 10, 4096, 1_000_003])
def test_the_draw_is_uniform_over_any_pattern_of_ids(step):
    """Each twentieth of the scale gets its share of clients, whatever their ids have in common."""
    places = [
        sum(not in_holdout("salt", client * step, percent) for percent in range(5, 100, 5))
        for client in range(1, CLIENTS + 1)
    ]
    expected = CLIENTS / 20
    chi_square = sum((places.count(k) - expected) ** 2 / expected for k in range(20))
    print(f"chi-square {chi_square:.1f}")
    assert chi_square < CHI_SQUARE_LIMIT


def test_draws_with_other_salts_are_independent():
    """Of those whom one salt holds out, another holds out its usual share."""
    drawn = [c for c in range(1, 10 * CLIENTS) if in_holdout("one", c, 10)]
    again = sum(in_holdout("other", c, 10) for c in drawn)
    # Five standard deviations of a binomial count.
    assert abs(again - len(drawn) / 10) < 5 * (len(drawn) * 0.1 * 0.9) ** 0.5
