"""One running shop with the dashboard for all pages, and a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from stack.launcher import Stack
from stack.places import DASHBOARD
from tests.e2e import shop
from tests.e2e.browsing import chromium


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running shop in which a person approves each email, after some days.

    All files share it: each adds the rows that it changes, and leaves the rest as it was.
    """
    folder = tmp_path_factory.mktemp("pages")
    print(f"logs: {folder / 'logs'}")
    with Stack(folder, dashboard=DASHBOARD, durable=False) as running:
        running.start()
        shop.fill(running)
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A headless Chromium, the system's own."""
    with chromium() as running:
        yield running
