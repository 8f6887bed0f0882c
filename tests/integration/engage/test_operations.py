"""Replay, backfill, dead letters and reconcile on real servers: they mend, and change nothing else.

One shop, captured, relayed and scored by real processes, for all tests; each looks before and
after itself.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest

from common.events import OrderChanged
from common.topics import AT_RISK, BACKFILL, CDC_CLIENTS, CDC_ORDERS, LIVE
from engage import dlq, reconcile
from engage.backfill import ONE_AT_A_TIME, backfill
from engage.broker import Broker
from engage.frame import BadInput
from engage.gatherer import Gatherer
from engage.gone import Sent, Suspects, remove
from engage.lag import measure, measure_all
from engage.lane import Lane
from engage.postgres import connect as connect_to
from engage.progress import Silent
from engage.replay import replay
from engage.status import gather
from tests.integration.cdc_relay.running import wait_for
from tests.integration.engage.shop import CLIENTS, Shop, settle
from tests.servers import PARTITIONS, execute, from_anywhere

GHOST = 777_777
RAW = (CDC_CLIENTS.name, CDC_ORDERS.name)


@contextmanager
def nothing_changes(shop: Shop) -> Iterator[None]:
    """Check that no score changed and no episode was told meanwhile."""
    scores, episodes = shop.scores(), shop.episodes()
    yield
    settle(shop)
    assert shop.scores() == scores
    assert shop.episodes() == episodes


def orders_on(shop: Shop, topic: str) -> list[OrderChanged]:
    """Return the orders' images on a lane."""
    return [event for event in shop.told(topic) if isinstance(event, OrderChanged)]


def removed(shop: Shop, suspects: Suspects) -> Sent:
    """Send the removal of what is gone."""
    with connect_to(shop.database.engage_url) as database, Lane(shop.broker, PARTITIONS) as lane:
        return remove(lane, database, suspects)


def test_a_replay_sends_the_rows_and_changes_no_score(shop: Shop):
    """Two clients with five orders each: twelve records on the backfill lane, none on the live."""
    before = shop.sent()
    with nothing_changes(shop):
        done = replay(shop.settings, [3, 4, 4], Silent())
    after = shop.sent()
    grown = {topic: 0 for topic, _ in before}
    for place, end in after.items():
        grown[place[0]] += end - before[place]
    assert grown == {LIVE.name: 0, BACKFILL.name: 12}
    assert (done["clients"], done["orders"], done["scored"]) == (2, 10, True)


def test_a_backfill_captures_chosen_rows_again_and_changes_no_score(shop: Shop):
    """An OR stays inside; the rows come over the raw topic; capture runs on."""
    with nothing_changes(shop):
        done = backfill(shop.settings, "orders", "client_id = 3 OR client_id = 4", Silent())
    assert (done["matched"], done["rows"], done["scored"]) == (10, 10, True)
    assert shop.ask("SELECT count(*) FROM cdc_signals") == 0
    with nothing_changes(shop):
        assert backfill(shop.settings, "clients", None, Silent())["rows"] == CLIENTS
    nobody = backfill(shop.settings, "orders", "client_id < 0", Silent())
    assert (nobody["matched"], nobody["rows"]) == (0, 0)


def test_a_second_backfill_is_refused_while_one_goes_on(shop: Shop):
    """Debezium would mix the two up: the second is told so, and nothing is asked for."""

    async def meanwhile() -> None:
        first = await asyncpg.connect(shop.database.engage_url)
        try:
            await first.execute(f"SELECT pg_advisory_lock({ONE_AT_A_TIME})")
            with pytest.raises(BadInput, match="another backfill"):
                await asyncio.to_thread(backfill, shop.settings, "clients", None, Silent())
        finally:
            await first.close()

    raw = shop.broker.ends(RAW)
    from_anywhere(meanwhile())
    assert shop.broker.ends(RAW) == raw


def test_dead_letters_are_made_up_for_by_their_rows_twice_if_need_be(shop: Shop):
    """What the relay parked is counted, shown, replayed; replaying all once more is harmless."""
    source = CDC_ORDERS.name

    def counted() -> dict[str, object]:
        return dlq.overview(shop.settings, source)[0]

    owner = shop.ask("SELECT client_id FROM orders WHERE id = 7")
    odd = b'{"op":"?","before":null,"after":{"id":7,"client_id":%d}}' % owner
    was = counted()
    shop.write(source, b'{"id": 7}', odd)
    wait_for("the letter", lambda: counted()["waiting"] == int(str(was["waiting"])) + 1)
    letter = dlq.first_waiting(shop.settings, source)
    assert letter is not None
    assert (letter.reason, letter.value) == ("unknown_shape", odd)
    assert dlq.one(shop.settings, source, letter.offset) == letter
    with nothing_changes(shop):
        done = dlq.replay(shop.settings, source, Silent())
        assert (done["replayed"], done["rows"], done["left"]) == (1, 1, [])
        assert counted()["waiting"] == 0
        again = dlq.replay(shop.settings, source, Silent(), everything=True)
        assert again["replayed"] + len(again["left"]) == counted()["kept"]
    assert dlq.replay(shop.settings, source, Silent())["replayed"] == 0


def test_a_letter_that_names_no_client_goes_on_waiting(shop: Shop):
    """Its row is sent; a former client may still have it: a person reconciles, and dismisses."""
    source = CDC_ORDERS.name
    shop.write(source, b'{"id": 8}', b"{broken")
    wait_for("the letter", lambda: dlq.first_waiting(shop.settings, source))
    with nothing_changes(shop):
        done = dlq.replay(shop.settings, source, Silent())
        assert (done["replayed"], done["rows"]) == (0, 1)
        assert "run `engage reconcile`" in done["left"][0]["why"]
        assert dlq.first_waiting(shop.settings, source) is not None
    dlq.dismiss(shop.settings, source, None)
    assert dlq.first_waiting(shop.settings, source) is None


def test_what_nobody_captured_is_found_and_mended(shop: Shop):
    """While orders were not published, as with a lost slot, one was deleted and one was placed:
    the lanes are brought in line, and the client is scored as if both had been seen.
    """
    gone = shop.ask("SELECT max(id) FROM orders WHERE client_id = 11 AND id <= 60")
    execute(
        shop.database.admin_url,
        "ALTER PUBLICATION engage DROP TABLE orders",
        f"DELETE FROM orders WHERE id = {gone}",
        f"INSERT INTO orders (id, client_id, ordered_at, amount) VALUES ({GHOST}, 11, now(), 5)",
        "ALTER PUBLICATION engage ADD TABLE orders",
        # What is captured after it shows that the gap has been passed.
        "UPDATE orders SET status = 'delivered' WHERE id = 1",
    )
    version = shop.ask("SELECT version FROM orders WHERE id = 1")
    wait_for("capture goes on", lambda: version in [e.version for e in orders_on(shop, LIVE.name)])
    settle(shop)
    before = shop.scores()[11]
    drift = reconcile.survey(shop.settings, Silent())
    assert (drift.gone_clients, drift.gone_orders) == (set(), {(11, gone)})
    assert (set(drift.missing_orders), drift.missing_clients) == ({(11, GHOST)}, {})
    sent = shop.sent()
    done = reconcile.mend(shop.settings, drift, Silent(), fix=True)
    assert (done["removed_orders"], done["removed_clients"], done["sent"]) == (1, 0, 1)
    assert {t for t, p in sent if shop.sent()[t, p] > sent[t, p]} == {BACKFILL.name}
    settle(shop)
    after = shop.scores()[11]
    assert after["features"]["last_day"] > before["features"]["last_day"]
    assert after["features"]["n"] == before["features"]["n"]
    again = reconcile.survey(shop.settings, Silent())
    assert (again.gone, again.missing) == (0, 0)


def test_a_row_that_is_about_to_come_back_is_not_removed(shop: Shop):
    """A transaction that began first and commits last is waited for: its row's version is older
    than the removal's would be, and the removal would win for ever.
    """
    suspects = Suspects(orders=[(12, GHOST + 1)])

    async def race() -> Sent:
        writer = await asyncpg.connect(shop.database.admin_url)
        try:
            async with writer.transaction():
                await writer.execute(
                    "INSERT INTO orders (id, client_id, ordered_at, amount) "
                    f"VALUES ({GHOST + 1}, 12, now(), 5)"
                )
                taken = await writer.fetchval("SELECT last_value FROM row_version")
                work = asyncio.create_task(asyncio.to_thread(removed, shop, suspects))
                while await writer.fetchval("SELECT last_value FROM row_version") == taken:
                    assert not work.done()
                    await asyncio.sleep(0.02)
            return await work
        finally:
            await writer.close()

    assert from_anywhere(asyncio.wait_for(race(), 60)) == Sent(0, 0, 0)
    wait_for(
        "it is captured", lambda: GHOST + 1 in {e.order_id for e in orders_on(shop, LIVE.name)}
    )
    settle(shop)


def test_after_a_restore_every_row_is_told_anew(shop: Shop):
    """The sequence rises above what the lanes hold, each row gets a version above that, and scores
    stay as they are.
    """
    scores = shop.scores()
    highest = reconcile.highest_version(shop.settings, Silent()) + 1_000
    done = reconcile.after_restore(shop.settings, highest, Silent())
    rows = shop.ask("SELECT (SELECT count(*) FROM clients) + (SELECT count(*) FROM orders)")
    assert (done["sequence"], done["touched"]) == (highest, rows)
    assert shop.ask("SELECT min(version) FROM orders") > highest
    told = f"SELECT count(*) FROM orders WHERE version > {highest}"
    wait_for(
        "all orders are told anew",
        lambda: (
            len([e for e in orders_on(shop, LIVE.name) if e.version > highest]) >= shop.ask(told)
        ),
    )
    settle(shop)
    assert {c: s["score"] for c, s in shop.scores().items()} == {
        c: s["score"] for c, s in scores.items()
    }
    assert reconcile.survey(shop.settings, Silent()).missing == 0


@pytest.mark.parametrize(
    ("work", "named"),
    [
        (lambda s: replay(s, [1, 999_999], Silent()), "client 999999"),
        (lambda s: backfill(s, "orders", "colour = 'red'", Silent()), "colour"),
        (lambda s: backfill(s, "orders", "status = 1", Silent()), "operator does not exist"),
        (lambda s: backfill(s, "clients", "email = 'a@b'", Silent()), "may not stand"),
        (lambda s: backfill(s, "orders", "nextval('row_version') > 0", Silent()), "may not"),
        (lambda s: dlq.one(s, CDC_ORDERS.name, 10**9), "no dead letter"),
        (lambda s: dlq.replay(s, "nothing", Silent()), "'nothing'"),
    ],
    ids=["client", "column", "type", "personal", "writes", "letter", "topic"],
)
def test_bad_input_changes_nothing(shop: Shop, work, named: str):
    """It is refused before anything is written: to the lanes, to Debezium, or to the sequence."""

    def state() -> tuple[object, ...]:
        raw = shop.broker.ends(RAW)
        return shop.sent(), raw, shop.ask("SELECT last_value FROM row_version")

    before = state()
    with pytest.raises(BadInput, match=named):
        work(shop.settings)
    assert state() == before


def test_the_status_tells_a_planted_lag_and_counts_no_markers(shop: Shop):
    """The relay is behind by nothing although transactions left markers; the mailer, which does
    not run, by what is on its topic, as old as its oldest record; and the capture is told.
    """
    wait_for("the relay has passed all", lambda: not shop.waiting("cdc-relay", *RAW))
    broker = Broker(shop.broker.cluster)
    was = measure(broker, "-", "mailer", [AT_RISK.name], members=0, now=time.time())
    one = next(broker.read(broker.begins([AT_RISK.name]), broker.ends([AT_RISK.name])))
    hour_ago = int((time.time() - 3600) * 1000)
    shop.write(AT_RISK.name, one.key() or b"", one.value() or b"", timestamp=hour_ago)
    lags = {lag.group: lag for lag in measure_all(broker, broker.groups(), 1, Gatherer())}
    assert lags["mailer"].records == was.records + 1
    assert lags["mailer"].exact
    assert 3600 <= lags["mailer"].seconds < 3900
    assert lags["scorer"].members == 1
    document = gather(shop.settings)
    json.dumps(document, default=str)
    slot = document["hops"][0]
    assert (slot["active"], slot["wal_status"]) == (True, "reserved")
    assert document["connector"] == {"state": "running", "task": "running", "failure": None}
    assert document["policy"]["version"] == 1
    assert document["problems"] == [
        "scores → projector: nobody reads as projector",
        "at-risk → mailer: nobody reads as mailer",
    ]
