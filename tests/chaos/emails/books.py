"""What the checker reads: plain documents, so that a run's books can be kept, and checked again."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from tests.chaos.emails.nonces import words_in, words_of

Doc = Mapping[str, Any]
"""One document. Times are seconds since 1970 by the machine's clock, which all parts share."""


@dataclass(frozen=True)
class Books:
    """All that is known of a run.

    ``journal`` says what went in: clients (`what` = "client": client, fate, episode, consent,
    address), what was asked for (`asked`) and what the API said is done (`done`), each with client,
    act and time, and the faults (`fault`). The ledger is ``episodes``, ``history`` (with the time
    of commit), ``emails``, ``calls`` and ``decisions``; ``rows`` are the clients and orders that
    Postgres holds, with the act that each shows and the time of its commit. ``prompts`` are what
    the sandbox was asked and what it answered, ``messages`` what the mail sink took.
    """

    delivery: bool
    journal: list[Doc]
    episodes: list[Doc] = field(default_factory=list)
    history: list[Doc] = field(default_factory=list)
    emails: list[Doc] = field(default_factory=list)
    calls: list[Doc] = field(default_factory=list)
    decisions: list[Doc] = field(default_factory=list)
    rows: list[Doc] = field(default_factory=list)
    prompts: list[Doc] = field(default_factory=list)
    messages: list[Doc] = field(default_factory=list)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read books that were kept."""
        return cls(**json.loads(file.read_text()))

    def keep(self, file: Path) -> None:
        """Write the books to a file, one document a line."""
        parts = asdict(self)
        lines = [f'"delivery": {json.dumps(parts.pop("delivery"))}']
        for name, documents in parts.items():
            body = ",\n  ".join(json.dumps(document) for document in documents)
            lines.append(f'"{name}": [\n  {body}\n]')
        file.write_text("{" + ",\n".join(lines) + "}\n")

    @cached_property
    def clients(self) -> dict[int, Doc]:
        """The clients of the journal."""
        return {entry["client"]: entry for entry in self.journal if entry["what"] == "client"}

    @cached_property
    def owners(self) -> dict[str, int]:
        """Whose each word is."""
        return {word: client for client in self.clients for word in words_of(client)}

    def owners_in(self, *texts: str) -> set[int]:
        """Return the clients whose words stand in some texts."""
        return {self.owners[word] for word in words_in(texts) if word in self.owners}

    @cached_property
    def owner_of_address(self) -> dict[str, int]:
        """Whose each address is."""
        return {entry["address"]: client for client, entry in self.clients.items()}

    @cached_property
    def done(self) -> dict[int, dict[str, float]]:
        """When each act was known to be done, by client and act."""
        return self._acts("done")

    @cached_property
    def asked(self) -> dict[int, dict[str, float]]:
        """When each act was asked for first, by client and act."""
        return self._acts("asked")

    def _acts(self, what: str) -> dict[int, dict[str, float]]:
        found: dict[int, dict[str, float]] = defaultdict(dict)
        for entry in self.journal:
            if entry["what"] == what:
                found[entry["client"]].setdefault(entry["act"], entry["at"])
        return found

    @cached_property
    def committed(self) -> dict[tuple[int, str], float]:
        """When the fact behind an act was committed, by client and act, where a row says so."""
        return {(row["client"], row["act"]): row["committed"] for row in self.rows if row["act"]}

    @cached_property
    def episode(self) -> dict[str, Doc]:
        """The ledger's rows by id."""
        return {row["id"]: row for row in self.episodes}

    @cached_property
    def email(self) -> dict[str, Doc]:
        """The emails by episode."""
        return {row["episode_id"]: row for row in self.emails}

    @cached_property
    def changes(self) -> dict[str, list[Doc]]:
        """Each episode's history, in order."""
        return grouped(sorted(self.history, key=lambda row: row["id"]), "episode_id")

    @cached_property
    def answers(self) -> dict[str, Doc]:
        """What the sandbox was asked and answered, by generation id."""
        return {entry["generation"]: entry for entry in self.prompts if entry["generation"]}


def grouped(rows: Iterable[Doc], key: str) -> dict[Any, list[Doc]]:
    """Group documents by one of their fields."""
    found: dict[Any, list[Doc]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return found
