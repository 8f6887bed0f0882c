"""What came out of the load against what went in: nothing lost, nothing twice."""

import json
import time
from pathlib import Path

from tests.chaos.emails.books import Books
from tests.chaos.emails.checker import KINDS, check
from tests.chaos.emails.evidence import Away, Evidence
from tests.chaos.emails.journal import Journal
from tests.chaos.emails.model import Asked
from tests.chaos.emails.sink import Taken
from tests.deploy.k8s.shop import Shop
from tests.deploy.k8s.trade import FIRST_ORDER, Load
from tests.e2e import books

SETTLED_LIMIT_S = 900.0
"""Longer than the longest pause of a pod that could not start, which is five minutes."""
LOOK_AGAIN_S = 2.0
SHOWN = 5
FAILED_SHOWN = 10


class Unbalanced(Exception):
    """Something was lost, came twice, or is wrong."""


def balance(shop: Shop, journal: Journal, load: Load) -> None:
    """Wait until all books balance. Raises Unbalanced."""
    deadline = time.monotonic() + SETTLED_LIMIT_S
    while True:
        try:
            found = _gather(shop, journal)
        except Away:
            if time.monotonic() > deadline:
                raise
        else:
            wrong = check(found)
            if not any(wrong.values()) or time.monotonic() > deadline:
                break
        time.sleep(LOOK_AGAIN_S)
    counts = {kind: len(wrong[kind]) for kind in KINDS}
    whole = {"schedules": load.schedules, "episodes": len(found.episodes)}
    print(json.dumps({**whole, "messages": len(found.messages), **counts}), flush=True)
    if any(wrong.values()):
        found.keep(Path(shop.folder) / "books.json")
        lines = [f"{kind}: {line}" for kind in KINDS for line in wrong[kind][:SHOWN]]
        raise Unbalanced("\n".join(lines))
    _events(shop, load)


def balance_without_failures(shop: Shop, journal: Journal, load: Load) -> None:
    """Balance the books of a load of which no request may have failed. Raises Unbalanced."""
    print(f"  {load.sent} requests, {len(load.failed)} failed", flush=True)
    balance(shop, journal, load)
    if load.failed:
        raise Unbalanced("\n".join(load.failed[:FAILED_SHOWN]))


def _gather(shop: Shop, journal: Journal) -> Books:
    prompts, messages = shop.folder / "prompts.jsonl", shop.folder / "messages.jsonl"
    prompts.write_text(shop.journal("prompts-*.jsonl"))
    messages.write_text(shop.journal("messages-*.jsonl"))
    return Evidence(shop.admin_url, journal, Asked(prompts), Taken(messages)).gather()


def _events(shop: Shop, load: Load) -> None:
    """Each order that was accepted is there once, and in its client's score."""
    stack = shop.as_stack()
    rows = books.select(stack, f"SELECT id FROM orders WHERE id >= {FIRST_ORDER}")
    if sorted(row["id"] for row in rows) != sorted(load.orders):
        raise Unbalanced(f"{len(load.orders)} orders were accepted, {len(rows)} are there")
    try:
        orders = books.agreed(stack, SETTLED_LIMIT_S)
    except AssertionError as error:
        raise Unbalanced(str(error)) from None
    count = sum(len(some) for some in orders.values())
    print(f"  all {count} orders of {len(orders)} clients are in the scores", flush=True)
