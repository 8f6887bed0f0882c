"""Rules of the checker about words: whose stand in prompts, emails and messages, and where from?"""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.emails.books import Books, Doc, grouped
from tests.chaos.emails.rulebook import HAS_TEXT


def texts(books: Books) -> Iterator[tuple[str, str]]:
    """Each email belongs to one episode, holds its own client's words, and is what was answered."""
    for name, rows in grouped(books.emails, "episode_id").items():
        if len(rows) > 1:
            yield "duplicate", f"{name}: {len(rows)} emails"
    for row in books.emails:
        name, client = row["episode_id"], row["client_id"]
        episode = books.episode.get(name)
        others = books.owners_in(row["subject"], row["body"], str(row["facts_used"])) - {client}
        if others:
            yield "cross_talk", f"{name}: the email has words of {sorted(others)}"
        if episode is None:
            yield "phantom", f"{name}: an email without an episode"
        elif episode["client_id"] != client:
            yield "cross_talk", f"{name}: the email is client {client}'s"
        elif not any(change["to_state"] == "draft" for change in books.changes.get(name, ())):
            yield "phantom", f"{name}: an email that was never a draft"
        yield from _origin(row, books)
    for name, row in books.episode.items():
        erased = "erase" in books.done[row["client_id"]]
        if row["state"] in HAS_TEXT and not erased and not _says_something(books.email.get(name)):
            yield "lost", f"{name}: {row['state']}, but there is no text"


def _origin(row: Doc, books: Books) -> Iterator[tuple[str, str]]:
    """The text is what the sandbox answered for this very client; an erased client's is blank."""
    name = row["episode_id"]
    if "erase" in books.done[row["client_id"]]:
        if _says_something(row):
            yield "stale", f"{name}: the text of an erased client is kept"
        return
    prompt = books.answers.get(row["generation_id"])
    if prompt is None:
        yield "phantom", f"{name}: nobody answered the text {row['generation_id']!r}"
        return
    if books.owners_in(prompt["asked"]) - {row["client_id"]}:
        yield "cross_talk", f"{name}: the text was written from another client's prompt"
    if _says_something(row) and not _is_what_was_answered(row, prompt):
        yield "phantom", f"{name}: the text is not what was answered"


def prompts(books: Books) -> Iterator[tuple[str, str]]:
    """Each prompt is about one client of the journal, one who may be written to."""
    called = {row["generation_id"]: row["episode_id"] for row in books.calls}
    for entry in books.prompts:
        number, owners = entry["number"], books.owners_in(entry["asked"])
        if len(owners) > 1:
            yield "cross_talk", f"prompt {number}: words of {sorted(owners)}"
        elif not owners:
            yield "phantom", f"prompt {number}: about nobody whom we know"
        for client in owners:
            wish = books.clients[client]
            if not wish["consent"]:
                yield "stale", f"prompt {number}: about client {client}, who never consented"
            elif wish["episode"] is None:
                yield "phantom", f"prompt {number}: about client {client}, who is not at risk"
            elif wish["fate"] == "held" and "release" not in books.asked[client]:
                yield "phantom", f"prompt {number}: about client {client}, who is held"
        episode = books.episode.get(called.get(entry["generation"], ""))
        if episode is not None and owners - {episode["client_id"]}:
            yield "cross_talk", f"{episode['id']}: called with words of {sorted(owners)}"


def prompts_on_record(books: Books) -> Iterator[tuple[str, str]]:
    """No prompt goes out before its call is on record: a call whose process died is, too."""
    asked = Counter(owner for entry in books.prompts for owner in books.owners_in(entry["asked"]))
    noted = Counter(row["episode_id"] for row in books.calls)
    for client, count in asked.items():
        name = books.clients[client]["episode"]
        if noted[name] < count:
            yield "phantom", f"{name}: asked {count} times, but {noted[name]} calls are on record"


def messages(books: Books) -> Iterator[tuple[str, str]]:
    """At most one message an episode, to the client whom it is about, and the ledger knows it."""
    took: dict[int, int] = {}
    for entry in books.messages:
        client = books.owner_of_address.get(entry["to"])
        if client is None:
            yield "phantom", f"message {entry['number']}: to an address that nobody has"
            continue
        took[client] = took.get(client, 0) + 1
        others = books.owners_in(entry["text"]) - {client}
        if others:
            yield "cross_talk", f"message {entry['number']}: to {client}, words of {sorted(others)}"
        episode = books.episode.get(books.clients[client]["episode"] or "")
        state = episode["state"] if episode else "no episode"
        if state not in {"sending", "sent", "uncertain"}:
            yield "phantom", f"message {entry['number']}: to client {client}, whose {state}"
    for client, count in took.items():
        if count > 1:
            yield "duplicate", f"client {client}: {count} messages"
    for row in books.episode.values():
        if row["state"] == "sent" and row["client_id"] not in took:
            yield "lost", f"{row['id']}: sent, but no message came"


def _says_something(row: Doc | None) -> bool:
    return row is not None and bool(row["subject"].strip() and row["body"].strip())


def _is_what_was_answered(row: Doc, prompt: Doc) -> bool:
    """Tell whether all that was answered stands in the email, white space aside."""
    answer = prompt["answer"]
    return (
        answer is not None
        and _plain(answer["subject"]) == _plain(row["subject"])
        and _plain(answer["body"]) in _plain(row["body"])
    )


def _plain(text: str) -> str:
    return " ".join(text.split())
