"""Six faults put by hand into the rows of a running stack: what the checker must find, each one."""

import asyncio
import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from typing import NamedTuple

import asyncpg

from tests.chaos.emails.books import Books
from tests.chaos.emails.running import Running

NOBODY = 999_999_999


class Victims(NamedTuple):
    """Whose rows are spoilt: two clients who were written to, a third, and one who withdrew."""

    first: int
    second: int
    third: int
    withdrawn: int


Plant = Callable[[Running, Books, Victims], None]


def lost(running: Running, books: Books, victims: Victims) -> None:
    """A text that was written is gone."""
    _execute(running, "DELETE FROM emails WHERE episode_id = $1", _episode(books, victims.third))


def duplicate(running: Running, books: Books, victims: Victims) -> None:
    """A second message goes out; with delivery off, a second text is accepted."""
    name = _episode(books, victims.first)
    if running.delivery:
        message = EmailMessage()
        message["To"] = books.clients[victims.first]["address"]
        message["Subject"], message["From"] = books.email[name]["subject"], "shop@example.test"
        message.set_content(books.email[name]["body"])
        with smtplib.SMTP("127.0.0.1", running.stack.place.ports["sink"]) as smtp:
            smtp.send_message(message)
        return
    _execute(
        running,
        "INSERT INTO model_calls (episode_id, attempt, model, outcome, latency_ms, sandbox)"
        " VALUES ($1, 2, 'x/y', 'accepted', 0, true)",
        name,
    )


def phantom(running: Running, _books: Books, _victims: Victims) -> None:
    """An episode of a client whom nobody created."""
    _execute(
        running,
        "INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,"
        " opened_as_of, score, value_at_risk, policy_version, event)"
        f" VALUES ($1, {NOBODY}, 'held', '', 'nobody', '2026-01-01', '2026-02-01', now(), 0, 0, 1,"
        " '{}')",
        f"{NOBODY}-20454",
    )


def cross_talk(running: Running, books: Books, victims: Victims) -> None:
    """Two clients' texts change places."""
    _execute(
        running,
        "UPDATE emails SET subject = other.subject, body = other.body FROM emails other"
        " WHERE ARRAY[emails.episode_id, other.episode_id] <@ $1"
        " AND emails.episode_id <> other.episode_id",
        [_episode(books, victims.first), _episode(books, victims.second)],
    )


def stale(running: Running, books: Books, victims: Victims) -> None:
    """A text becomes final after its client withdrew consent."""
    _execute(
        running,
        "WITH moved AS (UPDATE episodes SET state = 'held' WHERE id = $1 RETURNING id)"
        " INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)"
        " SELECT id, 'suppressed', 'written', 'planted', 'nobody' FROM moved",
        _episode(books, victims.withdrawn),
    )


def stuck(running: Running, books: Books, victims: Victims) -> None:
    """An episode is under way for ever: its lease does not run out."""
    _execute(
        running,
        "UPDATE episodes SET state = 'writing', lease_until = now() + interval '1 day'"
        " WHERE id = $1",
        _episode(books, victims.second),
    )


PLANTS: dict[str, Plant] = {
    plant.__name__: plant for plant in (lost, duplicate, phantom, cross_talk, stale, stuck)
}


def _episode(books: Books, client: int) -> str:
    found: str = books.clients[client]["episode"]
    return found


def _execute(running: Running, statement: str, *values: object) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(running.stack.place.admin_url)
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()

    asyncio.run(work())
