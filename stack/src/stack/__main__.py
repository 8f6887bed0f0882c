"""The embedded stack in the foreground: ``python -m stack up``."""

import argparse
import sys
import threading
from pathlib import Path

from stack import connect, downloads, kafka, runs, signals
from stack.errors import Missing, PartFailed
from stack.launcher import Stack
from stack.parts import Step
from stack.places import DASHBOARD, STATE_FILE
from stack.postgres import find_binaries
from stack.tokens import OWNER, PERSONAS, bearer

EXIT_FAILED = 1
EXIT_MISSING = 2
EXIT_INTERRUPTED = 130

ABOUT = """\
Runs the whole system on this machine, without containers: Postgres, Kafka, Kafka Connect with
Debezium, client-api with the dashboard, projector, relay, scorer, mailer, a development issuer of
access tokens, and a sandbox model unless OPENROUTER_API_KEY is set.

Everything it writes lies in one folder of .run/, with a log file for each part. Ports are the usual
ones where they are free. Ctrl-C stops all; so does the end of any part, which is then shown with
the last lines of its log.
"""


def main(argv: list[str]) -> int:
    """Do what the command line says; return the exit code."""
    arguments = _arguments(argv)
    signals.as_interrupts()
    try:
        if arguments.command == "download":
            downloads.kafka_jars()
            downloads.connect_plugins()
            kafka.shared_classes()
            connect.shared_classes()
            find_binaries()
        elif arguments.command == "lock":
            print(downloads.fresh_lock(), end="")
        elif arguments.command == "where":
            return _where()
        elif arguments.command == "token":
            return _token(arguments.persona, arguments.state_file)
        else:
            _up(
                arguments.folder,
                arguments.state_file,
                dashboard=not arguments.no_dashboard,
                usual_ports=not arguments.any_ports,
            )
    except Missing as missing:
        print(missing, file=sys.stderr)
        return EXIT_MISSING
    except PartFailed as failure:
        print(failure, file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m stack",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start everything and keep it running until Ctrl-C")
    up.add_argument(
        "--folder",
        type=Path,
        help="where to keep data and logs; used again, the run goes on with its data"
        " (default: a fresh folder in .run/, removed when a later run starts)",
    )
    up.add_argument(
        "--state-file",
        type=Path,
        default=STATE_FILE,
        help="where others find this run (default: where `make order` looks)",
    )
    up.add_argument(
        "--any-ports",
        action="store_true",
        help="take free ports from the start, so that several stacks can start at the same moment",
    )
    up.add_argument("--no-dashboard", action="store_true", help="serve the API alone")
    commands.add_parser("where", help="show where the run that is going on answers")
    token = commands.add_parser(
        "token",
        help="print an access token, for curl",
        description='As in: curl -H "Authorization: Bearer $(python -m stack token)" …',
    )
    token.add_argument(
        "--as",
        dest="persona",
        choices=PERSONAS,
        default=OWNER,
        help="who: Olivia may do everything, Mark approves emails, Ana sees no names",
    )
    token.add_argument("--state-file", type=Path, default=STATE_FILE, help="of which run")
    commands.add_parser(
        "download", help="fetch what the stack needs from Maven into .cache/, and ready it"
    )
    commands.add_parser("lock", help="print the digests of these downloads, for locks/maven.txt")
    return parser.parse_args(argv)


def _up(folder: Path | None, state_file: Path, *, dashboard: bool, usual_ports: bool) -> None:
    if dashboard and not (DASHBOARD / "index.html").is_file():
        raise Missing("the dashboard is not built: run `make dashboard`, or use --no-dashboard")
    with Stack(
        folder or runs.new_folder(),
        dashboard=DASHBOARD if dashboard else None,
        usual_ports=usual_ports,
        state_file=state_file,
        progress=_show,
    ) as stack:
        print(f"data and logs: {stack.folder}")
        stack.start()
        print(f"dashboard and API: {stack.api_url}   (Ctrl-C stops everything)", flush=True)
        stack.wait(threading.Event())


def _where() -> int:
    state = runs.read()
    if state is None:
        print("nothing runs", file=sys.stderr)
        return EXIT_FAILED
    print(f"dashboard and API  {state.api_url}")
    print(f"issuer             {state.issuer_url}")
    print(f"Kafka              {state.bootstrap_servers}")
    print(f"Kafka Connect      {state.connect_url}")
    print(f"data and logs      {state.folder}")
    return 0


def _token(persona: str, state_file: Path) -> int:
    state = runs.read(state_file)
    if state is None:
        print("nothing runs", file=sys.stderr)
        return EXIT_FAILED
    print(bearer(state.issuer_url, persona))
    return 0


def _show(step: Step) -> None:
    if step.state in {"ready", "stopped"}:
        print(f"  {step.part:<12} {step.state:<8} {step.seconds:5.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
