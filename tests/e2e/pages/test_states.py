"""What each page says in a real browser while it waits, when the API fails, when nothing is there,
and when the network is away; and how it goes on.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from stack.launcher import Stack
from tests.e2e import shop
from tests.e2e.browsing import LIMIT_MS, Visit, visiting

CLIENT = 3
DETAIL = "the books are being moved"
PROBLEM = {"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": DETAIL}
NOTHING: dict[str, Any] = {"items": [], "next": None}
NO_LETTERS: dict[str, Any] = {"topics": [], "letters": [], "next": None}
TOPIC = "client.scores"
"""None of its letters waits while this file is run."""

pytestmark = pytest.mark.timeout(900)


class Part(NamedTuple):
    """What a page reads and shows, in parts that fail by themselves."""

    address: str
    """Where it is shown; ``{draft}`` stands for an email."""
    reads: str
    """What it asks of the API: a regular expression of paths with their search."""
    shows: tuple[str, ...]
    """What is there once that was read, for each part: a selector."""


PARTS = {
    "overview": Part("/", "/api/overview$", ('[data-testid="tile-at-risk"]',)),
    "overview, its days": Part("/", "/api/overview/history", ('[data-testid="legend"]',)),
    "clients": Part("/clients", r"/api/clients\?", ('tr[data-testid^="client-"]',)),
    "client": Part(
        f"/clients/{CLIENT}", f"/api/clients/{CLIENT}$", ('[data-testid="client-detail"]',)
    ),
    "client, its score": Part(
        f"/clients/{CLIENT}", f"/api/clients/{CLIENT}/score$", ('[data-testid="forecast"]',)
    ),
    "client, what happened": Part(
        f"/clients/{CLIENT}",
        rf"/api/clients/{CLIENT}/curve|/api/orders\?.*limit=50|/api/emails\?.*limit=50",
        (
            '[data-testid^="mark-order-"]',
            '[data-testid="orders"]',
            'section:has(h2:text-is("Emails")) :is(li, [data-testid="empty"])',
        ),
    ),
    "emails and one of them": Part(
        "/emails/{draft}",
        r"/api/emails\?|/api/emails/[\d-]+$",
        ('li[data-testid^="email-"]', '[data-testid="email-detail"]'),
    ),
    "email, its lineage": Part(
        "/emails/{draft}#lineage", "/lineage$", ('[data-testid="lineage"]',)
    ),
    "policy": Part("/policy", "/api/policies/current$", ('[data-testid="preview"]',)),
    "policy, its effect and versions": Part(
        "/policy",
        r"/api/policies/preview$|/api/policies\?",
        ('[data-testid="preview"]', '[data-testid="version-1"]'),
    ),
    "pipeline": Part("/operations", "/api/status$", ('[data-testid="parts"]',)),
    "runs": Part(
        "/operations?tab=runs",
        r"/api/operations\?",
        (':is([data-testid^="run-"], [data-testid="empty"])',),
    ),
    "dead letters and those of a topic": Part(
        f"/operations?tab=letters&topic={TOPIC}",
        "/api/dead-letters",
        (
            ':is([data-testid="letter-topics"], :text-is("No dead letters"))',
            ':text-is("No letter of this topic waits")',
        ),
    ),
    "audit": Part("/operations?tab=audit", r"/api/audit\?", ('[data-testid="audit"]',)),
    "guided tour": Part("/policy?tour=6", "/api/ledger", ('[data-testid="tour-ledger"]',)),
}
EMPTY = {
    "/clients": (r"/api/clients\?", NOTHING, "Create the first one, or import a CSV file"),
    "/clients?state=lapsed": (r"/api/clients\?", NOTHING, "or choose another state"),
    f"/clients/{CLIENT}": (r"/api/orders\?", NOTHING, "Add the first one"),
    "/emails": (r"/api/emails\?", NOTHING, "appears when a client falls at risk"),
    "/emails?state=draft": (r"/api/emails\?", NOTHING, "appears here once it has passed"),
    "/emails?state=failed": (r"/api/emails\?", NOTHING, "Choose another state"),
    "/operations?tab=runs": (r"/api/operations\?", NOTHING, "Begin a backfill or a replay above"),
    "/operations?tab=letters": ("/api/dead-letters", NO_LETTERS, "Nothing is to be done"),
    "/operations?tab=audit&resource=client/1000000": ("$^", {}, "Its form is a kind, a slash"),
}
"""What an address asks for, an answer without anything in it, and what the page says then."""


@pytest.fixture(scope="module")
def olivia(browser: Browser, stack: Stack) -> Iterator[Visit]:
    """One tab of the owner for the whole file: signing in takes longer than what is tried here."""
    with visiting(browser, stack.api_url, stack.issuer_url) as visit:
        visit.sign_in("Olivia")
        yield visit


@pytest.fixture
def page(olivia: Visit) -> Iterator[Page]:
    """Her page, which meets the API and the network as they are once the test has ended."""
    yield olivia.page
    olivia.page.unroute_all()
    olivia.page.context.set_offline(offline=False)


class Answers:
    """Stands between the page and some of its questions to the API."""

    def __init__(self, page: Page, reads: str) -> None:
        """Keep each question that matches waiting, until told otherwise."""
        self._waiting: list[Route] = []
        self._now: Callable[[Route], None] = self._waiting.append
        page.route(re.compile(reads), self._answer)

    def _answer(self, route: Route) -> None:
        self._now(route)

    def fail(self) -> None:
        """Answer what waits, and what comes, as an API does that cannot at the moment."""
        self._answer_all(self._fail)

    def work(self) -> None:
        """Let the API answer."""
        self._answer_all(lambda route: route.continue_())

    def _answer_all(self, way: Callable[[Route], None]) -> None:
        self._now = way
        while self._waiting:
            way(self._waiting.pop())

    @staticmethod
    def _fail(route: Route) -> None:
        route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(PROBLEM))


def opened(page: Page, visit: Visit, address: str) -> None:
    """Open an address in a window of its own, as somebody does who comes from elsewhere."""
    page.goto("about:blank")
    page.goto(visit.url + address)


def live(page: Page) -> None:
    """Wait until live events come."""
    connection = page.get_by_test_id("connection")
    expect(connection).to_have_attribute("data-connection", "live", timeout=LIMIT_MS)


@pytest.mark.parametrize("name", PARTS)
def test_what_cannot_be_read_is_said_and_read_again(
    olivia: Visit, page: Page, http: httpx.Client, name: str
):
    """While the answer is awaited it says so; a failure is told with the API's reason, what to do
    and a way to try again; tried once the API is back, the page is as ever.
    """
    part = PARTS[name]
    answers = Answers(page, part.reads)
    with page.expect_request(re.compile(part.reads)):
        opened(page, olivia, part.address.format(draft=shop.episode(http, "draft")))
    expect(page.get_by_role("status").filter(has_text=re.compile("…$")).first).to_be_visible()
    answers.fail()
    problems = page.get_by_test_id("problem")
    expect(problems).to_have_count(len(part.shows), timeout=LIMIT_MS)
    for problem in problems.all():
        expect(problem).to_contain_text(DETAIL, ignore_case=True)
        expect(problem).to_contain_text("The server failed. Try again")
    for selector in part.shows:
        expect(page.locator(selector)).to_have_count(0)
    answers.work()
    for left in reversed(range(len(part.shows))):
        problems.first.get_by_role("button", name="Try again").click()
        expect(problems).to_have_count(left, timeout=LIMIT_MS)
    for selector in part.shows:
        expect(page.locator(selector).first).to_be_visible(timeout=LIMIT_MS)


@pytest.mark.parametrize("address", EMPTY)
def test_where_nothing_is_it_says_what_to_do(olivia: Visit, page: Page, address: str):
    """An empty list is no blank: it says why, and what fills it or what else to look for."""
    reads, answer, todo = EMPTY[address]
    page.route(re.compile(reads), lambda route: route.fulfill(json=answer))
    opened(page, olivia, address)
    empty = page.get_by_test_id("empty").filter(has_text=todo)
    expect(empty).to_be_visible(timeout=LIMIT_MS)


def test_without_a_network_each_page_says_so_and_catches_up(olivia: Visit, page: Page):
    """Whatever page is in view, a banner says that one is offline while the page stays; it goes by
    itself with the network's return.
    """
    opened(page, olivia, "/")
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    for link in links.all():
        link.click()
        title = link.inner_text()
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible(timeout=LIMIT_MS)
        live(page)
        page.context.set_offline(offline=True)
        banner = page.get_by_test_id("offline")
        expect(banner).to_contain_text("You are offline")
        expect(banner).to_contain_text("Check your network")
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
        page.context.set_offline(offline=False)
        expect(banner).to_be_hidden(timeout=LIMIT_MS)
        live(page)


def test_what_was_asked_for_without_a_network_comes_with_it(olivia: Visit, page: Page):
    """A list, and a page whose code was never loaded, say what to check; once the network is back
    they are there without a press.
    """
    opened(page, olivia, "/clients")
    lapsed = page.get_by_role("button", name=re.compile("^Lapsed"))
    for asks, shows in (
        (lapsed, '[data-testid="client-count"], [data-testid="empty"]'),
        (page.get_by_role("link", name="Policy"), '[data-testid="preview"]'),
    ):
        live(page)
        page.context.set_offline(offline=True)
        expect(page.get_by_test_id("offline")).to_be_visible()
        asks.click()
        problem = page.locator("main").get_by_test_id("problem")
        expect(problem).to_contain_text("Check that the API is running and that you are connected")
        expect(page.locator(shows)).to_have_count(0)
        page.context.set_offline(offline=False)
        expect(page.locator(shows)).to_be_visible(timeout=LIMIT_MS)
        expect(problem).to_have_count(0)
