"""The page of the policy in a real browser: what other rules would change, and a new version."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from stack.launcher import Stack
from tests.e2e import books
from tests.e2e.browsing import LIMIT_MS, PHONE, Visit, visiting

RUN_LIMIT_MS = 180_000

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", autouse=True)
def same_rules_afterwards(stack: Stack) -> Iterator[None]:
    """Put the rules that others' tests count on back in force in the end."""
    before = books.seen(stack, "/api/policies/current")["document"]
    yield
    books.publish(stack, **before)


def current(http: httpx.Client) -> Any:
    """Read the policy in force."""
    return http.get("/api/policies/current").json()


def previewed(http: httpx.Client, **policy: float) -> Any:
    """Ask the API what a policy would change."""
    answer = http.post("/api/policies/preview", json={"policy": policy})
    assert answer.status_code == 200, answer.text
    return answer.json()


def shown(page: Page, name: str) -> int:
    """Return a number of the preview once it stands still."""
    expect(page.get_by_test_id("preview")).to_have_attribute("data-behind", "false")
    return int(page.get_by_test_id(f"preview-{name}").get_attribute("data-value") or "-1")


def test_sliding_shows_who_enters_and_leaves(visit: Visit, http: httpx.Client):
    """The numbers beside the fields are those of the API for the very values; the address holds
    them, and gives them to whoever opens it; nothing is saved.
    """
    before = current(http)["version"]
    visit.sign_in("Olivia", "/policy")
    page = visit.page
    expect(page.get_by_test_id("preview")).to_be_visible(timeout=LIMIT_MS)
    assert shown(page, "enter") == 0
    slider = page.get_by_label("Entry, slider")
    slider.fill("85")
    page.get_by_label("Entry for weaker clients", exact=True).fill("90")
    expect(page).to_have_url(re.compile(r"[?&].*rho"))
    expect(page.get_by_test_id("preview-enter")).not_to_have_attribute("data-value", "0")
    wanted = previewed(http, theta=0.85, rho=0.9)
    assert (shown(page, "enter"), shown(page, "leave")) == (wanted["entering"], wanted["leaving"])
    page.reload()
    expect(page.get_by_label("Entry", exact=True)).to_have_value("85", timeout=LIMIT_MS)
    assert shown(page, "enter") == wanted["entering"]
    assert current(http)["version"] == before


def test_rules_that_exclude_each_other_are_told_at_their_fields(visit: Visit):
    """A silence as long as the lapse is explained at both, and cannot be saved."""
    visit.sign_in("Olivia", "/policy")
    page = visit.page
    lapse = page.get_by_label("Lapse", exact=True).input_value()
    page.get_by_label("Longest silence", exact=True).fill(lapse)
    expect(page.get_by_test_id("field-silence_max_days")).to_contain_text("Must be below the lapse")
    expect(page.get_by_test_id("field-lapse_days")).to_contain_text("Must be above")
    expect(page.get_by_role("button", name="Save as a new version")).to_be_disabled()


def test_a_version_is_saved_after_its_effect_is_said(visit: Visit, http: httpx.Client):
    """The dialog tells the effect and the changes; the version holds what was set and nothing else,
    with its note, and the list tells the difference.
    """
    before = current(http)
    visit.sign_in("Olivia", "/policy")
    page = visit.page
    page.get_by_label("Days between emails", exact=True).fill("21")
    page.get_by_label("Quiet hours", exact=True).check()
    page.get_by_role("button", name="Save as a new version").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("will be written at once", timeout=LIMIT_MS)
    expect(dialog.get_by_test_id("policy-changes")).to_contain_text("21 days")
    assert current(http)["version"] == before["version"]
    dialog.get_by_label("Note").fill("less often")
    dialog.get_by_role("button", name="Save and put in force").click()
    expect(page.get_by_test_id("policy-saved")).to_be_visible(timeout=LIMIT_MS)
    after = current(http)
    assert (after["version"], after["note"]) == (before["version"] + 1, "less often")
    quiet = {"begin": "21:00:00", "end": "08:00:00"}
    emails = before["document"]["emails"] | {"cap_days": 21, "quiet_hours": quiet}
    assert after["document"] == before["document"] | {
        "version": after["version"],
        "emails": emails,
    }
    listed = page.get_by_role("list", name=f"Differences from version {before['version']} to")
    expect(listed).to_contain_text("Days between emails")


def test_a_version_that_came_meanwhile_is_not_run_over(
    visit: Visit, stack: Stack, http: httpx.Client
):
    """Somebody else's version is named with its changes; one's own go onto it with one press."""
    visit.sign_in("Olivia", "/policy")
    page = visit.page
    page.get_by_label("Window of the effect", exact=True).fill("45")
    books.publish(stack, hold_after_days=4)
    newer = current(http)["version"]
    page.get_by_role("button", name="Save as a new version").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Save and put in force").click()
    conflict = page.get_by_test_id("policy-conflict")
    expect(conflict).to_contain_text(f"Version {newer} came into force", timeout=LIMIT_MS)
    expect(conflict).to_contain_text("4 days")
    assert current(http)["version"] == newer
    conflict.get_by_role("button", name="Put my changes onto version").click()
    expect(page.get_by_label("Hold for a person", exact=True)).to_have_value("4")
    expect(page.get_by_label("Window of the effect", exact=True)).to_have_value("45")


def test_a_run_over_the_history_names_clients(visit: Visit):
    """Started on demand, it is followed to its end; a reload shows it too; who enters is linked."""
    visit.sign_in("Olivia", "/policy?try=theta%3D85%2Crho%3D90")
    page = visit.page
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_test_id("run-result")).to_be_visible(timeout=RUN_LIMIT_MS)
    expect(page).to_have_url(re.compile(r"[?&]run=\d+"))
    page.reload()
    expect(page.get_by_test_id("run-result")).to_be_visible(timeout=LIMIT_MS)
    link = page.get_by_role("region", name="Enter").get_by_role("link").first
    link.click()
    expect(page.get_by_test_id("client-detail")).to_be_visible(timeout=LIMIT_MS)


def test_those_who_may_not_save_can_still_try(browser: Browser, stack: Stack):
    """Marketing sees what would change, on a phone too, may run it over the whole history, and
    finds no way to save it.
    """
    with visiting(browser, stack.api_url, stack.issuer_url, size=PHONE) as visit:
        visit.sign_in("Mark", "/policy?try=theta%3D85")
        page = visit.page
        expect(page.get_by_test_id("preview")).to_be_visible(timeout=LIMIT_MS)
        expect(page.get_by_role("button", name="Run it")).to_be_enabled()
        assert page.get_by_role("button", name="Save as a new version").count() == 0
        assert visit.width() <= PHONE[0]
        assert visit.findings() == []
