"""The races: who did not do the same work is found out, and times are those of readability."""

import pytest

from bench.errors import BenchFailed
from bench.finals import Finals, Judged, check_same, reference
from bench.latency import latencies
from bench.readable import Readable
from bench.workload import Shape, events, orders
from common.topics import SCORES


def judged(client: int, version: int, score: float = 0.5) -> Judged:
    return Judged(client, version, 20_000, score, "active", 20_100, 20_200)


def test_the_same_scores_are_the_same_work():
    """Equal final scores pass, whoever of the warm-up is told of beside them."""
    check_same("x", {1: judged(1, 7), 900: judged(900, 1)}, {1: judged(1, 7)})


@pytest.mark.parametrize("other", [{1: judged(1, 7, 0.51)}, {1: judged(1, 6)}, {}])
def test_another_score_is_not_the_same_work(other):
    """A score that differs in anything, or is missing, fails the benchmark by its client."""
    with pytest.raises(BenchFailed, match="x scores 1 clients otherwise than it should, such as 1"):
        check_same("x", other, {1: judged(1, 7)})


def test_the_reference_counts_every_order_and_does_not_know_the_stream():
    """Each client's final score names its newest order; a shuffled load gives the same ones."""
    load = list(events(Shape(clients=30)))
    found = reference(load)
    newest = {}
    for order in orders(Shape(clients=30)):
        newest[order.client_id] = order.version
    assert {client: judged.version for client, judged in found.items()} == newest
    assert reference(load[::-1]) == found


def test_scores_are_final_when_every_last_order_is_counted():
    """A client without a score, or with an older one, keeps the race going."""
    finals = Finals({})
    assert not finals.complete({1: 7})
    finals.scores[1] = judged(1, 6)
    assert not finals.complete({1: 7})
    finals.scores[1] = judged(1, 7)
    assert finals.complete({1: 7})


def test_records_count_from_when_their_transaction_was_readable():
    """The time is that of the first sample that reaches beyond every offset asked for."""
    readable = Readable.__new__(Readable)
    readable._topic = SCORES
    readable._samples = [(1.0, {0: 0, 1: 0}), (2.0, {0: 10, 1: 0}), (3.0, {0: 10, 1: 5})]
    assert readable.since({0: 9}) == 2.0
    assert readable.since({0: 9, 1: 4}) == 3.0
    with pytest.raises(BenchFailed, match="never seen"):
        readable.since({0: 10})


def test_a_row_takes_from_its_sending_to_the_score_that_names_it():
    """Each image is timed by itself, in milliseconds."""
    sent = {("order/1", 5): 10.0, ("order/1", 6): 10.5}
    seen = {("order/1", 5): 10.25, ("order/1", 6): 10.75, ("order/2", 9): 11.0}
    assert latencies(sent, seen) == [250.0, 250.0]
