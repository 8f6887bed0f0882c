"""The overview in a real browser: its figures are the API's, and change while one looks at them."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import shop
from tests.e2e.browsing import LIMIT_MS, Visit
from tests.e2e.waiting import wait_for

TAKEN_LIMIT_S = 60.0
"""The API counts anew every few seconds, and the page asks as often."""

pytestmark = pytest.mark.timeout(900)


def told(http: httpx.Client) -> dict[str, Any]:
    """Return what the API answers now, by the names of ``shown``."""
    found = http.get("/api/overview").json()
    emails, flow = found["emails_by_state"], found["pipeline"]
    letters = flow["dead_letters"]
    return {
        "value at risk": found["at_risk_value"]["amount"],
        "clients at risk": found["clients_by_state"]["at_risk"],
        "recovered value": found["recovered_value"]["amount"],
        "recovered clients": found["recovered_clients"],
        "uplift": uplift(found["effect"]),
        "waiting": emails["draft"] + emails["held"],
        "clients": found["clients_by_state"],
        "emails": {state: number for state, number in emails.items() if number},
        "hops": {hop["name"]: behind(hop) for hop in flow["hops"]},
        "dead letters": None if letters is None else sum(each["waiting"] for each in letters),
    }


def uplift(effect: dict[str, Any]) -> list[str]:
    """Return the numbers that the tile tells: those of the difference, or how many are missing."""
    difference = effect["difference"]
    if difference is not None:
        return [f"{abs(difference[name]):.1f}" for name in ("points", "low", "high")]
    smaller = min(effect["held_out"], effect["not_held_out"])
    return ["too few", str(effect["needed_per_arm"] - smaller)]


def behind(hop: dict[str, Any]) -> str:
    """Return whether a reader has something before it, as far as one can know."""
    figures = [hop["lag_records"], hop["lag_bytes"], hop["lag_s"]]
    if figures == [None, None, None]:
        return "unknown"
    return "nothing" if hop["lag_records"] == 0 else "something"


def shown(page: Page) -> dict[str, Any]:
    """Read the same off the page."""
    at_risk, recovered = page.get_by_test_id("tile-at-risk"), page.get_by_test_id("tile-recovered")
    letters = page.get_by_test_id("dead-letters").inner_text()
    return {
        "value at risk": amount(at_risk),
        "clients at risk": number(at_risk.get_by_role("link").inner_text()),
        "recovered value": amount(recovered),
        "recovered clients": number(recovered.inner_text().partition("ordered by")[2]),
        "uplift": shown_uplift(page.get_by_test_id("tile-effect").inner_text()),
        "waiting": number(page.get_by_test_id("tile-waiting").inner_text()),
        "clients": by(page.get_by_test_id("legend").locator("[data-state]"), "data-state", "dd"),
        "emails": {
            state.removeprefix("emails-"): count
            for state, count in by(
                page.locator('[data-testid^="emails-"]'), "data-testid", "span:last-child"
            ).items()
        },
        "hops": {
            row.get_by_role("rowheader").inner_text(): shown_behind(row)
            for row in page.get_by_role("table", name="Lag per hop").locator("tbody tr").all()
        },
        "dead letters": None if "not be counted" in letters else number(letters),
    }


def amount(tile: Locator) -> str | None:
    """Return a tile's amount to the last cent, which its short form stands for."""
    return tile.locator("data").get_attribute("value")


def number(text: str) -> int:
    """Return the first number of a text; "No" is none."""
    found = re.search(r"[\d,]+", text)
    return int(found[0].replace(",", "")) if found else 0


def by(rows: Locator, key: str, cell: str) -> dict[str, int]:
    """Return the numbers of rows by an attribute of theirs."""
    return {
        row.get_attribute(key) or "": number(row.locator(cell).last.inner_text())
        for row in rows.all()
    }


def shown_uplift(text: str) -> list[str]:
    """Return the numbers that the tile tells."""
    if "Too few yet" in text:
        return ["too few", str(number(text.partition("Needs")[2]))]
    return re.findall(r"\d+\.\d", text)


def shown_behind(row: Locator) -> str:
    """Return whether there is something before a reader."""
    text = row.locator('[data-testid^="hop-"]').inner_text()
    return text if text in {"nothing", "unknown"} else "something"


def agrees(page: Page, http: httpx.Client) -> dict[str, Any]:
    """Wait until the page tells what the API tells, and return it."""
    last: list[Any] = []

    def look() -> dict[str, Any] | None:
        last[:] = [told(http), shown(page)]
        return last[0] if last[0] == last[1] else None

    try:
        return wait_for("the page agrees with the API", look, TAKEN_LIMIT_S)
    except AssertionError:
        print(*last, sep="\n")
        raise


def test_its_figures_are_the_apis(visit: Visit, http: httpx.Client):
    """Clients and emails by state, values, the uplift or how many it lacks, each hop and the dead
    letters are what the API answers at that moment.
    """
    # The flow is asked about in the background once somebody looks: it is known by the time of the
    # page's own look, which else would say for ten seconds that it is not.
    http.get("/api/overview")
    visit.sign_in("Olivia")
    found = agrees(visit.page, http)
    assert found["clients at risk"] > 0
    assert float(found["value at risk"]) > 0
    assert found["uplift"][0] == "too few"
    assert len(found["hops"]) >= 5
    assert found["emails"]["draft"] > 0


def test_an_order_is_told_while_one_looks(visit: Visit, http: httpx.Client):
    """Who was written to orders: the ticker says so with a link to the client, and the figures go
    along; the page is not loaded again.
    """
    episode = shop.episode(http, "draft", -1)
    client = int(episode.partition("-")[0])
    draft = http.get(f"/api/emails/{episode}").json()["email"]["draft_hash"]
    visit.sign_in("Olivia")
    page = visit.page
    expect(page.get_by_test_id("connection")).to_have_attribute("data-connection", "live")
    before = agrees(page, http)
    page.evaluate("window.sameLoad = true")
    ticker = page.get_by_test_id("ticker")
    approved = {"episode_id": episode, "action": "approve", "draft_hash": draft}
    assert http.post("/api/decisions", json=approved).is_success
    expect(ticker).to_contain_text(f"Email to client {client}: written", timeout=LIMIT_MS)
    order = {"client_id": client, "amount": "41.50"}
    assert http.post("/api/orders", json=order).status_code == 201
    line = ticker.get_by_role("link", name=re.compile(rf"^Client {client} scored: (active|one)"))
    expect(line).to_have_attribute("href", f"/clients/{client}", timeout=LIMIT_MS)
    expect(ticker).to_contain_text(f"Client {client}: an episode is over", timeout=LIMIT_MS)

    def counted() -> dict[str, Any] | None:
        now = agrees(page, http)
        return now if now["recovered clients"] > before["recovered clients"] else None

    after = wait_for("the order is counted", counted, TAKEN_LIMIT_S)
    gained = float(after["recovered value"]) - float(before["recovered value"])
    assert gained == pytest.approx(41.50)
    assert after["clients at risk"] == before["clients at risk"] - 1
    assert float(after["value at risk"]) < float(before["value at risk"])
    assert page.evaluate("window.sameLoad") is True
