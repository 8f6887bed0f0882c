"""The page of operations in a real browser: a dead letter is shown and sent again, and a backfill
states its effect, is confirmed, and goes to its end.
"""

import json
import re
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from confluent_kafka import Producer
from playwright.sync_api import Browser, Page, expect

from common.topics import LIVE, dead_letters_of
from stack.launcher import Stack
from tests.e2e import books
from tests.e2e.browsing import LIMIT_MS, PHONE, Visit, visiting
from tests.e2e.waiting import wait_for

FIRST, CLIENTS = 2_001, 12
PARKED, FILLED = 2_003, 2_005
ORDERS = 3
"""Of each client."""
RUN_LIMIT_MS = 300_000
"""A backfill waits for its turn behind all that was written before."""
READY_LIMIT_S = 240.0

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", autouse=True)
def a_few_clients(stack: Stack) -> None:
    """Clients whose scores stand still while this file looks at them."""
    now = stack.business_now()
    clients = [{"id": id_, "first_name": f"Ada{id_}"} for id_ in range(FIRST, FIRST + CLIENTS)]
    orders = [
        {
            "client_id": client["id"],
            "amount": "40.00",
            "ordered_at": (now - timedelta(days=30 * age)).isoformat(),
        }
        for client in clients
        for age in range(1, ORDERS + 1)
    ]
    for path, rows in (("clients", clients), ("orders", orders)):
        lines = [json.dumps(row).encode() + b"\n" for row in rows]
        books.load(stack, f"/api/{path}/bulk", lines)
    books.settled(stack, READY_LIMIT_S)


def park(stack: Stack, client: int) -> None:
    """Park a record about an order of a client, as the scorer does, with a name in it."""
    producer = Producer({"bootstrap.servers": stack.place.bootstrap_servers})
    producer.produce(
        dead_letters_of(LIVE).name,
        json.dumps({"kind": "odd", "client_id": client, "first_name": "Canary"}).encode(),
        f"{client}/client".encode(),
        0,
        headers=[
            ("reason", b"schema"),
            ("detail", b"kind: is not one of ours"),
            ("topic", LIVE.name.encode()),
            ("attempt", b"1"),
            ("parked_at", datetime.now(UTC).isoformat().encode()),
        ],
        timestamp=int(time.time() * 1000),
    )
    assert producer.flush(30) == 0


def newest_run(http: httpx.Client, kind: str) -> dict[str, object]:
    """Return the newest run of a kind, once there is one."""

    def look() -> dict[str, object] | None:
        found = http.get("/api/operations", params={"kind": kind}).json()["items"]
        return found[0] if found else None

    return wait_for(f"a {kind} was started", look, 60.0)


def ended_on(page: Page, run: object) -> None:
    """Wait until the page shows that a run is done."""
    expect(page.get_by_test_id(f"run-{run}")).to_have_attribute(
        "data-state", re.compile("done|failed"), timeout=RUN_LIMIT_MS
    )
    expect(page.get_by_test_id(f"run-{run}")).to_have_attribute("data-state", "done")


def test_a_dead_letter_is_shown_and_sent_again(stack: Stack, http: httpx.Client, visit: Visit):
    """It stands with its topic and reason; its detail holds no name; the question says what is
    sent; once all of the topic were sent again none waits, and the audit tells who did it.
    """
    park(stack, PARKED)
    visit.sign_in("Olivia", "/operations?tab=letters")
    page = visit.page
    expect(page.get_by_test_id("waiting-client.events")).to_have_text("1", timeout=LIMIT_MS)
    page.get_by_role("link", name="client.events", exact=True).click()
    page.get_by_role("table", name="Letters of client.events").get_by_role("link").first.click()
    letter = page.get_by_test_id("letter")
    expect(letter).to_contain_text(f"client_id: {PARKED}")
    expect(letter).not_to_contain_text("Canary")
    letter.get_by_role("button", name="Send this one again").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("no email is written twice")
    expect(dialog).to_contain_text("as it stands in Postgres now")
    started = http.get("/api/operations", params={"kind": "dead-letter-replay"})
    assert started.json()["items"] == []
    dialog.get_by_role("button", name="Send again").click()
    run = newest_run(http, "dead-letter-replay")["id"]
    ended_on(page, run)
    expect(page.get_by_test_id(f"run-{run}")).to_contain_text("1 letter made up for")
    expect(page.get_by_test_id(f"run-{run}")).to_contain_text("begun by olivia")
    page.get_by_role("link", name="Dead letters").click()
    page.get_by_role("button", name="Send all again").click()
    expect(dialog).to_contain_text("1 dead letter of client.events waits")
    dialog.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("client.events, all that wait")).to_be_visible(timeout=LIMIT_MS)
    ended_on(page, newest_run(http, "dead-letter-replay")["id"])
    page.get_by_role("link", name="Dead letters").click()
    expect(page.get_by_test_id("waiting-client.events")).to_have_text("0", timeout=LIMIT_MS)
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_test_id("audit")).to_contain_text("run.started")


def test_a_backfill_is_counted_confirmed_and_followed(http: httpx.Client, visit: Visit):
    """The question says how many rows, before anything is asked for; then the run is followed to
    its end, and no score is another one.
    """
    before = http.get(f"/api/clients/{FILLED}/score").json()["score"]
    visit.sign_in("Olivia", "/operations?tab=runs")
    page = visit.page
    form = page.get_by_role("form", name="Backfill")
    form.get_by_label("Rows").select_option("condition")
    form.get_by_label("Condition").fill(f"client_id = {FILLED}")
    form.get_by_role("button", name="Count the rows").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text(f"{ORDERS} rows of orders match now", timeout=LIMIT_MS)
    assert http.get("/api/operations", params={"kind": "backfill"}).json()["items"] == []
    dialog.get_by_role("button", name="Start the backfill").click()
    expect(dialog).to_be_hidden()
    run = newest_run(http, "backfill")["id"]
    shown = page.get_by_test_id(f"run-{run}")
    expect(shown).to_contain_text(f"orders: client_id = {FILLED}")
    ended_on(page, run)
    expect(shown).to_contain_text(f"{ORDERS} rows read and sent")
    assert http.get(f"/api/clients/{FILLED}/score").json()["score"] == before


def test_a_replay_of_those_who_ordered_names_who_and_how_much(stack: Stack, visit: Visit):
    """By days instead of numbers: the question tells clients, orders and records, and Escape leaves
    all as it was.
    """
    visit.sign_in("Olivia", "/operations?tab=runs")
    form = visit.page.get_by_role("form", name="Replay")
    form.get_by_label("Clients").select_option("time")
    last = stack.business_now().date()
    first = last - timedelta(days=40)
    form.get_by_label("From").fill(first.isoformat())
    form.get_by_label("To, with this day").fill(last.isoformat())
    form.get_by_role("button", name="Count the records").click()
    dialog = visit.page.get_by_role("alertdialog")
    [found] = books.select(
        stack,
        "SELECT count(DISTINCT client_id) AS clients, count(*) AS orders FROM orders"
        " WHERE client_id IN (SELECT client_id FROM orders"
        f" WHERE ordered_at >= '{first} 00:00Z'"
        f" AND ordered_at < '{last + timedelta(days=1)} 00:00Z')",
    )
    assert found["clients"] >= CLIENTS
    everything = f"{found['clients']:,} clients and their {found['orders']:,} orders"
    expect(dialog).to_contain_text(everything, timeout=LIMIT_MS)
    visit.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_ana_may_look_and_not_act(browser: Browser, stack: Stack):
    """Without ops:replay there are no buttons but a sentence, on a phone without any scrolling
    aside; each part of the page is free of serious findings.
    """
    with visiting(browser, stack.api_url, stack.issuer_url, size=PHONE) as visit:
        visit.sign_in("Ana", "/operations?tab=runs")
        expect(visit.page.get_by_text("ops:replay")).to_be_visible()
        expect(visit.page.get_by_role("form", name="Backfill")).to_have_count(0)
        for tab in ("pipeline", "runs", "letters", "audit"):
            visit.go(f"/operations?tab={tab}")
            assert visit.findings() == [], tab
            assert visit.width() <= PHONE[0], tab
