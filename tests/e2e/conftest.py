"""The whole system for a test: fresh folders, free ports, and nothing left running."""

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser
from xdist.scheduler import LoadScopeScheduling

from stack.launcher import Stack
from stack.places import DASHBOARD
from stack.tokens import As
from tests.e2e.browsing import Visit, visiting

HERE = Path(__file__).parent
LONG = {
    "pages": 900,
    "test_erasure": 250,
    "test_schema": 250,
    "test_ledger": 200,
    "test_quality": 200,
    "test_faults": 180,
    "test_tour": 180,
}
"""About how many seconds each takes of those that take more than two minutes."""


class BySystem(LoadScopeScheduling):
    """Hands out tests by the system that they share: a file, or the whole folder of pages.

    By names, because the groups of xdist 3.8 are none under pytest 9.2 (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return _system_of(nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BySystem:
    """Keep those who share a system in one worker."""
    return BySystem(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that nothing long is left alone at the end."""
    items.sort(key=lambda item: -LONG.get(_system_of(item.nodeid.partition("::")[0]), 0))


def _system_of(file: str) -> str:
    path = PurePosixPath(file)
    return path.stem if path.parent.name == HERE.name else path.parent.name


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
