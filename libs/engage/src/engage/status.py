"""The state of the whole system as one document. What cannot be reached is named, never zero."""

from datetime import UTC, datetime
from typing import Any, get_args

from common.episodes import EpisodeState
from common.topics import dead_letters_of
from engage import letters, source
from engage.broker import Broker, Group
from engage.gatherer import Gatherer
from engage.lag import Lag, generation_of, measure_all
from engage.late import LateErasures
from engage.postgres import Database, connect
from engage.rebuild_generation import current
from engage.settings import Settings

SLOT_HOP = "Postgres → cdc"

EPISODES = "SELECT state, count(*) AS number FROM episodes GROUP BY state"
POLICY = "SELECT id, created_at FROM policies ORDER BY id DESC LIMIT 1"
SERVED = "SELECT max(generation) AS generation, max(scored_at) AS scored_at FROM score_features"


def gather(settings: Settings) -> dict[str, Any]:
    """Ask Kafka, Connect, Postgres and the mailer. Raises nothing for what does not answer.

    ``hops`` in the order of the flow: ``records`` and ``seconds`` that each is behind;
    ``dead_letters``, ``episodes``, ``scorer``, ``connector``, ``mailer``, ``policy``. What could
    not be asked is null, and ``problems`` says why in one line each.
    """
    found = Gatherer()
    broker = found.part("Kafka", lambda: Broker(settings.kafka))
    document: dict[str, Any] = {"at": datetime.now(UTC), "hops": None}
    lags: list[Lag] | None = None
    groups: dict[str, Group] | None = None
    dead = None
    if broker is not None:
        groups = found.part("groups", broker.groups)
        if groups is not None:
            known = groups
            speaking = found.part("generation", lambda: current(broker))
            lags = measure_all(broker, known, speaking, found)
        dead = found.part("dead letters", lambda: _dead(broker))
    for lag in lags or []:
        found.note(lag.problem)
    stored = found.part("Postgres", lambda: _stored(settings, broker, found))
    document["hops"] = [
        stored["slot"] if stored else _unknown(SLOT_HOP),
        *([lag.document() for lag in lags] if lags is not None else []),
    ]
    document["dead_letters"] = dead
    document["episodes"] = stored and stored["episodes"]
    document["scorer"] = {
        "generations": None if groups is None else _generations(groups),
        "stored_generation": stored and stored["generation"],
        "last_scored_at": stored and stored["scored_at"],
    }
    document["connector"] = found.part("connector", lambda: source.connector(settings.connect))
    if document["connector"] is not None:
        found.note(source.connector_problem(document["connector"]))
    document["mailer"] = _mailer(settings, found)
    document["policy"] = stored and stored["policy"]
    document["problems"] = found.problems
    return document


def _dead(broker: Broker) -> list[dict[str, Any]]:
    done = letters.handled(broker)
    there = [
        s for s, topic in letters.SOURCES.items() if dead_letters_of(topic).name in broker.topics
    ]
    return [letters.summary(broker, one, done[one]) for one in there]


def _stored(settings: Settings, broker: Broker | None, found: Gatherer) -> dict[str, Any]:
    with connect(settings.database) as database:
        counts = {row["state"]: row["number"] for row in database.rows(EPISODES)}
        policy = database.row(POLICY)
        served = database.row(SERVED)
        late = LateErasures().count(database)
        found.note(f"{late} erasures are not finished: engage erase --open" if late else None)
        return {
            "slot": _slot(database, broker, found),
            "episodes": {
                "total": sum(counts.values()),
                "by_state": {state: counts.get(state, 0) for state in get_args(EpisodeState)},
            },
            "policy": policy and {"version": policy["id"], "created_at": policy["created_at"]},
            "generation": served and served["generation"],
            "scored_at": served and served["scored_at"],
        }


def _slot(database: Database, broker: Broker | None, found: Gatherer) -> dict[str, Any]:
    told = found.part("slot", lambda: source.slot(database))
    if told is None:
        return _unknown(SLOT_HOP)
    found.note(source.slot_problem(told))
    age = None
    if broker is not None:
        age = found.part("heartbeat", lambda: source.beat_age(broker, database))
    return {"hop": SLOT_HOP, "records": None, "seconds": age, **told}


def _unknown(hop: str) -> dict[str, Any]:
    return {"hop": hop, "records": None, "seconds": None}


def _generations(groups: dict[str, Group]) -> list[dict[str, Any]]:
    found = [
        {"generation": generation, "group": name, "state": group.state, "members": group.members}
        for name, group in groups.items()
        if (generation := generation_of(name)) is not None
    ]
    return sorted(found, key=lambda one: int(str(one["generation"])))


def _mailer(settings: Settings, found: Gatherer) -> dict[str, Any] | None:
    """Tell whether the mailer asks its model; None when nobody says where its health is."""
    url = settings.mailer_url
    if url is None:
        return None
    told = found.part("mailer", lambda: source.health(url))
    if told is None:
        return None
    wrong = {name: told[name] for name in told["checks"] if name in told}
    for name, what in wrong.items():
        found.note(f"mailer: {name}: {what}")
    return {"paused": "model" in wrong, "problems": wrong}
