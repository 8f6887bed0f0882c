"""The Kafka client's log stays bounded."""

import logging

from cdc_relay.chatter import EVERY_S, KINDS_MAX, Seldom


def record(text):
    """Make a log record."""
    return logging.LogRecord("librdkafka", logging.ERROR, "", 0, text, None, None)


def test_each_kind_passes_once_in_a_while():
    """A message that repeats itself passes again only after a while; others pass meanwhile."""
    now = 0.0
    seldom = Seldom(lambda: now)
    repeated = "FAIL [rdkafka#consumer-3] [thrd:a]: refused"
    assert seldom.filter(record(repeated))
    assert not seldom.filter(record(repeated + " after 1 ms"))
    assert seldom.filter(record("SESSTMOUT [rdkafka#consumer-3] [thrd:main]: timed out"))
    now = EVERY_S
    assert seldom.filter(record(repeated))


def test_memory_is_bounded():
    """Many kinds of messages are not remembered for ever."""
    seldom = Seldom(lambda: 0.0)
    for number in range(2 * KINDS_MAX):
        assert seldom.filter(record(f"{number} of a kind of its own"))
        assert len(seldom._last) <= KINDS_MAX
