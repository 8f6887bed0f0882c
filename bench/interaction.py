"""The dashboard on a large shop, in a real browser: from a key or a click to the next frame.

The browser itself says how long each interaction took, by its Event Timing API, as it does for
"Interaction to Next Paint" (https://web.dev/articles/inp).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Error, Page, sync_playwright

from bench.errors import BenchFailed
from bench.figures import percentiles
from bench.show import say
from stack import doctor

OPTIONS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
LIMIT_MS = 60_000
PERSON = "Olivia"
LEAST = 60
"""A round has more interactions than this; fewer noted ones measure something else."""
FRAME_MS = 16
"""Shorter interactions are not told of one by one: the next frame could not come sooner."""
PAUSE_MS, KEY_MS = 200, 60
SEARCHES = ("anna", "bea", "42", "4242")
ROWS = "tbody tr[data-index] a"
NOTE = f"""
    window.took = [];
    new PerformanceObserver((list) => {{
        for (const entry of list.getEntries())
            if (entry.interactionId > 0) window.took.push([entry.interactionId, entry.duration]);
    }}).observe({{type: "event", durationThreshold: {FRAME_MS}, buffered: true}});
"""
STANDS = """
    () => document.querySelector('main [aria-busy="true"], main [data-testid="loading"]') === null
        && document.querySelector("main table, main [data-testid=empty]") !== null
"""


def measure(url: str, rounds: int) -> dict[str, float]:
    """Use the list of clients of a filled shop like a person; raises BenchFailed."""
    try:
        with _page() as page:
            page.goto(f"{url}/clients")
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("button", name=PERSON).click()
            page.wait_for_function(STANDS)
            for number in range(rounds):
                say(f"page: round {number + 1} of {rounds}")
                _use(page)
            page.wait_for_timeout(500)  # the last interactions are told of after their frames
            number = int(page.evaluate("performance.interactionCount"))
            told = page.evaluate("window.took")
    except Error as error:
        raise BenchFailed(f"the page cannot be used: {error.message.splitlines()[0]}") from None
    if number < LEAST * rounds:
        raise BenchFailed(f"the browser noted {number} interactions only")
    longest: dict[int, float] = {}
    for interaction, duration in told:
        longest[interaction] = max(duration, longest.get(interaction, 0.0))
    short = [float(FRAME_MS)] * (number - len(longest))
    middle, most = percentiles([*short, *longest.values()], 50, 98)
    return {
        "page.interactions": number,
        "page.interaction_ms.p50": middle,
        "page.interaction_ms.p98": most,
        "page.interaction_ms.longest": max([*short, *longest.values()]),
    }


def _use(page: Page) -> None:
    """Filter, sort, search, walk, scroll and open a client, with a person's pauses."""
    for chip in page.get_by_role("group", name="State").get_by_role("button").all():
        chip.click()
        _look(page)
    sort = page.get_by_role("combobox", name="Sort")
    for _ in sort.locator("option").all():
        sort.focus()
        page.keyboard.press("ArrowDown")
        _look(page)
    search = page.get_by_role("searchbox")
    for text in SEARCHES:
        search.click()
        search.press_sequentially(text, delay=KEY_MS)
        _look(page)
        search.press("Control+a")
        search.press("Delete")
        _look(page)
    page.locator(ROWS).first.focus()
    for _ in range(20):
        page.keyboard.press("ArrowDown", delay=KEY_MS)
    for _ in range(10):
        page.mouse.wheel(0, 3_000)
        page.keyboard.press("End")
        _look(page)
    page.locator(ROWS).first.click()
    page.wait_for_selector("main h1")
    page.go_back()
    _look(page)


def _look(page: Page) -> None:
    page.wait_for_timeout(PAUSE_MS)
    page.wait_for_function(STANDS)


@contextmanager
def _page() -> Iterator[Page]:
    path = doctor.browser()
    if path is None:
        raise BenchFailed("no Chromium here: run `make setup`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(LIMIT_MS)
        context.add_init_script(NOTE)
        try:
            yield context.new_page()
        finally:
            browser.close()
