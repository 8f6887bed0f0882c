"""An email explains itself: from its evidence alone come the same score, episode and prompt."""

import hashlib
import json
import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import exp, log

import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.e2e import reference
from tests.e2e.system import running
from tests.e2e.waiting import wait_for

SCORED_LIMIT_S = 120.0
CROSSING_LIMIT_S = 240.0
RECORD_LIMIT_S = 30.0
DAYS_PER_SECOND = 2.0
EXACT = 1e-9

ORDERS = (
    (95, "19.90", "paid"),
    (50, "40.00", "paid"),
    (20, "25.10", "shipped"),
    (20, "4.95", "paid"),
)
"""Age in days, amount and status; two of one day, and one below that does not count."""
CANCELLED = (35, "99.00", "cancelled")

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the system runs."""
    return tmp_path_factory.mktemp("lineage")


@pytest.fixture(scope="module")
def system(folder):
    """A running system whose policy holds nobody out."""
    with running(folder) as started:
        policy = started.get("/api/policies/current")["document"] | {"holdout_percent": 0}
        policy.pop("version", None)
        started.post("/api/policies", {"document": policy})
        yield started


@pytest.fixture(scope="module")
def written(system):
    """A client who fell silent and was written to: the client, its counted orders, the lineage."""
    made = {"first_name": "Ada", "style_tags": ["jazz"], "email": "ada@example.com"}
    client = system.post("/api/clients", made)
    now = system.business_now()
    orders = []
    for age, amount, status in (*ORDERS, CANCELLED):
        body = {
            "client_id": client["id"],
            "amount": amount,
            "status": status,
            "category": "vinyl",
            "ordered_at": (now - timedelta(days=age)).isoformat(),
        }
        orders.append(system.post("/api/orders", body))

    def scored():
        row = system.get(f"/api/clients/{client['id']}")["score"]
        return True if row and row["merged_version"] >= orders[-1]["version"] else None

    def email():
        found = system.get("/api/emails", client_id=client["id"])["items"]
        return found[0] if found and found[0]["state"] == "written" else None

    wait_for("the client is scored", scored, SCORED_LIMIT_S)
    system.run_clock(DAYS_PER_SECOND)
    row = wait_for("the email is written", email, CROSSING_LIMIT_S)
    system.run_clock(0.0)
    return client, orders[:-1], system.get(f"/api/emails/{row['episode_id']}/lineage")


def days_of(lineage):
    """The evidence as the reference takes it: (date, amount) by order-day."""
    return [
        (date.fromisoformat(day["day"]), float(day["amount"]["amount"]))
        for day in lineage["evidence"]
    ]


def record(folder, place):
    """Read one record from a topic, by its place."""
    state = json.loads((folder / "run" / "state.json").read_text())
    reader = Consumer(
        {
            "bootstrap.servers": state["bootstrap_servers"],
            "group.id": "lineage",
            "enable.auto.commit": False,
        }
    )
    try:
        reader.assign([TopicPartition(place["topic"], place["partition"], place["offset"])])
        message = reader.poll(RECORD_LIMIT_S)
        assert message is not None
        assert message.error() is None
        assert message.offset() == place["offset"]
        return json.loads(message.value() or b"")
    finally:
        reader.close()


def test_the_evidence_is_the_counted_orders(written):
    """Each counted order with its version, and no other; days and sums follow from their images."""
    _, orders, lineage = written
    told = [order for day in lineage["evidence"] for order in day["orders"]]
    assert {(o["order_id"], o["version"]) for o in told} == {
        (o["id"], o["version"]) for o in orders
    }
    assert {o["image"] for o in told} == {"kept"}
    spent: dict[date, Decimal] = defaultdict(Decimal)
    for order in told:
        when = datetime.fromisoformat(order["ordered_at"]).astimezone(UTC)
        spent[when.date()] += Decimal(order["amount"])
    told_by_day = {date.fromisoformat(d["day"]): d["amount"] for d in lineage["evidence"]}
    assert {day: Decimal(each["amount"]) for day, each in told_by_day.items()} == spent
    assert len(spent) == 3


def test_each_order_is_at_the_places_that_are_told(written, folder):
    """At the raw offset lies the row with its version and LSN, at the event's offset its event."""
    client, _, lineage = written
    for day in lineage["evidence"]:
        for order in day["orders"]:
            assert order["raw"]["topic"] == "cdc.public.orders"
            raw = record(folder, order["raw"])
            assert (raw["after"]["id"], raw["after"]["version"]) == (
                order["order_id"],
                order["version"],
            )
            assert raw["source"]["lsn"] == order["lsn"]
            event = record(folder, order["event"])["data"]
            assert (event["client_id"], event["order_id"]) == (client["id"], order["order_id"])
            assert event["version"] == order["version"]


def test_the_evidence_alone_gives_the_same_score(written):
    """Score, parts, entry, value and days, computed anew from days, amounts and the policy."""
    client, _, lineage = written
    told = lineage["score"]
    rules = reference.rules_of(lineage["policy"]["document"])
    days = days_of(lineage)
    on = date.fromisoformat(told["day"])
    stand = frequency, value, gap, last = reference.standing(days, rules)
    assert reference.chance(stand, on, rules) == pytest.approx(told["score"], rel=0, abs=EXACT)
    assert reference.entry_of(stand, rules) == pytest.approx(told["entry"], rel=0, abs=EXACT)
    silence = (on - last).days
    kept = 0.5 ** (silence / rules.half_life)
    parts = {
        "intercept": rules.w0,
        "frequency": rules.w1 * log(1 + frequency * kept),
        "value": rules.w2 * log(1 + value * kept),
        "recency": -rules.w3 * log(1 + silence / gap),
    }
    assert told["parts"] == pytest.approx(parts, rel=0, abs=EXACT)
    assert 1 / (1 + exp(-sum(told["parts"].values()))) == pytest.approx(
        told["score"], rel=0, abs=EXACT
    )
    assert value * kept == pytest.approx(float(told["value_at_risk"]["amount"]), rel=0, abs=EXACT)
    assert date.fromisoformat(told["crossing_day"]) == reference.crossing(stand, rules)
    number = (last - date(1970, 1, 1)).days
    assert lineage["email"]["episode_id"] == f"{client['id']}-{number}"


def test_the_prompt_is_the_one_that_was_sent(written, folder):
    """The hash is that of the messages which the model got; they hold the client's few facts."""
    client, _, lineage = written
    email = lineage["email"]["email"]
    (call,) = lineage["calls"]
    assert call["generation_id"] == email["generation_id"]
    journal = (folder / "run" / "logs" / "sandbox-journal.jsonl").read_text().splitlines()
    (asked,) = [
        entry["request"]["messages"]
        for entry in map(json.loads, journal)
        if entry.get("generation") == email["generation_id"]
    ]
    assert (
        hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        == (email["prompt_hash"])
    )
    fenced = re.search(r"<facts>\n(.*)\n</facts>", asked[-1]["content"])
    assert fenced is not None
    facts = json.loads(fenced[1])
    last_order = facts.pop("last_order")
    assert facts == {
        "first_name": client["first_name"],
        "style_tags": client["style_tags"],
        "order_categories": ["vinyl"],
    }
    assert not re.search(r"\d", last_order)
    assert set(lineage["facts_used"]) <= {*facts, "last_order"}


def test_checks_and_write_back_are_told(written):
    """Which rules the text passed, that none was broken, and each state up to the final one."""
    _, _, lineage = written
    assert {"number", "link", "offer", "name"} <= set(lineage["checks"]["passed"])
    assert lineage["checks"]["broken"] == []
    states = [step["to_state"] for step in lineage["history"]]
    assert (states[0], states[-2:]) == ("pending", ["draft", "written"])
    assert (lineage["decisions"], lineage["deliveries"], lineage["erased"]) == ([], [], False)
    assert lineage["policy"]["version"] == lineage["email"]["policy_version"]
    assert lineage["written_as_of"] is not None
