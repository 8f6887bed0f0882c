"""The pages of emails in a real browser: the queue by key, edits with their difference, rejections
with a reason, decisions about many, and the path from row to email.
"""

from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from stack.launcher import Stack
from tests.e2e import shop
from tests.e2e.browsing import LIMIT_MS, PHONE, Visit, visiting
from tests.e2e.waiting import wait_for

APPLIED_LIMIT_S = 60.0
QUEUE = "/emails?state=draft"

pytestmark = pytest.mark.timeout(900)


def detail(http: httpx.Client, episode: str) -> Any:
    """Read one email."""
    answer = http.get(f"/api/emails/{episode}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def reaches(http: httpx.Client, episode: str, *states: str) -> Any:
    """Wait until an email is in one of these states, and return it."""

    def look() -> Any:
        found = detail(http, episode)
        return found if found["state"] in states else None

    return wait_for(f"{episode} is {' or '.join(states)}", look, APPLIED_LIMIT_S)


def opened(page: Page) -> str:
    """Return the id of the email that is open."""
    return page.url.split("?")[0].split("#")[0].rsplit("/", 1)[1]


def verb(page: Page, name: str) -> Locator:
    """Return the button of a decision about the email that is open; its list has others."""
    return page.get_by_test_id("email-detail").get_by_role("button", name=name, exact=True)


def open_queue(visit: Visit, name: str = "Mark") -> Page:
    """Sign in, come to the queue, and open its first draft by key."""
    visit.sign_in(name, QUEUE)
    page = visit.page
    expect(page.locator('li[data-testid^="email-"]').first).to_be_visible(timeout=LIMIT_MS)
    page.keyboard.press("j")
    expect(page.get_by_test_id("email-detail")).to_have_attribute("data-state", "draft")
    return page


def test_drafts_are_approved_by_key_one_after_the_other(visit: Visit, http: httpx.Client):
    """A press approves the draft in view, which becomes final, and opens the next one; j and k move
    without deciding.
    """
    page = open_queue(visit)
    first = opened(page)
    before = detail(http, first)
    assert before["state"] == "draft"
    page.keyboard.press("j")
    page.wait_for_function("before => !location.pathname.endsWith(before)", arg=first)
    second = opened(page)
    page.keyboard.press("k")
    page.wait_for_function("before => location.pathname.endsWith(before)", arg=first)
    assert detail(http, first)["decisions"] == before["decisions"]
    expect(verb(page, "Approve")).to_be_enabled(timeout=LIMIT_MS)
    page.keyboard.press("a")
    page.wait_for_function("before => !location.pathname.endsWith(before)", arg=first)
    assert opened(page) == second
    found = reaches(http, first, "written", "sending", "sent")
    [decision] = found["decisions"][len(before["decisions"]) :]
    assert (decision["action"], decision["outcome"]) == ("approve", "applied")
    expect(page.get_by_test_id(f"email-{first}")).to_have_count(0, timeout=LIMIT_MS)


def test_an_edit_shows_what_it_changes_and_keeps_the_draft_behind_it(
    visit: Visit, http: httpx.Client
):
    """Words taken out and put in are told while one writes; afterwards the model's own draft can
    still be compared with.
    """
    page = open_queue(visit)
    episode = opened(page)
    before = detail(http, episode)["email"]
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_label("Text")
    expect(field).to_have_value(before["body"])
    field.fill(before["body"] + "\n\nCome by some day.")
    expect(dialog.get_by_test_id("tally")).to_have_text("4 words added, 0 words removed.")
    dialog.get_by_role("button", name="Save the draft").click()
    page.get_by_role("button", name="Compare with the model").click()
    expect(page.locator("ins")).to_contain_text("Come by some day.")
    assert page.locator("del").count() == 0
    found = detail(http, episode)
    assert found["email"]["body"].endswith("Come by some day.")
    assert found["state"] == "draft"


def test_a_rejection_keeps_its_reason(visit: Visit, http: httpx.Client):
    """The reason is asked for, stored with the decision, and shown to those who look later."""
    page = open_queue(visit)
    episode = opened(page)
    expect(verb(page, "Reject")).to_be_enabled(timeout=LIMIT_MS)
    page.keyboard.press("r")
    page.get_by_label("Why?").fill("Does not sound like us")
    page.keyboard.press("Enter")
    found = reaches(http, episode, "rejected")
    assert found["decisions"][-1]["payload"] == {"reason": "Does not sound like us"}
    visit.go(f"/emails/{episode}")
    expect(page.get_by_test_id("decision-reason")).to_contain_text("Does not sound like us")
    expect(page.get_by_test_id("why")).to_contain_text("A person read the draft and rejected it.")
    verb(page, "Retry").click()
    reaches(http, episode, "pending", "writing", "draft")


def test_many_are_approved_after_the_effect_is_said(visit: Visit, http: httpx.Client):
    """Nothing is sent before one has read what it does; then each chosen draft gets its own
    decision.
    """
    visit.sign_in("Mark", QUEUE)
    page = visit.page
    cards = page.locator('li[data-testid^="email-"]')
    expect(cards.nth(1)).to_be_visible(timeout=LIMIT_MS)
    chosen = [
        (cards.nth(i).get_attribute("data-testid") or "").removeprefix("email-") for i in (0, 1)
    ]
    before = {episode: detail(http, episode)["decisions"] for episode in chosen}
    for episode in chosen:
        page.get_by_test_id(f"email-{episode}").get_by_role("checkbox").check()
    page.get_by_role("button", name="Approve chosen…").click()
    expect(page.get_by_test_id("bulk-effect")).to_contain_text("2 clients")
    assert {episode: detail(http, episode)["decisions"] for episode in chosen} == before
    page.get_by_role("button", name="Approve 2 emails").click()
    expect(page.get_by_test_id("bulk-progress")).to_contain_text("2 of 2", timeout=LIMIT_MS)
    for episode in chosen:
        reaches(http, episode, "written", "sending", "sent")


def test_a_held_email_says_why_and_is_released(visit: Visit, http: httpx.Client):
    """It names the reason and what one can do; released, it takes its turn."""
    episode = shop.episode(http, "held")
    visit.sign_in("Mark", f"/emails/{episode}")
    why = visit.page.get_by_test_id("why")
    expect(why).to_contain_text("too long ago to write without asking you")
    verb(visit.page, "Release").click()
    reaches(http, episode, "pending", "writing", "draft", "deferred", "suppressed", "recovered")


def test_an_email_is_traced_back_to_its_rows(browser: Browser, stack: Stack, http: httpx.Client):
    """The path names every order, topic and hash of the API's answer in order, marks as verified
    only what was read again, and fits on a phone.
    """
    episode = shop.episode(http, "draft")
    lineage = http.get(f"/api/emails/{episode}/lineage").json()
    orders = [order for day in lineage["evidence"] for order in day["orders"]]
    with visiting(browser, stack.api_url, stack.issuer_url, size=PHONE) as visit:
        visit.sign_in("Mark", f"/emails/{episode}")
        page = visit.page
        page.get_by_role("button", name="Trace it back").click()
        path = page.get_by_test_id("lineage")
        expect(path).to_be_visible(timeout=LIMIT_MS)
        older = page.get_by_role("button", name="older order")
        if older.count():
            older.click()
        steps = path.locator('[data-testid^="step-"]')
        told = [
            (step or "").removeprefix("step-")
            for step in steps.evaluate_all("all => all.map(each => each.dataset.testid)")
        ]
        rows = [step for step in told if step.startswith("row-")]
        assert rows == [f"row-{order['order_id']}" for order in orders]
        after = told[3 * len(orders) :]
        assert after[:3] == ["score", "episode", "prompt"]
        decided = [f"decision-{decision['id']}" for decision in lineage["decisions"]]
        assert after[-2 - len(decided) :] == ["row", *decided, "sent"]
        kept = [order for order in orders if order["image"] == "kept"]
        assert kept
        expect(path.get_by_test_id("verified")).to_have_count(len(kept))
        expect(page.get_by_test_id("step-prompt")).to_contain_text(
            lineage["email"]["email"]["prompt_hash"]
        )
        calls = path.locator('[data-testid^="step-call-"]')
        assert len(lineage["calls"]) == calls.count() > 0
        expect(calls.last).to_contain_text("The model answered with a text, and it was kept.")
        assert visit.width() <= PHONE[0]
        assert visit.findings() == []


def test_who_may_not_read_a_text_does_not_decide_about_it(visit: Visit, http: httpx.Client):
    """To an analyst the text is hidden, and no key or button decides."""
    episode = shop.episode(http, "draft")
    before = detail(http, episode)["decisions"]
    visit.sign_in("Ana", f"/emails/{episode}?state=draft")
    page = visit.page
    expect(page.get_by_test_id("may-not-decide")).to_be_visible(timeout=LIMIT_MS)
    expect(page.get_by_test_id("body").get_by_test_id("masked")).to_be_visible()
    for name in ("Approve", "Edit", "Reject", "Approve chosen…"):
        assert page.get_by_role("button", name=name, exact=True).count() == 0, name
    page.keyboard.press("a")
    page.keyboard.press("r")
    assert page.get_by_role("dialog").count() == 0
    assert detail(http, episode)["decisions"] == before
