"""The pages of clients in a real browser: create, import with row errors, the line of time, what
may not be seen, and erase.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from stack.launcher import Stack
from tests.e2e import books
from tests.e2e.browsing import LIMIT_MS, PHONE, Visit, visiting
from tests.e2e.waiting import wait_for

FIRST, CLIENTS = 1_001, 400
"""More than are read at once, or fit on a screen."""
LOOKED_AT, HIDDEN, ERASED = 1_001, 1_002, 1_003
SCORED_LIMIT_S = 240.0
AGES = (200, 150, 110)
"""So many days ago the client ordered whose line of time is looked at."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", autouse=True)
def some_hundred_clients(stack: Stack) -> None:
    """More clients than the shop has, three of which ordered."""
    ids = range(FIRST, FIRST + CLIENTS)
    clients = [_line({"id": id_, "first_name": f"Ada{id_}"}) for id_ in ids]
    books.load(stack, "/api/clients/bulk", clients)
    now = stack.business_now()
    orders = [
        _line(
            {
                "client_id": id_,
                "amount": "40.00",
                "ordered_at": (now - timedelta(days=age)).isoformat(),
            }
        )
        for id_ in (LOOKED_AT, HIDDEN, ERASED)
        for age in AGES
    ]
    books.load(stack, "/api/orders/bulk", orders)


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row).encode() + b"\n"


def _scored(http: httpx.Client, client_id: int) -> None:
    """Wait until a client's three orders are in its score."""

    def look() -> bool | None:
        answer = http.get(f"/api/clients/{client_id}/score")
        features = answer.json().get("features") if answer.status_code == 200 else None
        return True if features and features["order_days"] == len(AGES) else None

    wait_for(f"client {client_id} is scored", look, SCORED_LIMIT_S)


def test_a_person_creates_a_client(visit: Visit):
    """A new client is made in a dialog, and its page opens."""
    visit.sign_in("Olivia", "/clients")
    page = visit.page
    page.get_by_role("button", name="New client").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("First name").fill("Grace")
    dialog.get_by_role("button", name="Create client").click()
    expect(page.get_by_role("heading", name="Grace", level=1)).to_be_visible(timeout=LIMIT_MS)
    created = page.url.rsplit("/", 1)[1]
    assert int(created) >= FIRST + CLIENTS


def test_a_long_list_keeps_few_rows_and_goes_by_keys(visit: Visit):
    """Keys lead through all clients, page after page; the page holds a window of rows alone, and
    what is searched for stands in the address.
    """
    visit.sign_in("Olivia", "/clients?sort=id")
    page = visit.page
    expect(page.get_by_test_id("client-1")).to_be_visible(timeout=LIMIT_MS)
    page.get_by_test_id("client-1").get_by_role("link").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("client-2").get_by_role("link")).to_be_focused()
    for _ in range(CLIENTS):
        if page.get_by_test_id("client-1300").count() > 0:
            break
        page.keyboard.press("End")
        page.evaluate("new Promise((drawn) => requestAnimationFrame(drawn))")
    expect(page.get_by_test_id("client-1300")).to_have_count(1, timeout=LIMIT_MS)
    assert page.locator("tbody tr[data-index]").count() < 60
    page.get_by_role("searchbox").fill("ada1077")
    expect(page.get_by_test_id("client-1077")).to_be_visible(timeout=LIMIT_MS)
    expect(page.locator("tbody tr[data-index]")).to_have_count(1)
    assert "search=ada1077" in page.url
    page.get_by_test_id("client-1077").get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ada1077", level=1)).to_be_visible(timeout=LIMIT_MS)


def test_a_file_is_checked_before_it_is_imported(visit: Visit, http: httpx.Client, tmp_path: Path):
    """Wrong rows are named by line and column before anything is written; the others go in, and
    the wrong ones can be had as a file in which no cell calculates.
    """
    file = tmp_path / "people.csv"
    file.write_text(
        "First Name,E-mail,Opt-in,Customer ID\n"
        "Lise,lise@example.com,yes,90001\n"
        "=1+1,no address,yes,90002\n"
        "Emmy,emmy@example.com,perhaps,90003\n"
        "Maria,maria@example.com,no,1\n"
    )
    visit.sign_in("Olivia", "/clients/import")
    page = visit.page
    page.set_input_files("input[type=file]", file)
    expect(page.get_by_test_id("preview")).to_contain_text("Lise")
    expect(page.get_by_test_id("column-consent")).to_have_value("2")
    page.get_by_role("button", name="Check all rows").click()
    expect(page.get_by_test_id("check-result")).to_contain_text("1 client would be imported")
    problems = page.get_by_test_id("row-problems").locator("tbody tr")
    shown = [row.inner_text().split("\t")[:2] for row in problems.all()]
    assert sorted(shown) == [["3", "E-mail"], ["4", "Opt-in"], ["5", "the row"]]
    assert http.get("/api/clients/90001").status_code == 404
    page.get_by_role("button", name="Import 1 client").click()
    expect(page.get_by_test_id("import-result")).to_contain_text("1 client imported, 3 rows")
    assert http.get("/api/clients/90001").json()["first_name"] == "Lise"
    with page.expect_download() as found:
        page.get_by_role("button", name="Download the rejected rows").click()
    text = Path(found.value.path()).read_text("utf-8-sig")
    assert text.splitlines()[0] == "line,problem,First Name,E-mail,Opt-in,Customer ID"
    assert ',"\'=1+1",no address,' in text


def test_the_line_of_time_tells_past_and_future(visit: Visit, http: httpx.Client):
    """Orders stand on the line with the curve over them, by sight, by keys and as a table; what is
    shown can be shared.
    """
    _scored(http, LOOKED_AT)
    visit.sign_in("Olivia", f"/clients/{LOOKED_AT}?range=90d")
    page = visit.page
    expect(page.get_by_test_id("forecast")).to_be_visible(timeout=LIMIT_MS)
    page.get_by_role("button", name="All", exact=True).click()
    marks = page.locator('[data-testid^="mark-order-"]')
    expect(marks).to_have_count(len(AGES), timeout=LIMIT_MS)
    assert "range=all" in page.url
    marks.last.focus()
    expect(page.get_by_test_id("tip")).to_contain_text("40.00")
    page.keyboard.press("Home")
    expect(marks.first).to_be_focused()
    page.get_by_role("button", name="Show as table").click()
    events = page.get_by_test_id("timeline-events").locator("tbody tr")
    assert events.filter(has_text="Order of USD 40.00").count() == len(AGES)
    assert visit.findings() == []


def test_who_may_not_see_names_sees_none(browser: Browser, stack: Stack, http: httpx.Client):
    """Without the permission the client goes by its id, and nothing can be changed, taken away or
    erased; a phone shows it all without scrolling sideways.
    """
    _scored(http, HIDDEN)
    with visiting(browser, stack.api_url, stack.issuer_url, size=PHONE) as visit:
        visit.sign_in("Ana", f"/clients/{HIDDEN}")
        page = visit.page
        expect(page.get_by_role("heading", name=f"Client {HIDDEN}", level=1)).to_be_visible()
        expect(page.get_by_test_id("masked-note")).to_be_visible()
        assert f"Ada{HIDDEN}" not in page.locator("main").inner_text()
        for name in ("Edit client", "Export", "Erase", "Add order"):
            assert page.get_by_role("button", name=name).count() == 0, name
        expect(page.get_by_test_id("consent")).to_be_disabled()
        assert visit.width() <= PHONE[0]
        assert visit.findings() == []


def test_a_client_is_taken_away_and_erased(visit: Visit, http: httpx.Client):
    """The export is a file with all that is kept; erasing needs the id typed and leaves nothing."""
    _scored(http, ERASED)
    visit.sign_in("Olivia", f"/clients/{ERASED}")
    page = visit.page
    with page.expect_download() as found:
        page.get_by_role("button", name="Export").click()
    kept = json.loads(Path(found.value.path()).read_text())
    assert (kept["client"]["first_name"], len(kept["orders"])) == (f"Ada{ERASED}", len(AGES))
    page.get_by_role("button", name="Erase", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("3 orders")
    act = dialog.get_by_role("button", name="Erase for good")
    expect(act).to_be_disabled()
    dialog.get_by_label(f"Type {ERASED} to confirm").fill(str(ERASED))
    act.click()
    expect(page.get_by_role("heading", name="Clients", level=1)).to_be_visible(timeout=LIMIT_MS)
    assert http.get(f"/api/clients/{ERASED}").status_code == 404
