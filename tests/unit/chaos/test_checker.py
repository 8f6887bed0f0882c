"""The checker on recorded books: they balance, and whatever is spoilt in them is found."""

import ast
import copy
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import emails
from tests.chaos.emails.books import Books
from tests.chaos.emails.checker import KINDS, check
from tests.chaos.emails.nonces import word_of, words_in, words_of
from tests.chaos.emails.rulebook import NO_EPISODE, ends_of

RECORDED = Path(__file__).with_name("recorded.json")
"""The books of one calm schedule on a real stack with delivery on: each fate and each act once."""
PACKAGE_NAME = emails.__name__
PACKAGE = Path(emails.__file__ or "").parent
STANDARD = sys.stdlib_module_names
NOBODY = 999_999_999


@pytest.fixture
def books() -> Books:
    """The recorded books, for one test to spoil."""
    return Books.load(RECORDED)


def spoilt(books: Books) -> Books:
    """Return a copy without what was worked out before."""
    return replace(
        books, **{field.name: copy.deepcopy(getattr(books, field.name)) for field in fields(books)}
    )


def found(books: Books) -> set[str]:
    """Return the kinds of which something is wrong."""
    return {kind for kind, lines in check(spoilt(books)).items() if lines}


def client_of(books: Books, fate: str, act: str | None = None) -> int:
    """Return a client of a fate to whom just this was done."""
    acts = {"create"} | ({act} if act else set())
    return next(
        number
        for number, client in books.clients.items()
        if client["fate"] == fate and books.done[number].keys() == acts
    )


def of(books: Books, table: str, client: int) -> list[dict[str, Any]]:
    """Return the rows of a client's episode."""
    episode = books.clients[client]["episode"]
    rows: list[dict[str, Any]] = getattr(books, table)
    return [row for row in rows if episode in (row.get("episode_id"), row.get("id"))]


def message_to(books: Books, client: int) -> dict[str, Any]:
    """Return the message to a client."""
    address = books.clients[client]["address"]
    return next(dict(entry) for entry in books.messages if entry["to"] == address)


def without(books: Books, table: str, client: int) -> Books:
    """Return the books without a client's rows in a table."""
    gone = of(books, table, client)
    return replace(books, **{table: [row for row in getattr(books, table) if row not in gone]})


def test_recorded_books_balance(books):
    """A calm run has nothing of any kind, and all that this file spoils is in it."""
    assert check(books) == {kind: [] for kind in KINDS}
    assert {client["fate"] for client in books.clients.values()} == {
        *("plain", "mute", "held", "trouble", "quiet")
    }
    acts = {act for acts in books.done.values() for act in acts}
    assert acts == {
        *("create", "order", "withdraw", "unsubscribe", "suppress", "erase", "release", "retry")
    }
    assert books.messages


def test_the_checker_shares_no_code_with_what_it_checks():
    """It imports the standard library and its own rules, and these import nothing else."""
    todo, seen = ["checker"], set()
    while todo:
        name = todo.pop()
        seen.add(name)
        tree = ast.parse((PACKAGE / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert all(alias.name.partition(".")[0] in STANDARD for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                if module == PACKAGE_NAME:
                    found = [alias.name for alias in node.names]
                elif module.startswith(f"{PACKAGE_NAME}."):
                    found = [module.removeprefix(f"{PACKAGE_NAME}.")]
                else:
                    assert module.partition(".")[0] in STANDARD, module
                    found = []
                todo += [one for one in found if one not in seen]
    assert seen == {"checker", "courses", "contents", "rulebook", "books", "nonces"}


def test_books_that_were_kept_are_the_same(books, tmp_path):
    """Evidence can be checked again later."""
    books.keep(tmp_path / "books.json")
    assert Books.load(tmp_path / "books.json") == books


# --- lost ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fate", ["plain", "mute", "held", "trouble"])
def test_an_episode_that_is_missing_is_lost(books, fate):
    """Whoever fell at risk has an episode, whatever becomes of it."""
    client = client_of(books, fate)
    for table in ("episodes", "history", "emails", "calls"):
        books = without(books, table, client)
    words = words_of(client)
    books = replace(
        books,
        messages=[m for m in books.messages if m["to"] != books.clients[client]["address"]],
        prompts=[p for p in books.prompts if not words_in([p["asked"]]) & {*words}],
    )
    assert found(books) == {"lost"}


def test_an_email_without_its_text_is_lost(books):
    """A row that says sent, and no text or a blank one, is no email."""
    client = client_of(books, "plain")
    assert found(without(books, "emails", client)) == {"lost"}
    of(books, "emails", client)[0]["body"] = ""
    assert found(books) == {"lost"}


@pytest.mark.parametrize("state", ["failed", "rejected", "held", "recovered", "suppressed"])
def test_an_end_that_nothing_explains_is_lost(books, state):
    """A client to whom nothing happened gets an email, and nothing else."""
    of(books, "episodes", client_of(books, "plain"))[0]["state"] = state
    assert "lost" in found(books)


def test_a_message_that_never_came_is_lost(books):
    """What the ledger calls sent is in the mail sink."""
    gone = message_to(books, client_of(books, "plain"))
    assert found(replace(books, messages=[m for m in books.messages if m != gone])) == {"lost"}


@pytest.mark.parametrize("act", [None, "order", "withdraw", "unsubscribe", "suppress"])
def test_what_the_api_said_is_done_and_is_not_there_is_lost(books, act):
    """A committed row outlives every fault."""
    client = client_of(books, "plain", act)
    shown = "withdraw" if act == "unsubscribe" else act
    rows = [row for row in books.rows if (row["client"], row["act"]) != (client, shown)]
    if act is None:
        rows = [row for row in rows if row["client"] != client]
    assert "lost" in found(replace(books, rows=rows))


def test_an_erased_client_who_is_there_is_lost(books):
    """An erasure outlives every fault, too."""
    client = client_of(books, "plain", "erase")
    row = {"client": client, "act": None, "committed": 0.0}
    assert found(replace(books, rows=[*books.rows, row])) == {"lost"}


def test_an_unknown_outcome_needs_a_fault_that_explains_it(books):
    """A send may end as uncertain, when something fell into it."""
    client = client_of(books, "plain")
    of(books, "episodes", client)[0]["state"] = "uncertain"
    last = of(books, "history", client)[-1]
    last["to_state"] = "uncertain"
    assert found(books) == {"lost"}
    fault = {"what": "fault", "kind": "sink-kill", "at": last["committed"] - 1, "schedule": 0}
    fault["until"] = last["committed"] + 1
    assert found(replace(books, journal=[*books.journal, fault])) == set()


# --- duplicate -----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["episodes", "emails"])
def test_a_second_row_is_a_duplicate(books, table):
    """One episode has one row, and one email."""
    again = dict(of(books, table, client_of(books, "plain"))[0])
    assert found(replace(books, **{table: [*getattr(books, table), again]})) == {"duplicate"}


def test_a_second_message_is_a_duplicate(books):
    """Nobody gets two messages of one episode."""
    again = message_to(books, client_of(books, "plain")) | {"number": 999}
    assert found(replace(books, messages=[*books.messages, again])) == {"duplicate"}


def test_a_second_text_is_a_duplicate(books):
    """One text is accepted, and it becomes a draft once."""
    client = client_of(books, "plain")
    call = next(row for row in of(books, "calls", client) if row["outcome"] == "accepted")
    assert found(replace(books, calls=[*books.calls, {**call, "id": 999}])) == {"duplicate"}
    draft = next(row for row in of(books, "history", client) if row["to_state"] == "draft")
    assert "duplicate" in found(replace(books, history=[*books.history, {**draft, "id": 999}]))


# --- phantom -------------------------------------------------------------------------------------


def test_an_episode_that_the_journal_cannot_explain_is_a_phantom(books):
    """Of nobody, of somebody who is not at risk, or of another silence."""
    row = of(books, "episodes", client_of(books, "held"))[0]
    change = of(books, "history", client_of(books, "held"))[0]
    for client, name in (
        (NOBODY, f"{NOBODY}-20000"),
        (client_of(books, "quiet"), "1-20000"),
        (client_of(books, "plain"), "2-20000"),
    ):
        more = replace(
            books,
            episodes=[*books.episodes, {**row, "id": name, "client_id": client}],
            history=[*books.history, {**change, "id": 999, "episode_id": name}],
        )
        assert found(more) == {"phantom"}


def test_a_text_that_nobody_answered_is_a_phantom(books):
    """An email is word for word what the sandbox answered under its generation id."""
    client = client_of(books, "plain")
    email = of(books, "emails", client)[0]
    known = email["generation_id"]
    email["generation_id"] = "made-up"
    assert found(books) == {"phantom"}
    email["generation_id"] = known
    email["body"] = f"Hello {word_of(client, 'name')},\n\nthis is a canned text."
    assert found(books) == {"phantom"}


def test_an_email_where_none_was_written_is_a_phantom(books):
    """A rejected text is not stored; a held episode has none."""
    client = client_of(books, "held")
    email = dict(of(books, "emails", client_of(books, "plain"))[0])
    email |= {"episode_id": books.clients[client]["episode"], "client_id": client}
    assert "phantom" in found(replace(books, emails=[*books.emails, email]))


@pytest.mark.parametrize("fate", ["quiet", "held"])
def test_a_prompt_about_somebody_who_gets_no_email_is_a_phantom(books, fate):
    """The model is not asked in vain."""
    asked = f'"first_name": "{word_of(client_of(books, fate), "name")}"'
    prompt = {**books.prompts[0], "number": 999, "generation": "g", "asked": asked}
    assert found(replace(books, prompts=[*books.prompts, prompt])) == {"phantom"}
    prompt["asked"] = "Write something."
    assert found(replace(books, prompts=[*books.prompts, prompt])) == {"phantom"}


def test_a_prompt_that_is_on_no_record_is_a_phantom(books):
    """Each call stands in the ledger, however it ended."""
    gone = of(books, "calls", client_of(books, "plain"))[0]
    left = [row for row in books.calls if row is not gone]
    assert found(replace(books, calls=left)) == {"phantom"}


def test_a_message_that_the_ledger_does_not_know_is_a_phantom(books):
    """To nobody, or to somebody whose email was never sent."""
    message = message_to(books, client_of(books, "plain")) | {"number": 999, "text": "Hello"}
    for address in ("x@example.test", books.clients[client_of(books, "held")]["address"]):
        more = [*books.messages, {**message, "to": address}]
        assert found(replace(books, messages=more)) == {"phantom"}


def test_a_history_with_a_gap_or_a_wrong_change_is_a_phantom(books):
    """Each change begins where the one before ended, and is in the design's table."""
    client = client_of(books, "plain")
    changes = of(books, "history", client)
    for gone in changes:
        left = [row for row in books.history if row is not gone]
        assert "phantom" in found(replace(books, history=left))
    changes[0]["to_state"] = changes[1]["from_state"] = "rejected"
    assert "phantom" in found(books)


def test_an_episode_or_a_history_alone_is_a_phantom(books):
    """The ledger and its history tell of the same episodes."""
    client = client_of(books, "held")
    assert "phantom" in found(without(books, "history", client))
    assert "phantom" in found(without(books, "episodes", client))


# --- cross-talk ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["name", "tag", "category"])
def test_another_clients_words_are_cross_talk(books, role):
    """In a prompt, in an email, in a message."""
    client, other = client_of(books, "plain"), client_of(books, "held")
    words = f" and {word_of(other, role).capitalize()}'s"
    email, message = of(books, "emails", client)[0], message_to(books, client)
    prompt = next(p for p in books.prompts if p["generation"] == email["generation_id"])
    for row, key, table in (
        (email, "body", "emails"),
        (email, "subject", "emails"),
        (prompt, "asked", "prompts"),
        (message, "text", "messages"),
    ):
        rows = [{**r, key: r[key] + words} if r == row else r for r in getattr(books, table)]
        assert "cross_talk" in found(replace(books, **{table: rows}))


def test_texts_that_changed_places_are_cross_talk(books):
    """Even where all is well otherwise."""
    first, second = [of(books, "emails", client)[0] for client in list(books.clients)[:2]]
    first["body"], second["body"] = second["body"], first["body"]
    assert "cross_talk" in found(books)


def test_a_text_from_another_clients_prompt_is_cross_talk(books):
    """The generation id tells which prompt an email came from."""
    first, second = [of(books, "emails", client)[0] for client in list(books.clients)[:2]]
    first["generation_id"] = second["generation_id"]
    assert "cross_talk" in found(books)


# --- stale ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["withdraw", "unsubscribe", "suppress", "order", "erase"])
@pytest.mark.parametrize("state", ["draft", "written", "sending"])
def test_a_text_after_the_fact_is_stale(books, act, state):
    """To the commit: the same change before the fact is well."""
    client = client_of(books, "plain", act)
    shown = "withdraw" if act == "unsubscribe" else act
    since = books.committed.get((client, shown), books.done[client][act])
    name = books.clients[client]["episode"]
    kept = [row for row in books.history if row["episode_id"] != name]
    change = {"id": 999, "episode_id": name, "from_state": "", "to_state": state, "reason": ""}
    late = replace(books, history=[*kept, {**change, "committed": since + 0.000_01}])
    assert any(state in line for line in check(spoilt(late))["stale"])
    early = replace(books, history=[*kept, {**change, "committed": since - 0.000_01}])
    assert not check(spoilt(early))["stale"]


@pytest.mark.parametrize("state", ["written", "held"])
def test_what_goes_on_although_it_must_not_is_stale(books, state):
    """An episode whose client withdrew does not wait to be sent or released."""
    of(books, "episodes", client_of(books, "plain", "withdraw"))[0]["state"] = state
    assert "stale" in found(books)


def test_the_text_of_an_erased_client_is_stale(books):
    """It is blanked, whenever it was written."""
    client = client_of(books, "plain", "erase")
    email = dict(of(books, "emails", client_of(books, "plain"))[0])
    email |= {"episode_id": books.clients[client]["episode"], "client_id": client}
    others = [row for row in books.emails if row["client_id"] != client]
    assert "stale" in found(replace(books, emails=[*others, email]))


def test_a_prompt_about_somebody_who_never_consented_is_stale(books):
    """No call is made for them."""
    asked = f'"first_name": "{word_of(client_of(books, "mute"), "name")}"'
    prompt = {**books.prompts[0], "number": 999, "generation": "g", "asked": asked}
    assert "stale" in found(replace(books, prompts=[*books.prompts, prompt]))


# --- stuck ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["pending", "deferred", "writing", "draft", "sending"])
def test_what_is_under_way_at_rest_is_stuck(books, state):
    """Whoever consents, and whoever does not."""
    of(books, "episodes", client_of(books, "plain"))[0]["state"] = state
    assert "stuck" in found(books)


def test_a_call_or_a_decision_without_an_outcome_is_stuck(books):
    """A call whose process died is completed by whoever takes over."""
    of(books, "calls", client_of(books, "plain"))[0]["outcome"] = "in flight"
    assert "stuck" in found(books)
    [*_, decision] = books.decisions
    more = [*books.decisions, {**decision, "id": 999, "outcome": None}]
    assert "stuck" in found(replace(books, decisions=more))


# --- what is not wrong ---------------------------------------------------------------------------


def test_who_orders_or_is_erased_in_time_needs_no_episode(books):
    """And who withdraws consent still has one."""
    for act, excused in (("order", True), ("erase", True), ("withdraw", False)):
        client = books.clients[client_of(books, "plain", act)]
        assert (NO_EPISODE in ends_of(client, books)) == excused


def test_what_was_asked_for_and_never_answered_may_be_either_way(books):
    """Nobody knows whether a request was followed that was cut off."""
    client = client_of(books, "plain", "withdraw")
    cut_off = [
        e for e in books.journal if (e["what"], e.get("client"), e.get("act"))
        != ("done", client, "withdraw")
    ]  # fmt: skip
    ends = ends_of(books.clients[client], replace(books, journal=cut_off))
    assert ends == {"sent", "uncertain", "suppressed"}
