"""Where something about clients is kept: what an export states, place by place."""

from collections.abc import Sequence

from common.topics import (
    AT_RISK,
    BACKFILL,
    CDC_CLIENTS,
    CDC_ORDERS,
    LIVE,
    SCORES,
    Topic,
    changelog_of,
    dead_letters_of,
)

OF_CLIENTS: tuple[Topic, ...] = (
    CDC_CLIENTS,
    CDC_ORDERS,
    LIVE,
    BACKFILL,
    SCORES,
    AT_RISK,
    changelog_of(1),
)
"""The topics that hold something about single clients; a rebuild has a changelog of its own."""

TABLES: dict[str, str] = {
    "clients": "the client as people entered it",
    "orders": "its orders as they are now",
    "score_features": "what the score knows of the orders",
    "scores": "the score of the day being served",
    "episodes": "each silence in which the client fell at risk, with its evidence",
    "episode_history": "every change of an episode",
    "emails": "the texts written to the client",
    "model_calls": "each call of the model: cost and outcome, no text",
    "decisions": "what people decided about an email",
    "decision_outcomes": "what came of a decision",
    "deliveries": "each attempt to send an email",
    "suppressions": "that the client's address gets no email, by a hash of the address",
    "audit": "what was done to the client's data, by whom",
    "operations": "runs of operators that name the client",
    "idempotency_keys": "answers to creates that named a key, for a day",
}
"""Our tables, under the names that they have in an export."""


def _topic(topic: Topic) -> dict[str, object]:
    kept = KEPT[topic.cleanup]
    holds = f"{topic.holds}; ids, order data and scores, no name or address; {kept}"
    return {"place": f"Kafka topic {topic.name}", "holds": holds, "derived": True}


KEPT = {
    "compact": "the newest record of each key stays",
    "delete": "kept for days",
    "compact,delete": "the newest record of each key, for days",
}
"""What the broker keeps, by a topic's clean-up."""

PLACES: Sequence[dict[str, object]] = (
    *(
        {"place": f"Postgres table {name}", "holds": holds, "derived": False}
        for name, holds in TABLES.items()
    ),
    *(_topic(topic) for topic in OF_CLIENTS),
    {
        "place": "Kafka topics " + ", ".join(dead_letters_of(one).name for one in OF_CLIENTS[:-1]),
        "holds": "records that could not be read, as they came; kept for days",
        "derived": True,
    },
    {
        "place": "RocksDB of the scorer",
        "holds": "the client's order ledger, as its changelog has it",
        "derived": True,
    },
    {
        "place": "write-ahead log and backups of Postgres",
        "holds": "earlier versions of the rows above, for as long as the operator keeps them",
        "derived": True,
    },
    {
        "place": "logs of the services",
        "holds": "ids of episodes and clients, never a name, an address or a text",
        "derived": True,
    },
)
"""Every place, also those whose content is no more than copies of the rows in the document."""
