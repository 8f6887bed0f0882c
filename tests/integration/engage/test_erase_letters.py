"""Dead letters of an erased client go, on a real broker; nobody else's is lost, also by a crash."""

import json
import time

import pytest
from confluent_kafka import Producer

from common import kafka
from common.cluster import Cluster
from common.errors import Transient
from common.topics import CDC_ORDERS, LIVE, dead_letters_of
from engage import dlq
from engage.broker import Broker
from engage.erase_letters import Removal, remove
from engage.letters import Letter, handled, letters, summary
from engage.settings import Settings
from tests.integration.cdc_relay.running import wait_for
from tests.servers import PARTITIONS

ADA, BOB = 42, 43
OWNER = {7: frozenset({ADA}), 8: frozenset({BOB})}


class Crash(Exception):
    """Ends a removal between its halves."""


def crash() -> None:
    """Be the crash."""
    raise Crash


@pytest.fixture
def broker(kafka: str):
    """The broker, with no letters from other tests waiting."""
    found = Broker(Cluster(kafka))
    for source in (LIVE.name, CDC_ORDERS.name):
        remove(found, source, frozenset({ADA, BOB}), OWNER, 0, unreadable=True)
        assert list(letters(found, source)) == []
        deal_with_all(found, source)
    return found


def deal_with_all(broker: Broker, source: str) -> None:
    """Count all letters as dealt with; a fresh broker needs a while for its first group."""
    end = broker.ends([f"{source}.dlq"])[f"{source}.dlq", 0]

    def noted() -> bool:
        try:
            dlq.remember(broker, source, end)
        except Transient:
            return False
        return True

    wait_for("it is noted", noted, 120)


def park(broker: Broker, source: str, *parked: tuple[bytes | None, bytes | None]) -> None:
    """Park records, as a reader does."""
    producer = Producer({"bootstrap.servers": broker.cluster.servers})
    for number, (key, value) in enumerate(parked):
        headers = [("reason", b"odd"), ("offset", b"%d" % number), ("attempt", b"2")]
        producer.produce(
            dead_letters_of(LIVE).name if source == LIVE.name else f"{source}.dlq",
            value,
            key,
            0,
            headers=headers,
            timestamp=int(time.time() - 3600) * 1000 + number,
        )
    assert producer.flush(30) == 0


def kept(broker: Broker, source: str) -> list[Letter]:
    """Return all letters of a topic."""
    return list(letters(broker, source))


def erased(broker: Broker, source: str, **more) -> Removal:
    """Remove Ada's letters."""
    done = handled(broker)[source]
    return remove(broker, source, frozenset({ADA}), OWNER, done, **more)


def event(client: int, number: int) -> tuple[bytes, bytes]:
    """Return key and value of a record on a lane that nobody can use."""
    return b"%d/order/%d" % (client, number), b"{broken %d" % number


def test_only_her_letters_go_and_all_others_are_shown_as_before(broker: Broker):
    """Those of others keep bytes, headers, time and order; none that was dealt with waits again."""
    park(broker, LIVE.name, *(event(BOB, n) for n in (1, 2)), event(ADA, 3))
    deal_with_all(broker, LIVE.name)
    park(broker, LIVE.name, event(BOB, 4), event(ADA, 5), event(BOB, 6), (b"\xff", b"\xff"))
    before = kept(broker, LIVE.name)
    outcome = erased(broker, LIVE.name)
    assert (outcome.removed, outcome.moved, outcome.reduced) == ({ADA: 2}, 3, 0)
    assert len(outcome.unreadable) == 1
    after = kept(broker, LIVE.name)
    assert {one.key for one in after} == {one.key for one in before} - {
        b"42/order/3",
        b"42/order/5",
    }
    known = {one.key: one for one in before}
    for one in after:
        was = known[one.key]
        assert (one.value, one.parked_ms, one.reason, one.attempt) == (
            was.value,
            was.parked_ms,
            "odd",
            2,
        )
    done = handled(broker)[LIVE.name]
    assert {one.key for one in after if one.waits(done)} == {
        b"43/order/4",
        b"43/order/6",
        b"\xff",
    }
    assert summary(broker, LIVE.name, done)["waiting"] == 3
    settings = Settings(kafka_bootstrap_servers=broker.cluster.servers, topic_partitions=PARTITIONS)
    shown = dlq.waiting(settings, LIVE.name, 10)
    assert sorted(one["key"] for one in shown) == ["43/order/4", "43/order/6", "\\xff"]
    assert dlq.dismiss(settings, LIVE.name, None)["dismissed"] == 3


def test_without_a_letter_of_hers_nothing_is_touched(broker: Broker):
    """Offsets stay, too."""
    park(broker, LIVE.name, event(BOB, 1), event(BOB, 2))
    before = [(one.offset, one.key) for one in kept(broker, LIVE.name)]
    assert erased(broker, LIVE.name).removed == {}
    assert [(one.offset, one.key) for one in kept(broker, LIVE.name)] == before


def test_a_crash_between_the_halves_loses_no_letter_and_the_next_run_leaves_none_twice(
    broker: Broker,
):
    """Before the deletion all are there, those moved twice; afterwards each is there once."""
    park(broker, LIVE.name, event(BOB, 1), event(ADA, 2), event(BOB, 3))
    with pytest.raises(Crash):
        erased(broker, LIVE.name, pause=crash)
    assert sorted(one.key or b"" for one in kept(broker, LIVE.name)) == [
        b"42/order/2",
        b"43/order/1",
        b"43/order/1",
        b"43/order/3",
    ]
    park(broker, LIVE.name, event(BOB, 4))
    erased(broker, LIVE.name)
    assert sorted(one.key or b"" for one in kept(broker, LIVE.name)) == [
        b"43/order/1",
        b"43/order/3",
        b"43/order/4",
    ]


def test_more_letters_than_a_writer_holds_are_written_again_all_the_same(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
):
    """It waits for room, as often as there is none."""
    own = kafka.producer

    def narrow(cluster: Cluster, extra: dict[str, object]) -> Producer:
        return own(cluster, {**extra, "queue.buffering.max.messages": 5})

    park(broker, LIVE.name, *(event(BOB, n) for n in range(200)), event(ADA, 1))
    monkeypatch.setattr(kafka, "producer", narrow)
    outcome = erased(broker, LIVE.name)
    assert (outcome.removed, outcome.moved) == ({ADA: 1}, 200)
    keys = [one.key for one in kept(broker, LIVE.name)]
    assert keys == [event(BOB, n)[0] for n in range(200)]


def test_of_a_letter_about_two_clients_ids_stay(broker: Broker):
    """An order that moved from her to another: the other's row can still be sent again by it."""
    images = {
        name: {"id": 9, "client_id": client, "version": 5, "amount": "739184.17", "status": 1}
        for name, client in (("before", ADA), ("after", BOB))
    }
    park(
        broker,
        CDC_ORDERS.name,
        (b'{"id":9}', json.dumps({"op": "u", **images}).encode()),
        (b'{"id":7}', b"{broken"),
        (b'{"id":8}', b"{broken"),
    )
    outcome = erased(broker, CDC_ORDERS.name)
    assert (outcome.removed, outcome.reduced, outcome.unreadable) == ({ADA: 2}, 1, [])
    other, shared = sorted(kept(broker, CDC_ORDERS.name), key=lambda one: one.key or b"")
    assert (other.key, other.value) == (b'{"id":8}', b"{broken")
    assert b"7391" not in (shared.value or b"")
    assert json.loads(shared.value or b"")["after"]["client_id"] == BOB
    assert erased(broker, CDC_ORDERS.name).removed == {}


def test_unreadable_letters_go_only_when_it_is_said(broker: Broker):
    """Of what tells nobody's id, nothing is guessed."""
    park(broker, LIVE.name, (b"\xff", b"\xff"), event(BOB, 1))
    first = erased(broker, LIVE.name)
    assert (first.removed, len(first.unreadable)) == ({}, 1)
    assert erased(broker, LIVE.name, unreadable=True).removed == {0: 1}
    assert [one.key for one in kept(broker, LIVE.name)] == [b"43/order/1"]
