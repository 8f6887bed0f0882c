"""How a process says whether it lives and can serve."""

from typing import Literal

from pydantic import ConfigDict

from client_api.shapes.answer import Answer


class Health(Answer):
    """What was looked at; what fails stands under its own name, with what is wrong.

    Whoever excludes checks finds their names under ``excluded``, and those that no check has under
    ``unknown``.
    """

    model_config = ConfigDict(extra="allow")

    status: Literal["ok", "failing"]
    checks: list[str]
