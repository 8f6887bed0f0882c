"""The whole system for a test: fresh folders, free ports, and nothing left running."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from stack.launcher import Stack
from stack.places import DASHBOARD
from stack.tokens import As
from tests.e2e.browsing import Visit, visiting

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep those who share a system in one worker: a file, or the whole folder of pages."""
    for item in items:
        if HERE in item.path.parents:
            shared = item.path if item.path.parent == HERE else item.path.parent
            item.add_marker(pytest.mark.xdist_group(shared.stem))


@pytest.fixture
def new_stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Make one stack on free ports; a failing test shows where its logs are."""
    made: list[Stack] = []

    def make(**settings: Any) -> Stack:
        stack = Stack(tmp_path / "run", dashboard=DASHBOARD, durable=False, **settings)
        print(f"logs: {stack.folder / 'logs'}")
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.stop()


@pytest.fixture(scope="module")
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A running system without a dashboard, the same for all tests of a file."""
    folder = tmp_path_factory.mktemp(request.path.stem)
    print(f"logs: {folder / 'logs'}")
    with Stack(folder, durable=False) as running:
        running.start()
        yield running


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    """The API."""
    with httpx.Client(
        base_url=stack.api_url, auth=As(stack.issuer_url), trust_env=False, timeout=60
    ) as client:
        yield client


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[Visit]:
    """A tab of nobody, on which nothing may go wrong, of a file's own ``browser``."""
    with visiting(browser, stack.api_url, stack.issuer_url) as fresh:
        yield fresh
