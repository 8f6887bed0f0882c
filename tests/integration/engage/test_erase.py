"""Erasures are finished and verified on real servers, also where the capture missed the deletion.

One shop, captured, relayed and scored by real processes; each test has clients of its own.
"""

import json
from typing import Any

import pytest

from common.codec import decode
from common.kafka import create_topics
from common.partition import partition_of
from common.topics import BACKFILL, CDC_CLIENTS, CDC_ORDERS, LIVE, SCORES, changelog_of
from engage import erase, erase_run, reconcile
from engage.broker import Broker
from engage.erase_owners import client_of
from engage.frame import BadInput, Failed
from engage.gone import Suspects, remove
from engage.lane import Lane
from engage.postgres import connect as opened_database
from engage.progress import Silent
from tests.integration.cdc_relay.running import wait_for
from tests.integration.engage.shop import Shop, settle
from tests.servers import PARTITIONS, execute

BARE = {"order.removed.v1", "client.erased.v1"}
ACTOR = "eve"


def deletion(client: int) -> tuple[str, ...]:
    """Return the statements of an erasure, as client-api does it."""
    return (
        f"DELETE FROM orders WHERE client_id = {client}",
        f"UPDATE clients SET first_name = first_name WHERE id = {client}",
        f"""INSERT INTO audit (actor, action, subject, detail)
            SELECT 'eve', 'client.erased', 'client/{client}', jsonb_build_object('version', version)
            FROM clients WHERE id = {client}""",
        f"DELETE FROM clients WHERE id = {client}",
    )


def delete_unseen(shop: Shop, client: int) -> None:
    """Erase a client while the capture does not listen."""
    execute(
        shop.database.admin_url,
        "ALTER PUBLICATION engage DROP TABLE clients, orders",
        *deletion(client),
        "ALTER PUBLICATION engage ADD TABLE clients, orders",
        "UPDATE orders SET status = 'delivered' WHERE client_id = 6",
    )
    version = shop.ask("SELECT max(version) FROM orders WHERE client_id = 6")
    told = f'"version":{version}'.encode()
    wait_for(
        "capture goes on", lambda: any(told in (v or b"") for v in newest(shop, LIVE.name).values())
    )


class BothLanes(Lane):
    """Tells both lanes, and no other topic."""

    topics = (LIVE.name, BACKFILL.name)


def newest(shop: Shop, topic: str) -> dict[bytes, bytes | None]:
    """Return the newest value of each key of a topic."""
    broker = Broker(shop.broker.cluster)  # it knows topics that were made meanwhile
    records = broker.read(broker.begins([topic]), broker.ends([topic]))
    return {message.key() or b"": message.value() for message in records}


def of_client(shop: Shop, topic: str, client: int) -> dict[bytes, bytes | None]:
    """Return the newest value of each key of a client."""
    return {key: v for key, v in newest(shop, topic).items() if client_of(key) == client}


def assert_clear(shop: Shop, client: int, orders: list[int]) -> None:
    """The newest record of every key bears ids and versions alone."""
    for lane in (LIVE.name, BACKFILL.name):
        found = of_client(shop, lane, client)
        assert found[b"%d/client" % client] is None
        kinds = {decode(value).type for value in found.values() if value is not None}
        assert kinds <= BARE, (lane, kinds)
        assert {f"{client}/order/{order}".encode() for order in orders} <= found.keys()
    assert of_client(shop, SCORES.name, client) == {b"%d" % client: None}
    assert newest(shop, CDC_CLIENTS.name)[b'{"id":%d}' % client] is None
    raw = newest(shop, CDC_ORDERS.name)
    assert all(raw[b'{"id":%d}' % order] is None for order in orders)


def orders_of(shop: Shop, client: int) -> list[int]:
    """Return the ids of a client's orders."""
    found: list[int] = shop.ask(f"SELECT array_agg(id) FROM orders WHERE client_id = {client}")
    return found


def finished(shop: Shop, *clients: int) -> dict[str, Any]:
    """Finish erasures."""
    return erase.finish(shop.settings, clients or None, Silent(), actor=ACTOR)


def test_an_open_erasure_is_finished_once_and_may_be_looked_at_again(shop: Shop):
    """Nobody named it: the audit says that it is open; afterwards it is not."""
    orders = orders_of(shop, 2)
    execute(shop.database.admin_url, *deletion(2))
    assert finished(shop)["clients"] == [2]
    assert_clear(shop, 2, orders)
    assert finished(shop) == {"clients": [], "places": {}, "letters": []}
    again = finished(shop, 2)
    assert again["places"]["postgres"]["orders"] == 0
    assert (again["places"]["removals sent"], again["places"]["tombstones sent"]) == (0, 0)
    entries = "SELECT json_agg(action ORDER BY id) FROM audit WHERE subject = 'client/2'"
    assert json.loads(shop.ask(entries)) == ["client.erased", *["client.erasure.verified"] * 2]


def test_who_was_not_erased_is_left_alone(shop: Shop):
    """Nothing is written; and of one who never was, nothing is found."""
    before = shop.sent()
    with pytest.raises(BadInput, match="client 3 is there"):
        finished(shop, 3)
    assert finished(shop, 999_999)["places"]["removals sent"] == 0
    assert shop.sent() == before


def test_what_the_capture_missed_is_overwritten_on_both_lanes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    """She was deleted while nobody listened: it says so, and names the way; after a reconcile,
    which writes to the backfill lane, the live lane is cleared, too.
    """
    client, orders = 5, orders_of(shop, 5)
    execute(
        shop.database.admin_url,
        f"UPDATE orders SET status = 'shipped' WHERE client_id = {client}",
        f"UPDATE clients SET first_name = 'E' WHERE id = {client}",
    )
    wait_for(
        "her rows are on the live lane",
        lambda: len(of_client(shop, LIVE.name, client)) == len(orders) + 1,
    )
    delete_unseen(shop, client)
    monkeypatch.setattr(erase, "TOLD_LIMIT_S", 2.0)
    with pytest.raises(Failed, match="reconcile"):
        finished(shop)
    drift = reconcile.survey(shop.settings, Silent())
    assert drift.gone_clients == {client}
    reconcile.mend(shop.settings, drift, Silent(), fix=False)
    settle(shop)
    live = of_client(shop, LIVE.name, client)
    assert len(live) == len(orders) + 1
    assert all(live.values())
    assert finished(shop)["places"]["removals sent"] > 0
    assert_clear(shop, client, orders)
    settle(shop)
    assert of_client(shop, SCORES.name, client) == {b"%d" % client: None}
    assert reconcile.survey(shop.settings, Silent()).gone == 0


def test_the_raw_topics_are_cleared_also_where_both_lanes_know_already(shop: Shop):
    """Somebody told the lanes of what the capture missed: of the rows its own topics know nothing,
    and a run that broke off before it wrote to them leaves the same.
    """
    client, orders = 9, orders_of(shop, 9)
    delete_unseen(shop, client)
    suspects = Suspects([(client, order) for order in orders], [client])
    with (
        opened_database(shop.settings.database) as opened,
        BothLanes(shop.broker, PARTITIONS) as lane,
    ):
        remove(lane, opened, suspects)
    raw = newest(shop, CDC_ORDERS.name)
    assert all(raw[b'{"id":%d}' % order] for order in orders)
    places = finished(shop)["places"]
    assert (places["removals sent"], places["tombstones of rows sent"]) == (0, len(orders) + 1)
    assert_clear(shop, client, orders)


def test_of_whom_something_is_left_keeps_nobody_else_waiting(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    """No mailer ends her episode: she is named and stays open, the other one is verified."""
    execute(
        shop.database.admin_url,
        """INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
             opened_as_of, score, value_at_risk, policy_version, event)
           VALUES ('10-1', 10, 'draft', 'r', 'mailer', '2026-01-01', '2026-02-01', now(), 0, 0, 1,
             '{}')""",
        "INSERT INTO decisions (episode_id, action, actor) VALUES ('10-1', 'erase', 'eve')",
        *deletion(10),
        *deletion(11),
    )
    monkeypatch.setattr(erase_run, "LEFT_LIMIT_S", 1.0)
    with pytest.raises(Failed, match=r"client 10 Postgres still holds: .*; 1 others are done"):
        finished(shop)
    verified = "SELECT json_agg(subject) FROM audit WHERE action = 'client.erasure.verified' AND "
    assert json.loads(shop.ask(verified + "subject = 'client/11'")) == ["client/11"]
    assert shop.ask(verified + "subject = 'client/10'") is None
    execute(
        shop.database.admin_url,
        "INSERT INTO decision_outcomes (decision_id, outcome, reason)"
        " SELECT id, 'applied', 'erased' FROM decisions WHERE episode_id = '10-1'",
        # A verification of an earlier version says nothing of this one.
        """INSERT INTO audit (actor, action, subject, detail)
           VALUES ('eve', 'client.erasure.verified', 'client/10', '{"version": 1}')""",
    )
    assert finished(shop)["clients"] == [10]


def test_what_nobody_can_read_and_what_a_superseded_generation_left_goes(shop: Shop):
    """Broken records of hers, and rows of a changelog that nobody writes to, get tombstones."""
    client, other = 7, 8
    partition = partition_of(client, PARTITIONS)
    orders = orders_of(shop, client)
    idle = changelog_of(9).name
    create_topics(shop.broker.cluster, [changelog_of(9)], PARTITIONS, 1)
    for key in (b"7", b"7/0", b"8"):
        shop.write(idle, key, b"row", partition_of(int(key[:1]), PARTITIONS))
    shop.write(LIVE.name, b"7/order/888888", b"{broken 739184.17", partition)
    shop.write(BACKFILL.name, b"7/odd", b"{broken 739184.17", partition)
    execute(shop.database.admin_url, *deletion(client))
    done = finished(shop)
    assert_clear(shop, client, [*orders, 888_888])
    assert of_client(shop, BACKFILL.name, client)[b"7/odd"] is None
    assert of_client(shop, idle, client) == {b"7": None, b"7/0": None}
    assert of_client(shop, idle, other) == {b"8": b"row"}
    removed = {one["topic"]: one["removed"] for one in done["letters"]}
    assert removed[f"{LIVE.name}.dlq"] >= 1
    traces = [
        message.topic()
        for topic in (f"{LIVE.name}.dlq", f"{BACKFILL.name}.dlq")
        for message in shop.broker.read(shop.broker.begins([topic]), shop.broker.ends([topic]))
        if b"739184.17" in (message.value() or b"")
    ]
    assert traces == []
