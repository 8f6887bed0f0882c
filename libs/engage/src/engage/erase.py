"""Finishing erasures: what was copied of a client out of Postgres goes, and that is verified.

The row is deleted by client-api, in one transaction with an entry of the audit. The relay, the
scorer and the mailer follow that by themselves. This waits for them, takes away what no service
does (dead letters, superseded changelogs, keys that the capture never told of), looks into every
place, and writes the second entry. Each step may be done twice, so a run that broke off is begun
anew.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from engage.broker import Broker
from engage.erase_run import Erasure, Run
from engage.erase_topics import LANES, Newest
from engage.frame import BadInput, Failed
from engage.postgres import Database, connect
from engage.progress import Watcher
from engage.rows import Shop
from engage.settings import Settings

ERASED, VERIFIED = "client.erased", "client.erasure.verified"
ONE_AT_A_TIME = 7407
"""Advisory: held in Postgres by the one run that finishes erasures."""
ALONE_LIMIT_S = 300.0
TOLD_LIMIT_S = 120.0
POLL_S = 0.5
NAMED_MAX = 10
FOR_EVER = 2**63 - 1

OPEN = f"""
    SELECT DISTINCT ON (e.subject) split_part(e.subject, '/', 2)::bigint AS client, e.actor,
           (e.detail ->> 'version')::bigint AS version, e.at
    FROM audit e WHERE e.action = '{ERASED}' AND NOT EXISTS (
        SELECT FROM audit v WHERE v.subject = e.subject AND v.action = '{VERIFIED}' AND v.id > e.id
        AND (v.detail ->> 'version')::bigint >= (e.detail ->> 'version')::bigint)
    ORDER BY e.subject, e.id DESC
"""  # noqa: S608 - our own words
KNOWN = f"""
    SELECT actor, (detail ->> 'version')::bigint AS version, at FROM audit
    WHERE action = '{ERASED}' AND subject = $1 ORDER BY id DESC LIMIT 1
"""  # noqa: S608 - our own words
AUDIT = "INSERT INTO audit (actor, action, subject, detail) VALUES ($1, $2, $3, $4)"


def open_ones(database: Database) -> list[Erasure]:
    """Return the erasures that nobody has verified yet. Raises Misconfigured, Transient."""
    rows = database.rows(OPEN)
    return [Erasure(row["client"], row["version"], captured=True) for row in rows]


def finish(
    settings: Settings,
    clients: Sequence[int] | None,
    watcher: Watcher,
    *,
    actor: str,
    unreadable: bool = False,
) -> dict[str, Any]:
    """Finish the erasure of these clients (None: of all that are open), and verify it.

    ``unreadable`` also removes the dead letters of which nothing tells whose they are. Returns what
    was found and done, by place. Raises BadInput when a client is there and was never erased,
    Misconfigured; Failed when a place still holds something, with its name, after all others were
    verified; Transient.
    """
    with connect(settings.database) as database:
        _alone(database, watcher)
        if clients is None:
            chosen = open_ones(database)
        else:
            chosen = [_known(database, client) for client in sorted(set(clients))]
        if not chosen:
            return {"clients": [], "places": {}, "letters": []}
        broker = Broker(settings.kafka)
        lost = _until_captured(broker, chosen, watcher)
        chosen = [erasure for erasure in chosen if erasure not in lost]
        done: dict[str, Any] = {}
        left: dict[int, str] = {}
        if chosen:
            run = Run(settings, broker, database, chosen, watcher)
            done = run.finish(unreadable=unreadable)
            left = run.left
            chosen = [erasure for erasure in chosen if erasure.client not in left]
        for erasure in chosen:
            detail = {"version": erasure.upto, **done}
            subject = f"client/{erasure.client}"
            database.value(AUDIT, actor, VERIFIED, subject, json.dumps(detail))
        if lost or left:
            raise Failed(_unfinished(lost, left, len(chosen)))
        return {"clients": [erasure.client for erasure in chosen], **done}


def _unfinished(lost: Sequence[Erasure], left: Mapping[int, str], done: int) -> str:
    """Say of whom something is left, and what; the others are done."""
    told = [f"of client {client} {what}" for client, what in list(left.items())[:NAMED_MAX]]
    if len(left) > NAMED_MAX:
        told.append(f"of {len(left) - NAMED_MAX} more something is left")
    if left:
        told.append("do mailer and projector run? Run it again")
    if lost:
        named = ", ".join(str(erasure.client) for erasure in lost[:NAMED_MAX])
        told.append(
            f"no lane tells of the erasure of {len(lost)} clients ({named}) within "
            f"{TOLD_LIMIT_S:.0f} s: do connector and relay run? After a lost slot, run "
            "`engage reconcile` first"
        )
    return f"{'; '.join(told)}; {done} others are done"


def _alone(database: Database, watcher: Watcher) -> None:
    """Wait until no other run finishes erasures; raises Failed."""
    until = time.monotonic() + ALONE_LIMIT_S
    watcher.step("another run ends")
    while not database.value("SELECT pg_try_advisory_lock($1)", ONE_AT_A_TIME):
        if time.monotonic() > until:
            raise Failed("another run has been finishing erasures for long: see who holds it up")
        watcher.advance(0)
        time.sleep(POLL_S)


def _known(database: Database, client: int) -> Erasure:
    row = database.row(KNOWN, f"client/{client}")
    if row is not None:
        return Erasure(client, row["version"], captured=True)
    if Shop(database).clients([client]):
        raise BadInput(f"client {client} is there and was not erased; nothing was done")
    return Erasure(client, FOR_EVER, captured=False)


def _until_captured(broker: Broker, erasures: Sequence[Erasure], watcher: Watcher) -> list[Erasure]:
    """Wait until a lane says of each client that it is erased; return those of whom none does."""
    lanes = Newest(broker, LANES, [erasure.client for erasure in erasures])
    waited = [erasure for erasure in erasures if erasure.captured]
    watcher.step("erasures captured", len(waited))
    until = time.monotonic() + TOLD_LIMIT_S
    while True:
        lanes.follow()
        left = [e for e in waited if lanes.erased(e.client) < e.upto]
        watcher.advance(len(waited) - len(left))
        waited = left
        if not waited or time.monotonic() > until:
            return waited
        time.sleep(POLL_S)
