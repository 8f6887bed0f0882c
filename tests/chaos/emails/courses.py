"""Rules of the checker about episodes: are they there, how did they go, and where do they rest?"""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.emails.books import Books, Doc
from tests.chaos.emails.rulebook import (
    ENDING_ACTS,
    GOES_OUT,
    NEXT,
    NO_EPISODE,
    SHOWN_BY,
    UNDER_WAY,
    ends_of,
    forbidden_since,
)

HARMS_THE_SENDING = ("mailer", "postgres", "sink")
"""Faults that may leave a send's outcome unknown."""
AFTERWARDS_S = 60.0
"""How long after such a fault an outcome may turn out to be unknown."""
ONCE = ("draft", "sending", "sent")
"""Nobody of the journal is at risk again after an order, so these come at most once."""


def rows_kept(books: Books) -> Iterator[tuple[str, str]]:
    """What the API said is done is in Postgres."""
    there = {row["client"] for row in books.rows}
    shown = {(row["client"], row["act"]) for row in books.rows}
    for number, acts in books.done.items():
        if "erase" in books.asked[number]:
            if "erase" in acts and number in there:
                yield "lost", f"client {number} was erased, but is there"
            continue
        if "create" in acts and number not in there:
            yield "lost", f"client {number} was created, but is not there"
        for act in acts.keys() & ENDING_ACTS.keys():
            if (number, SHOWN_BY.get(act, act)) not in shown:
                yield "lost", f"client {number}: {act} was done, but Postgres does not know"


def episodes_explained(books: Books) -> Iterator[tuple[str, str]]:
    """Each episode is the one that its client's silence explains, and is there once."""
    times = Counter(row["id"] for row in books.episodes)
    for name, count in times.items():
        if count > 1:
            yield "duplicate", f"{name}: {count} rows"
    for row in books.episodes:
        client = books.clients.get(row["client_id"])
        if client is None:
            yield "phantom", f"{row['id']}: of client {row['client_id']}, whom nobody created"
        elif client["episode"] != row["id"]:
            yield "phantom", f"{row['id']}: the journal explains {client['episode'] or 'none'}"


def ends(books: Books) -> Iterator[tuple[str, str]]:
    """Each client's episode is there and rests in a state that the journal allows."""
    for number, client in books.clients.items():
        if "create" not in books.done[number]:
            continue
        allowed = ends_of(client, books)
        row = books.episode.get(client["episode"])
        state = row["state"] if row else NO_EPISODE
        if state in allowed:
            if row and state == "uncertain" and not _explained(row, books):
                yield "lost", f"{row['id']}: uncertain, but nothing fell into its sending"
        elif row is None:
            yield "lost", f"client {number}: {client['episode']} is missing"
        elif state in UNDER_WAY:
            yield "stuck", f"{row['id']}: {state} ({row['reason']})"
        elif state in {"written", "held"} and forbidden_since(client, books):
            yield "stale", f"{row['id']}: still {state}, but: {_facts(client, books)}"
        else:
            yield "lost", f"{row['id']}: {state} ({row['reason']}), not {'/'.join(sorted(allowed))}"


def histories(books: Books) -> Iterator[tuple[str, str]]:
    """Each history is a chain of allowed changes, ends in the episode's state, and has one text."""
    for name, changes in books.changes.items():
        row = books.episode.get(name)
        if row is None:
            yield "phantom", f"{name}: a history without an episode"
            continue
        before = None
        for change in changes:
            if change["from_state"] != before:
                yield "phantom", f"{name}: from {change['from_state']}, but it was {before}"
            elif change["to_state"] not in NEXT.get(before, ()):
                yield "phantom", f"{name}: {before} -> {change['to_state']} is no change we know"
            before = change["to_state"]
        if before != row["state"]:
            yield "phantom", f"{name}: {row['state']}, but its history ends with {before}"
        times = Counter(change["to_state"] for change in changes)
        for state in ONCE:
            if times[state] > 1:
                yield "duplicate", f"{name}: {times[state]} times {state}"
    for name in books.episode.keys() - books.changes.keys():
        yield "phantom", f"{name}: an episode without a history"


def too_late(books: Books) -> Iterator[tuple[str, str]]:
    """No text becomes a draft, final or sent after a fact that forbids it was committed."""
    for client in books.clients.values():
        facts = forbidden_since(client, books)
        for change in books.changes.get(client["episode"], ()):
            for fact, since in facts:
                if change["to_state"] in GOES_OUT and since < change["committed"]:
                    late = change["committed"] - since
                    what = f"{change['to_state']} {late:.3f} s after: {fact}"
                    yield "stale", f"{change['episode_id']}: {what}"


def calls_and_decisions(books: Books) -> Iterator[tuple[str, str]]:
    """Each call is completed, at most one text is accepted, and each decision has its outcome."""
    accepted = Counter(row["episode_id"] for row in books.calls if row["outcome"] == "accepted")
    for name, count in accepted.items():
        if count > 1:
            yield "duplicate", f"{name}: {count} texts were accepted"
    for row in books.calls:
        if row["episode_id"] not in books.episode:
            yield "phantom", f"call {row['id']}: of {row['episode_id']}, which is no episode"
        elif row["outcome"] == "in flight":
            yield "stuck", f"{row['episode_id']}: call {row['id']} was never completed"
    for row in books.decisions:
        if row["outcome"] is None:
            yield "stuck", f"{row['episode_id']}: {row['action']} has no outcome"


def _explained(row: Doc, books: Books) -> bool:
    """Tell whether a fault fell into the sending of an episode, or just before its outcome."""
    sending = [c for c in books.changes[row["id"]] if c["to_state"] in {"sending", "uncertain"}]
    return any(
        entry["kind"].startswith(HARMS_THE_SENDING)
        and entry["at"] <= sending[-1]["committed"]
        and sending[0]["committed"] <= entry["until"] + AFTERWARDS_S
        for entry in books.journal
        if entry["what"] == "fault"
    )


def _facts(client: Doc, books: Books) -> str:
    return ", ".join(fact for fact, _ in forbidden_since(client, books))
