"""One running stack for chaos with emails: two mailers, short leases, and a mail sink."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx

from stack import http
from stack.launcher import Stack
from stack.places import ROOT, answers
from stack.tokens import As
from tests.chaos.emails.evidence import Evidence
from tests.chaos.emails.journal import Journal
from tests.chaos.emails.model import Asked, Model
from tests.chaos.emails.sink import Taken
from tests.chaos.emails.trade import LINK_KEY
from tests.e2e import books, reference

MAILER = {
    "LEASE_S": "3",
    "MODEL_DEADLINE_S": "3",
    "RETRY_BASE_S": "0.2",
    "PROBE_BASE_S": "0.2",
    "STOP_GRACE_S": "1",
    "MAILER_CONCURRENCY": "4",
}
"""Short, so that a schedule sees leases run out, deadlines pass, and all of it mended."""
SANDBOX = {"SANDBOX_DELAY_MS": "300"}
RULES = {"holdout_percent": 0, "auto_approve": True}
NO_CAP = {"cap_days": 0, "quiet_hours": None, "release_per_minute": 100_000}
SETTLED_LIMIT_S = 120.0
MARKER = 1
"""A client without orders, by whom one sees that the rules are in force."""


class Running(NamedTuple):
    """A stack that runs, and all that a schedule needs of it."""

    stack: Stack
    journal: Journal
    model: Model
    evidence: Evidence
    rules: reference.Rules
    delivery: bool


@contextmanager
def started(folder: Path, *, delivery: bool) -> Iterator[Running]:
    """Run a stack in ``folder`` until the block ends.

    It is durable: what Postgres has said is committed must outlive its own kill -9.
    """
    mailer = MAILER | (_delivering(folder) if delivery else {})
    parts = {"mailer": mailer, "mailer-2": mailer, "sandbox": SANDBOX, "sink": _path()}
    api = {"client-api": {"LINK_KEY": LINK_KEY.get_secret_value()}}
    journal = Journal(_made(folder) / "journal.jsonl")
    try:
        with Stack(folder, state_file=folder / "state.json", extra=parts | api) as stack:
            if delivery:
                port = stack.place.ports["sink"]
                mailer["SMTP_PORT"] = str(port)
                _start_sink(stack, port)
            stack.start_servers()
            _know_commits(stack)
            stack.start_api()
            stack.start_pipeline()
            _start_second_mailer(stack)
            yield _put_in_order(stack, journal, delivery=delivery)
    finally:
        journal.close()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _path() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT)}


def _delivering(folder: Path) -> dict[str, str]:
    return {
        "DELIVERY": "smtp",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_TLS": "none",
        "SMTP_TIMEOUT_S": "3",
        "SMTP_REPLY_S": "5",
        "DELIVERY_RETRY_BASE_S": "0.2",
        "MAIL_FROM": "Your Shop <shop@example.test>",
        "UNSUBSCRIBE_BASE_URL": "http://127.0.0.1:1",
        "LINK_KEY": LINK_KEY.get_secret_value(),
    }


def sink_journal(folder: Path) -> Path:
    """Return where the mail sink of a run keeps what it took."""
    return folder / "logs" / "sink-journal.jsonl"


def _start_sink(stack: Stack, port: int) -> None:
    def check() -> str | None:
        return None if answers(port) else f"nobody listens on port {port}"

    words = ("tests.chaos.emails.sink", str(port), str(sink_journal(stack.folder)))
    stack.parts.service("sink", words, stack.place.for_sandbox(), check)


def _know_commits(stack: Stack) -> None:
    """Let Postgres remember when each transaction was committed; it is told at its start."""

    async def alter() -> None:
        connection = await asyncpg.connect(stack.place.admin_url)
        try:
            # No transaction takes this statement.
            await connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        finally:
            await connection.close()

    asyncio.run(alter())
    stack.parts.restart("postgres")


def _start_second_mailer(stack: Stack) -> None:
    url = stack.place.url("mailer-2")
    env = stack.place.for_mailer() | {"HEALTH_PORT": str(stack.place.ports["mailer-2"])}
    stack.parts.service("mailer-2", ("mailer",), env, lambda: http.check(f"{url}/readyz"))


def _put_in_order(stack: Stack, journal: Journal, *, delivery: bool) -> Running:
    """Put rules in force under which nobody is held out, capped, or has quiet hours."""
    with httpx.Client(
        base_url=stack.api_url, auth=As(stack.issuer_url), trust_env=False, timeout=30
    ) as client:
        document = client.get("/api/policies/current").json()["document"] | RULES
        document["emails"] = document.get("emails", {}) | NO_CAP
        document.pop("version", None)
        rules = {"document": document}
        client.post("/api/policies", json=rules).raise_for_status()
        marker = {"id": MARKER, "first_name": "Marker", "synthetic": True}
        client.post("/api/clients", json=marker).raise_for_status()
    books.settled(stack, SETTLED_LIMIT_S)
    evidence = Evidence(
        stack.place.admin_url,
        journal,
        Asked(stack.place.sandbox_journal),
        Taken(sink_journal(stack.folder)) if delivery else None,
    )
    print(f"the stack is up; logs: {stack.folder / 'logs'}", flush=True)
    return Running(
        stack,
        journal,
        Model(stack.place.url("sandbox")),
        evidence,
        books.rules_in_force(stack),
        delivery,
    )
