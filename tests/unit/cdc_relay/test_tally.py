"""Counting what comes again, in bounded memory."""

from cdc_relay.tally import Duplicates


def test_a_fact_that_comes_again_is_counted():
    """Within a batch and across batches."""
    duplicates = Duplicates()
    assert duplicates.count(["a", "b"]) == 0
    assert duplicates.count(["b", "c", "c"]) == 2


def test_memory_is_bounded_and_covers_at_least_what_was_asked():
    """The last facts are remembered, very old ones forgotten, and the count stays bounded."""
    duplicates = Duplicates(remembered=10)
    for i in range(100):
        assert duplicates.count([str(i)]) == 0
        assert len(duplicates._young) + len(duplicates._old) <= 20
    assert duplicates.count([str(i) for i in range(90, 100)]) == 10
    assert duplicates.count(["0"]) == 0
