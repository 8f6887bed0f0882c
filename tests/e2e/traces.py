"""Where a client left traces: every table, and every record of every topic, searched for canaries.

Nothing is known here of what lies where: tables and topics are listed by their servers.
"""

import struct
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from confluent_kafka.admin import AdminClient

from stack.launcher import Stack
from tests.e2e import books

TABLES = """
    SELECT c.oid::regclass::text AS name FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
COMPACTED = "compact"


class Canaries:
    """Words and amounts that nobody else has, in all the forms in which they may be stored."""

    def __init__(self, words: Iterable[str], amounts: Iterable[str]) -> None:
        """Amounts have two decimal places and eight digits, so that no chance brings them."""
        self.texts = {word.lower() for word in words}
        self.raw: set[bytes] = {word.encode() for word in self.texts}
        for amount in amounts:
            cents = int(Decimal(amount) * 100)
            self.texts |= {amount, str(cents)}
            self.raw |= {amount.encode(), str(cents).encode()}
            self.raw |= {struct.pack(form, cents) for form in (">I", "<I", ">q", "<q")}

    def in_text(self, text: str) -> set[str]:
        """Return those that a text holds."""
        return {canary for canary in self.texts if canary in text.lower()}

    def in_bytes(self, raw: bytes | None) -> set[bytes]:
        """Return those that bytes hold."""
        lower = (raw or b"").lower()
        return {canary for canary in self.raw if canary in lower or canary in (raw or b"")}


def in_postgres(stack: Stack, canaries: Canaries) -> list[tuple[str, str]]:
    """Return (table, canary) of every find in any table."""
    found = []
    for table in books.select(stack, TABLES):
        name = table["name"]
        rows = books.select(stack, f"SELECT t::text AS row FROM {name} t")
        hits = {hit for row in rows for hit in canaries.in_text(row["row"])}
        found += [(name, hit) for hit in sorted(hits)]
    return found


def records(stack: Stack, *, newest: bool = True) -> list[Any]:
    """Return the records of all topics; of compacted ones by default the newest of each key."""
    admin = AdminClient({"bootstrap.servers": stack.place.bootstrap_servers})
    told = admin.list_topics(timeout=20).topics
    found: list[Any] = []
    for name, topic in sorted(told.items()):
        if name.startswith("__"):
            continue
        some = books.read(stack, name, partitions=len(topic.partitions))
        if newest and not name.endswith(".dlq") and _is_compacted(admin, name):
            some = list({(one.partition(), one.key()): one for one in some}.values())
        found += some
    return found


def on_topics(
    stack: Stack, canaries: Canaries, *, newest: bool = True
) -> list[tuple[str, bytes | None, bytes]]:
    """Return (topic, key, canary) of every find in a key, a value or a header."""
    found = []
    for record in records(stack, newest=newest):
        headers = b" ".join(value or b"" for _, value in record.headers() or [])
        for part in (record.key(), record.value(), headers):
            found += [(record.topic(), record.key(), hit) for hit in canaries.in_bytes(part)]
    return found


def _is_compacted(admin: AdminClient, topic: str) -> bool:
    from confluent_kafka.admin import ConfigResource  # noqa: PLC0415

    asked = ConfigResource(ConfigResource.Type.TOPIC, topic)
    [future] = admin.describe_configs([asked]).values()
    return COMPACTED in str(future.result(20)["cleanup.policy"].value)
