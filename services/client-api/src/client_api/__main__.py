"""The front door: serve, project, migrate, or print the OpenAPI document."""

import importlib
import sys

import structlog

from common import tracing
from common.errors import Misconfigured, Transient
from common.settings import EXIT_MISCONFIGURED

COMMANDS = ("serve", "project", "migrate", "openapi")
"""Modules of ``client_api.commands``: to load all of them takes longer than most of them do."""


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        sys.stderr.write(f"usage: python -m client_api {{{'|'.join(COMMANDS)}}}\n")
        return EXIT_MISCONFIGURED
    try:
        importlib.import_module(f"client_api.commands.{arguments[0]}").run()
    except Misconfigured as error:
        sys.stderr.write(f"cannot start: {error}\n")
        return EXIT_MISCONFIGURED
    except Transient as error:
        structlog.get_logger("client_api").error("gave_up", reason=str(error))
        return 1
    finally:
        tracing.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
