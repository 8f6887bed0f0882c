"""A real Chromium that signs in as one of the shop's people, and notes what no page may do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    expect,
    sync_playwright,
)

from stack import doctor

AXE = Path(__file__).parents[2] / "dashboard/node_modules/axe-core/axe.min.js"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LIMIT_MS = 60_000
SERIOUS = {"serious", "critical"}
DESKTOP, PHONE = (1280, 900), (360, 780)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
STILL = "() => document.getAnimations().every((each) => each.playState === 'finished')"

NOTE_VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI}`);
    });
"""
SETTLED = """
    () => document.querySelector("main h1") !== null
        && document.querySelector('main [data-testid="loading"]') === null
        && document.querySelector('main [data-testid="tracing"]') === null
"""
RUN_AXE = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a headless Chromium, the system's own."""
    path = doctor.browser()
    assert path is not None, "no Chromium here: run `make setup`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


class Visit:
    """One tab, and what went wrong in it: script errors, dialogs, violations of the policy, and
    requests to anybody but the dashboard's server and the issuer.
    """

    def __init__(self, context: BrowserContext, url: str, issuer_url: str) -> None:
        """Open a tab; ``url`` is the dashboard's."""
        self.url = url
        self.wrong: list[str] = []
        self._scripts: list[Request] = []
        self._known = (url, issuer_url)
        context.set_default_timeout(LIMIT_MS)
        context.add_init_script(NOTE_VIOLATIONS)
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("requestfinished", self._loaded)

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error" and ("Content Security Policy" in text or "policy violated" in text):
            self.wrong.append(f"policy: {text}")

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _asked(self, url: str) -> None:
        if not url.startswith(self._known):
            self.wrong.append(f"request: {url}")

    def _loaded(self, request: Request) -> None:
        if request.resource_type == "script":
            self._scripts.append(request)

    def script_bytes(self) -> int:
        """Return how many bytes of script came since ``forget_files``, compressed as they came."""
        return sum(request.sizes()["responseBodySize"] for request in self._scripts)

    def forget_files(self) -> None:
        """Empty the cache, as for somebody who was never here."""
        self.page.context.new_cdp_session(self.page).send("Network.clearBrowserCache")
        self._scripts.clear()

    def go(self, path: str) -> None:
        """Open an address and wait until the page has loaded what it shows."""
        self.page.goto(self.url + path)
        self.page.wait_for_function(SETTLED)

    def sign_in(self, name: str, path: str = "/") -> None:
        """Come to an address, sign in as one of the issuer's people, and be back there."""
        self.page.goto(self.url + path)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("button", name=name).click()
        expect(self.page.get_by_test_id("account")).to_contain_text(name, timeout=LIMIT_MS)
        self.page.wait_for_function(SETTLED)

    def findings(self) -> list[str]:
        """Return what axe finds on the page that is serious or critical."""
        self.page.evaluate(AXE.read_text())
        return [
            f"{found['id']}: {node['html'][:200]} {node['failureSummary']}"
            for found in self.page.evaluate(RUN_AXE)
            if found["impact"] in SERIOUS
            for node in found["nodes"]
        ]

    def width(self) -> int:
        """Return how wide the page's content is, in pixels."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def looks(self) -> Iterator[tuple[str, int]]:
        """Show the page, as it is, in light and dark, on a desktop and on a phone, and then as
        before; yields the theme and the width of each look.
        """
        for theme in THEMES:
            for width, height in (DESKTOP, PHONE):
                self.page.emulate_media(color_scheme=theme)
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.wait_for_function(STILL)
                yield theme, width
        self.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})


@contextmanager
def visiting(
    browser: Browser,
    url: str,
    issuer_url: str,
    *,
    size: tuple[int, int] = DESKTOP,
    theme: Any = "light",
) -> Iterator[Visit]:
    """Open a tab in a fresh profile until the block ends; nothing may have gone wrong by then."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=theme,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/Berlin",
    )
    try:
        visit = Visit(context, url, issuer_url)
        yield visit
        assert visit.wrong == []
    finally:
        context.close()
