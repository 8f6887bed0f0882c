"""The pictures of docs/screenshots, which tests take of the pages that they have checked."""

import os
from pathlib import Path

from playwright.sync_api import Page

from tests.e2e.browsing import PHONE

FOLDER = Path(__file__).parents[2] / "docs/screenshots"
JPEG_QUALITY = 62
HEIGHT_MAX = 2_400
"""Whole pages, but for the long end of lists."""
TALL = 1_500
"""Room for what is long in itself, where a part of the page scrolls on its own."""


def take(page: Page, name: str, theme: str, begins: str | None = None) -> None:
    """With SCREENSHOTS=1, write a picture of the page as it is: whole, or from an element on."""
    if not os.environ.get("SCREENSHOTS"):
        return
    size = page.viewport_size
    assert size is not None
    device = "phone" if size["width"] == PHONE[0] else "desktop"
    path = FOLDER / f"{name}-{theme}-{device}.jpg"
    if begins is None:
        height = int(page.evaluate("document.documentElement.scrollHeight"))
        page.screenshot(
            path=path,
            type="jpeg",
            quality=JPEG_QUALITY,
            full_page=True,
            clip={"x": 0, "y": 0, "width": size["width"], "height": min(height, HEIGHT_MAX)},
        )
        return
    page.set_viewport_size({"width": size["width"], "height": TALL})
    page.locator(begins).evaluate("element => element.scrollIntoView()")
    page.screenshot(path=path, type="jpeg", quality=JPEG_QUALITY)
    page.set_viewport_size(size)
