"""The whole system for a test: fresh folders, free ports, and nothing left running."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
