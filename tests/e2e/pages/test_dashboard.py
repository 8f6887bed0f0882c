"""Every page in a real browser: signing in, who may what, access for all, a strict policy, and
emails that do nothing.

With SCREENSHOTS=1 the walk through the pages also writes the pictures of docs/screenshots.
"""

import re

import httpx
import pytest
from playwright.sync_api import Browser, expect

from stack.launcher import Stack
from tests.e2e import books, pictures, shop
from tests.e2e.browsing import DESKTOP, LIMIT_MS, PHONE, Visit, visiting

CLIENT = 3
BUDGET_BYTES = 250_000

pytestmark = pytest.mark.timeout(900)


def pages(http: httpx.Client) -> dict[str, str]:
    """Return the address of every page, by the name of its picture."""
    draft = shop.episode(http, "draft")
    return {
        "overview": "/",
        "clients": "/clients",
        "client": f"/clients/{CLIENT}",
        "import": "/clients/import",
        "emails": "/emails",
        "email": f"/emails/{draft}",
        "policy": "/policy",
        "operations": "/operations",
        "not-found": "/no-such-page",
    }


def views(http: httpx.Client) -> dict[str, str]:
    """Return what else a page shows under addresses of their own, by the name of its picture."""
    return {
        "lineage": f"{pages(http)['email']}#lineage",
        "runs": "/operations?tab=runs",
        "dead-letters": "/operations?tab=letters",
        "audit": "/operations?tab=audit",
    }


BEGINS = {"lineage": "#lineage"}
"""What a picture begins with that is not of the whole page."""


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_can_be_used_by_all(
    browser: Browser, stack: Stack, http: httpx.Client, theme: str, size: tuple[int, int]
):
    """No page has a serious finding of axe, breaks the content policy, or is wider than a phone,
    in light and dark; each has one main heading and a title of its own.
    """
    found: dict[str, list[str]] = {}
    titles: set[str] = set()
    with visiting(browser, stack.api_url, stack.issuer_url, size=size, theme=theme) as visit:
        visit.page.goto(stack.api_url)
        expect(visit.page.get_by_test_id("signed-out")).to_be_visible(timeout=LIMIT_MS)
        found["signed-out"] = visit.findings()
        visit.sign_in("Olivia")
        for name, path in (pages(http) | views(http)).items():
            visit.go(path)
            expect(visit.page.locator("h1")).to_have_count(1)
            found[name] = visit.findings()
            if visit.width() > size[0]:
                found[name].append(f"is {visit.width()} pixels wide")
            titles.add(visit.page.title())
            if name != "not-found":
                pictures.take(visit.page, name, theme, BEGINS.get(name))
    told = [f"{name}: {what}" for name, some in found.items() for what in some]
    assert told == [], "\n".join(told)
    assert len(titles) >= 6, titles


def test_no_first_load_exceeds_its_budget(visit: Visit, http: httpx.Client):
    """Whatever page one comes to first, at most 250 kB of script come over the wire, compressed,
    with all that the page loads by itself.
    """
    visit.sign_in("Olivia")
    loaded = {}
    for name, path in pages(http).items():
        visit.forget_files()
        visit.go(path)
        loaded[name] = visit.script_bytes()
    print(f"bytes of script: {loaded}")
    assert {name: size for name, size in loaded.items() if not 0 < size <= BUDGET_BYTES} == {}


def test_the_policy_allows_nothing_inline(stack: Stack):
    """Neither 'unsafe-inline' nor 'unsafe-eval' stands in the page's policy, for styles neither."""
    answer = httpx.get(f"{stack.api_url}/clients", trust_env=False)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", answer.text) is None


@pytest.mark.parametrize(
    ("name", "sees", "forbidden"),
    [
        ("Olivia", ["Overview", "Clients", "Emails", "Policy", "Operations"], None),
        ("Mark", ["Overview", "Clients", "Emails", "Policy"], "/operations"),
        ("Ana", ["Overview", "Clients", "Emails", "Policy", "Operations"], None),
    ],
)
def test_each_sees_what_they_may(visit: Visit, name: str, sees: list[str], forbidden: str | None):
    """A person comes back to the address they came to, is offered the pages that they may see, and
    is told what is missing at another's address; no token is kept beyond the tab.
    """
    visit.sign_in(name, "/clients?state=at_risk")
    page = visit.page
    assert page.url == f"{visit.url}/clients?state=at_risk"
    nav = page.get_by_role("navigation", name="Pages")
    assert nav.get_by_role("link").all_inner_texts() == sees
    hidden = page.locator("main").get_by_test_id("masked")
    assert (hidden.count() > 0) is (name == "Ana")
    assert page.get_by_role("button", name="New client").count() == (name == "Olivia")
    if forbidden is not None:
        visit.go(forbidden)
        expect(page.get_by_test_id("forbidden")).to_contain_text("ops:read")
    assert "eyJ" not in page.evaluate("JSON.stringify({...localStorage})")
    page.reload()
    expect(page.get_by_test_id("account")).to_contain_text(name, timeout=LIMIT_MS)
    page.get_by_test_id("account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_test_id("signed-out")).to_be_visible(timeout=LIMIT_MS)
    assert "eyJ" not in page.evaluate("JSON.stringify({...sessionStorage})")


def test_a_session_that_ended_says_so(visit: Visit):
    """Tokens that neither the API nor the issuer takes any more lead to a way back in, which ends
    at the same page.
    """
    visit.sign_in("Olivia", "/emails")
    page = visit.page
    page.evaluate("""() => {
        for (const [name, text] of Object.entries({...sessionStorage})) {
            sessionStorage.setItem(name, text.replaceAll(/eyJ[^"]*/g, "eyJ.gone.gone"));
        }
    }""")
    page.reload()
    expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()
    page.get_by_role("button", name="Sign in again").click()
    page.get_by_role("button", name="Olivia").click()
    expect(page.get_by_test_id("account")).to_be_visible(timeout=LIMIT_MS)
    assert page.url == f"{visit.url}/emails"


def test_what_cannot_be_reached_is_named_and_comes_back(visit: Visit, stack: Stack):
    """Without the issuer nobody signs in, and without the API a banner says that all may be old;
    both end by themselves or with one press once it is back.
    """
    page = visit.page
    page.goto(visit.url)
    button = page.get_by_role("button", name="Sign in")
    expect(button).to_be_visible(timeout=LIMIT_MS)
    stack.parts.stop_one("issuer")
    button.click()
    expect(page.get_by_test_id("problem")).to_contain_text("sign-in service cannot be reached")
    stack.parts.restart("issuer")
    page.get_by_role("button", name="Try again").click()
    visit.sign_in("Olivia")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-connection", "live")
    stack.parts.stop_one("client-api")
    expect(page.get_by_test_id("offline")).to_be_visible(timeout=LIMIT_MS)
    stack.parts.restart("client-api")
    expect(page.get_by_test_id("offline")).to_be_hidden(timeout=LIMIT_MS)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-connection", "live")


def test_a_keyboard_is_enough(visit: Visit):
    """The first stop of the tab key skips the navigation; keys lead to pages and to the search."""
    visit.sign_in("Olivia")
    page = visit.page
    page.reload()
    expect(page.locator("main h1")).to_be_visible(timeout=LIMIT_MS)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="Clients", level=1)).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox").first).to_be_focused()
    page.keyboard.press("Escape")


EVIL = """Hello <script>alert("script")</script><img src="https://evil.example/pixel.gif"
onerror="alert('handler')"><a href="javascript:alert('link')">click here</a>
<iframe src="https://evil.example/"></iframe><style>body{background:url(https://evil.example/)}
</style> https://evil.example/plain"""


def put_text(stack: Stack, episode: str, subject: str, body: str) -> None:
    """Put a text into an email, past every check."""
    subject, body = subject.replace("'", "''"), body.replace("'", "''")
    books.execute(
        stack,
        f"UPDATE emails SET subject = '{subject}', body = '{body}' WHERE episode_id = '{episode}'",
    )


def test_the_text_of_an_email_does_nothing(visit: Visit, stack: Stack, http: httpx.Client):
    """Script, handlers, remote images, frames, styles and javascript: links in an email are shown
    as the characters that they are: no dialog opens, and nothing is asked of anybody.
    """
    episode = shop.episode(http, "draft", -1)
    before = http.get(f"/api/emails/{episode}").json()["email"]
    put_text(stack, episode, "<img src=x onerror=alert(1)>", EVIL)
    visit.sign_in("Olivia", f"/emails/{episode}")
    body = visit.page.get_by_test_id("body").first
    expect(body).to_contain_text('<script>alert("script")</script>')
    expect(body).to_contain_text("javascript:alert")
    inside = "script, img, iframe, style, a[href^='javascript:']"
    assert body.locator(inside).count() == 0
    body.get_by_text("click here").first.click()
    # A request that the click began would have been noted before this answer.
    assert visit.page.evaluate("fetch('/livez').then((answer) => answer.status)") == 200
    assert visit.wrong == []
    put_text(stack, episode, before["subject"], before["body"])


def test_the_document_of_the_api_is_shown_by_our_own_viewer(visit: Visit) -> None:
    """Every tag is there to be opened, and the page breaks no rule of the policy."""
    visit.page.goto(f"{visit.url}/docs")
    expect(visit.page.locator("#operations-tag-clients")).to_be_visible(timeout=LIMIT_MS)
    visit.page.locator("#operations-tag-clients").click()
    expect(visit.page.locator("#operations-clients-list_clients")).to_be_visible(timeout=LIMIT_MS)
    assert visit.wrong == []
