"""The whole system for a test: fresh folders, free ports, and nothing left running."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from stack.launcher import Stack
from stack.places import DASHBOARD


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
    with httpx.Client(base_url=stack.api_url, trust_env=False, timeout=60) as client:
        yield client
