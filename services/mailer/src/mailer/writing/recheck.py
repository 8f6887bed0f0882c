"""The last look at claimed episodes: each locked, its claim fenced, its client looked at again."""

from collections.abc import Sequence

from common.logs import Logger
from mailer.database import Connection
from mailer.episodes import ledger
from mailer.episodes.deferral import Hindrance
from mailer.episodes.emails import blank
from mailer.episodes.ledger import Change
from mailer.episodes.policies import Policies
from mailer.episodes.standing import CLIENT_GONE, Days, Standing, standings_of
from mailer.writing import claims
from mailer.writing.claims import Claim

CLAIM_LOST = "the claim was lost"
CLIENT_CHANGED = "the client changed meanwhile"


async def recheck(
    conn: Connection, held: Sequence[Claim], policies: Policies, days: Days, log: Logger
) -> dict[Claim, Standing | str]:
    """Return how each claim's client stands, or why the claim's work is over; then it is settled.

    Runs within the caller's transaction. Quiet hours that began since the claim do not matter: a
    text may be written in them.
    """
    rows = await claims.lock_held(conn, held)
    standings = await standings_of(conn, list(rows.values()), policies, days) if rows else {}
    found: dict[Claim, Standing | str] = {}
    for claim in held:
        standing = standings.get(claim.episode_id) if claim in rows else None
        found[claim] = CLAIM_LOST if standing is None else await _judge(conn, claim, standing, log)
    return found


async def _judge(conn: Connection, claim: Claim, standing: Standing, log: Logger) -> Standing | str:
    if standing.hindrance is not None:
        await _end(conn, claim, standing.hindrance, log)
        return CLIENT_CHANGED
    if isinstance(standing.cap, Hindrance):
        await _end(conn, claim, standing.cap, log)
        return standing.cap.reason
    if standing.cap is not None:  # the next claim defers it
        change = Change("writing", "pending", standing.cap.reason, attempts=-1)
        await ledger.move_one(conn, claim.episode_id, change)
        return standing.cap.reason
    return standing


async def _end(conn: Connection, claim: Claim, why: Hindrance, log: Logger) -> None:
    await ledger.move_one(conn, claim.episode_id, Change("writing", why.target, why.reason))
    if why.reason == CLIENT_GONE:
        await blank(conn, [claim.episode_id])
    log.info("episode settled", episode=claim.episode_id, state=why.target, reason=why.reason)
