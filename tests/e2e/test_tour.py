"""The guided tour in a real browser, on a shop like the demo's: six steps, each of which drives the
running system and shows what it measured.

With SCREENSHOTS=1 some of its steps become pictures of docs/screenshots.
"""

import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from stack.launcher import Stack
from stack.places import DASHBOARD
from tests.e2e import books, pictures
from tests.e2e.browsing import Visit, chromium
from tests.e2e.waiting import wait_for

CLIENTS = 160
READY_LIMIT_S = 300.0
STEP_MS = 240_000
"""A step waits for the running system."""
DAY_S = 10.0
"""So long a business day takes while the tour goes on."""

STEPS = {
    1: ("/", "tour-clients"),
    2: ("/clients", None),
    3: ("/emails", "tour-parts"),
    4: ("/emails", "tour-cost"),
    5: ("/emails", "tour-effect"),
    6: ("/operations", "tour-ledger"),
}
"""Where a step is looked at, and what it tells without a press."""
PICTURED = {1, 4}

pytestmark = pytest.mark.timeout(1_200)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running shop with the dashboard whose emails are written without a person."""
    folder = tmp_path_factory.mktemp("tour")
    print(f"logs: {folder / 'logs'}")
    with Stack(folder, dashboard=DASHBOARD, durable=False) as running:
        running.start()
        books.publish(running, holdout_percent=10, auto_approve=True, hold_after_days=60)
        chance = random.Random(11)
        clients = [
            {"id": id_, "first_name": "Ada", "email": f"ada.{id_}@example.com", "synthetic": True}
            for id_ in range(1, CLIENTS + 1)
        ]
        orders = [order for client in clients for order in _orders(client, chance)]
        for path, rows in (("clients", clients), ("orders", orders)):
            lines = [json.dumps(row).encode() + b"\n" for row in rows]
            books.load(running, f"/api/{path}/bulk", lines)
        books.settled(running, READY_LIMIT_S)
        running.set_clock(rate=86_400 / DAY_S)
        wait_for("emails are written", lambda: _written(running), READY_LIMIT_S)
        yield running


@pytest.fixture(scope="module")
def browser(stack: Stack) -> Iterator[Browser]:
    """A headless Chromium, the system's own; after the shop, whose filling runs an event loop."""
    with chromium() as running:
        yield running


def _orders(client: dict[str, Any], chance: random.Random) -> list[dict[str, Any]]:
    """Some clients order to this day, some have stopped, and some lapsed a year ago."""
    gap = chance.uniform(12, 50)
    age = 400.0 if client["id"] % 20 == 0 else chance.uniform(0, 2 * gap)
    orders: list[dict[str, Any]] = []
    while age < 430 and len(orders) < 12:
        when = datetime.now(UTC) - timedelta(days=age)
        orders.append(
            {
                "client_id": client["id"],
                "amount": f"{chance.uniform(15, 90):.2f}",
                "category": "jazz",
                "ordered_at": when.isoformat(),
            }
        )
        age += gap * chance.uniform(0.7, 1.3)
    return orders


def _written(stack: Stack) -> bool | None:
    stack.parts.check()
    states = books.stats(stack)
    enough = states["episodes"]["by_state"].get("written", 0) >= 2
    return True if enough and states["clients"]["by_state"].get("lapsed") else None


def next_step(page: Page, step: int) -> None:
    """Go on, as a reader does."""
    page.get_by_test_id("tour-next").click()
    expect(page.get_by_text(f"Guided tour, step {step} of 6")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"[?&]tour={step}\b"))
    expect(page.locator("#tour-title")).to_be_focused()


def shown(page: Page, fact: str, pattern: str) -> None:
    """Wait until a figure stands there."""
    expect(page.get_by_test_id(fact)).to_contain_text(re.compile(pattern), timeout=STEP_MS)


def trace_back(page: Page, http: httpx.Client) -> None:
    """Open the email that the step is about, and follow its path to the newest row."""
    page.get_by_role("link", name="Open the email").click()
    page.get_by_role("button", name="Trace it back").click()
    expect(page.get_by_test_id("lineage")).to_be_visible(timeout=STEP_MS)
    episode = page.url.partition("?")[0].rsplit("/", 1)[1]
    lineage = http.get(f"/api/emails/{episode}/lineage").json()
    newest = lineage["evidence"][-1]["orders"][-1]
    expect(page.get_by_test_id(f"step-row-{newest['order_id']}")).to_be_visible()
    expect(page.get_by_test_id("lineage").get_by_test_id("verified").first).to_be_visible()


def erase(page: Page, http: httpx.Client) -> None:
    """Erase whom the step names on the client's own page, and look up who did it."""
    link = page.get_by_role("link", name=re.compile(r"open client \d+"))
    client = re.sub(r"\D", "", link.inner_text())
    link.click()
    page.get_by_role("button", name="Erase", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label(f"Type {client} to confirm").fill(client)
    dialog.get_by_role("button", name="Erase for good").click()
    shown(page, "tour-erased", "is erased")
    assert http.get(f"/api/clients/{client}").status_code == 404
    page.get_by_role("link", name="who did it stands in the audit").click()
    erased = page.get_by_test_id("audit").get_by_role("row").filter(has_text=f"client/{client}")
    expect(erased.filter(has_text="olivia").first).to_be_visible()


def test_the_six_steps_tell_what_the_system_measured(
    stack: Stack, http: httpx.Client, visit: Visit
):
    """From the shop over a crossing, its reasons, an email and an order to the books: each figure
    comes from the running system, and agrees with the API.
    """
    visit.sign_in("Olivia")
    page = visit.page
    page.get_by_test_id("tour-offer").click()
    shown(page, "tour-clients", rf"^{CLIENTS}$")
    page.get_by_role("button", name="Measure it now").click()
    shown(page, "tour-auc", r"^[01]\.\d{3}$")
    shown(page, "tour-ece", r"^[01]\.\d{3}$")
    [run] = http.get("/api/operations", params={"kind": "what-if"}).json()["items"]
    told = run["result"]["what_if"]["present"]["backtest"]
    expect(page.get_by_test_id("tour-auc")).to_have_text(f"{told['auc']:.3f}")

    next_step(page, 2)
    shown(page, "tour-opened", r"Client \d+")
    page.get_by_role("button", name="Place an order of client").click()
    shown(page, "tour-row-to-score", r"^[\d,]+ ms$")

    next_step(page, 3)
    shown(page, "tour-score", "%")
    shown(page, "tour-parts", "silence")
    page.get_by_role("link", name=re.compile(r"Open client \d+")).click()
    expect(page.get_by_test_id("forecast")).to_be_visible()
    expect(page.get_by_text("Guided tour, step 3 of 6")).to_be_visible()

    next_step(page, 4)
    shown(page, "tour-lineage", "order-day")
    shown(page, "tour-checks", r"\w")
    shown(page, "tour-cost", r"USD")
    trace_back(page, http)

    next_step(page, 5)
    page.get_by_role("button", name="Place an order of client").click()
    shown(page, "tour-recovered", "recovered")
    shown(page, "tour-effect", r"too few: needs [\d,]+ more")

    stack.set_clock(rate=1.0)
    next_step(page, 6)
    page.get_by_role("button", name="Replay client").click()
    shown(page, "tour-replay", "Nothing")
    shown(page, "tour-ledger", r"balances: \d+ begun, 0 astray")
    erase(page, http)


def test_it_is_resumed_by_its_address_and_left_at_any_time(visit: Visit):
    """An address opens its step on any page; left, it keeps the page and does not come back."""
    visit.sign_in("Olivia", "/clients?state=at_risk&tour=4")
    page = visit.page
    expect(page.get_by_text("Guided tour, step 4 of 6")).to_be_visible()
    page.get_by_role("button", name="Leave the tour").click()
    expect(page.get_by_test_id("tour")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/clients\?state=at_risk$"))
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_test_id("tour")).to_have_count(0)


def test_every_step_can_be_used_by_all(visit: Visit):
    """No step has a serious finding of axe, or is wider than the screen, in light and dark, on a
    desktop and on a phone; folded, it takes no room.
    """
    visit.sign_in("Olivia")
    for step, (path, fact) in STEPS.items():
        visit.go(f"{path}?tour={step}")
        expect(visit.page.get_by_text(f"Guided tour, step {step} of 6")).to_be_visible()
        if fact is not None:
            shown(visit.page, fact, r"\w")
        for theme, width in visit.looks():
            assert visit.findings() == [], (step, theme, width)
            assert visit.width() <= width, (step, theme, width)
            if step in PICTURED:
                pictures.take(visit.page, f"tour-{step}", theme)
    visit.page.get_by_role("button", name="Fold", exact=True).click()
    expect(visit.page.locator("#tour-body")).to_be_hidden()
