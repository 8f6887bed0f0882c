"""The front door: ``engage COMMAND``, or ``python -m engage``."""

import logging
import os
import sys

import typer

from common.errors import Misconfigured, Transient
from engage.commands import register
from engage.frame import EXIT_BAD_INPUT, EXIT_FAILED, EXIT_INTERRUPTED, BadInput, Failed

ABOUT = """\
What operators do with the running system.

It finds the system by the environment (KAFKA_BOOTSTRAP_SERVERS, TOPIC_PARTITIONS, CONNECT_URL,
ENGAGE_DATABASE_URL), or by the state file of `make demo` and `make up`.

No command writes an email or moves another reader's offset, and none but `erase` changes a row of
the shop. Exit codes:
0 done; 1 failed; 2 bad input, or not reachable, and nothing changed; 130 interrupted.
"""

app = typer.Typer(
    name="engage",
    help=ABOUT,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
register(app)


@app.callback()
def _engage() -> None:
    """Take no options of its own: each command has what it needs."""


def main() -> None:
    """Run one command and exit with its code; each known failure is one line on stderr."""
    # The Kafka client's own words would stand between ours; what matters is raised.
    logging.getLogger("librdkafka").setLevel(logging.CRITICAL)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        code = app(standalone_mode=False)
    except (BadInput, Misconfigured) as error:
        code = _say(str(error), EXIT_BAD_INPUT)
    except typer.TyperException as error:
        code = _say(error.format_message(), EXIT_BAD_INPUT)
    except (Failed, Transient) as error:
        code = _say(str(error), EXIT_FAILED)
    except (typer.Abort, KeyboardInterrupt):
        code = _say("interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has enough, as `head` does; closing it must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    sys.exit(code or 0)


def _say(what: str, code: int) -> int:
    sys.stderr.write(f"engage: {' '.join(what.split())}\n")
    return code


if __name__ == "__main__":
    main()
