"""The demo's front door: ``python -m demo run`` and ``python -m demo order CLIENT``."""

import argparse
import sys
import threading

import httpx

from common.cluster import Cluster
from common.errors import Misconfigured
from demo.api import Api, Live, StepMissing
from demo.census import census
from demo.show import Show
from demo.story import FAST, PAGE_LIMIT_S, Story
from stack import signals
from stack.errors import Missing, PartFailed
from stack.launcher import Stack
from stack.places import DASHBOARD, STATE_FILE
from stack.runs import new_folder, read
from stack.tokens import As

SERVING_RATE = 1440.0
"""While the demo serves, a business day takes a minute: slow enough to read, fast enough to see."""


def run(*, everything: bool, once: bool) -> None:
    """Tell the whole story on a fresh stack; serve until Ctrl-C unless ``once``.

    Raises PartFailed when a part fails and StepMissing when a step did not happen.
    """
    show = Show()
    with Stack(
        new_folder(),
        dashboard=DASHBOARD,
        usual_ports=True,
        state_file=STATE_FILE,
        progress=show.part,
    ) as stack:
        with show.step("1. Servers: Postgres, Kafka, Connect"):
            stack.start_servers()
            stack.start_api()

        def advance(what: str, done: int, total: int) -> None:
            stack.parts.check()
            show.advance(what, done, total)

        api = Api(stack.api_url, As(stack.issuer_url))
        story = Story(api, "all" if everything else "sample", advance)
        with show.step("2. Real purchase histories into Postgres, through the API"):
            story.load(stack.business_now())
        with show.step("3. Capture begins: every row becomes an event, every client gets a score"):
            stack.start_pipeline()
            story.until_scored()
        show.console.print(f"   the dashboard fills at [bold]{stack.api_url}[/bold]")
        with show.step("4. Old crossings are held back: nobody is written to by surprise"):
            story.until_held()
        with show.step("5. A person releases the ten most valuable; the model writes"):
            written = story.release()
        with show.step("6. The clock runs fast: clients fall silent, new episodes open"):
            stack.set_clock(rate=FAST)
            story.until_clock_opens()
            stack.set_clock(rate=1.0)
        with show.step("7. Clients order again: scores rise, an episode closes"):
            story.order(written)
        outcome = story.settle()
        show.console.print("\n[bold]What went through[/bold]")
        show.summary(
            outcome, census(Cluster(stack.place.bootstrap_servers), stack.place.partitions)
        )
        api.close()
        if once:
            show.console.print("\nEvery step happened. Stopping.")
            return
        stack.set_clock(rate=SERVING_RATE)
        client = written[1]["client_id"]
        show.console.print(
            f"\nThe dashboard: [bold]{stack.api_url}[/bold] (sign in as Olivia)\n"
            f"{_tour_of(stack.api_url, sandbox=outcome.stats['model_sandbox'])}"
            f"In a second terminal: [bold]make order CLIENT={client}[/bold], "
            f"and watch {stack.api_url}/clients/{client}\n"
            "Business time now runs a day a minute. Ctrl-C stops everything."
        )
        stack.wait(threading.Event())


def _tour_of(url: str, *, sandbox: bool) -> str:
    """Say where the guided tour begins; with a real model, whose emails cost, there is none."""
    if not sandbox:
        return ""
    return f"A guided tour in six steps: [bold]{url}/?tour=1[/bold] (docs/demo.md has the words)\n"


def order(client_id: int, amount: str) -> None:
    """Place an order for a client of the running demo and tell how the score changed."""
    state = read()
    if state is None:
        raise StepMissing("no demo is running here: start one with `make demo`")
    api = Api(state.api_url, As(state.issuer_url))
    try:
        before = api.get(f"/api/clients/{client_id}/score")
        with Live(state.api_url, api.auth) as live:
            made = api.post("/api/orders", {"client_id": client_id, "amount": amount})
            _, after = live.merged(client_id, made["version"], PAGE_LIMIT_S)
    except httpx.HTTPStatusError as error:
        problem = error.response.json()
        raise StepMissing(f"{problem['title']}: {problem.get('detail', '')}") from None
    finally:
        api.close()
    print(
        f"order {made['id']} for client {client_id}: score "
        f"{_percent(before['score'])} → {_percent(after['score'])}, "
        f"{before['state']} → {after['state']}\n{state.api_url}/clients/{client_id}"
    )


def _percent(score: float | None) -> str:
    return "none" if score is None else f"{score:.1%}"


def main() -> int:
    """Run a command of the demo; return its exit code."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="the whole story on an embedded stack")
    running.add_argument(
        "--clients",
        choices=("sample", "all"),
        default="sample",
        help="2,357 clients (default) or all 23,570",
    )
    running.add_argument(
        "--once", action="store_true", help="check every step, then stop instead of serving"
    )
    ordering = commands.add_parser("order", help="an order for a client of the running demo")
    ordering.add_argument("client", type=int, help="the client's id, as on the dashboard")
    ordering.add_argument("--amount", default="29.90", help="in the shop's currency")
    args = parser.parse_args()
    signals.as_interrupts()
    try:
        if args.command == "run":
            run(everything=args.clients == "all", once=args.once)
        else:
            order(args.client, args.amount)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 0 if args.command == "run" and not args.once else 130
    except (
        Missing,
        PartFailed,
        StepMissing,
        Misconfigured,
        httpx.HTTPError,
        FileNotFoundError,
    ) as error:
        print(f"the demo failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
