"""Erasures that are late: not finished an hour after they were asked for."""

from engage.erase import ERASED, VERIFIED
from engage.postgres import Database

LATE = f"""
    WITH asked AS (
        SELECT e.id, e.at, EXISTS (
            SELECT FROM audit v
            WHERE v.subject = e.subject AND v.action = '{VERIFIED}' AND v.id > e.id
            AND (v.detail ->> 'version')::bigint >= (e.detail ->> 'version')::bigint) AS done
        FROM audit e
        WHERE e.action = '{ERASED}' AND e.at < now() - interval '1 hour' AND e.id >= $1)
    SELECT count(*) FILTER (WHERE NOT done) AS late,
           least(min(id) FILTER (WHERE NOT done),
                 coalesce(max(id) FILTER (WHERE at < now() - interval '2 hours'), $1)) AS oldest
    FROM asked
"""  # noqa: S608 - our own words


class LateErasures:
    """Counts them again and again, without a second look at what lies before the oldest open one.

    What was verified stays so. Entries of two transactions may have their ids and their times in
    different orders, so what is done is looked at again until it is two hours old.
    """

    def __init__(self) -> None:
        """Begin with all that there ever were."""
        self._oldest = 0

    def count(self, database: Database) -> int:
        """Return how many there are. Raises Misconfigured, Transient."""
        (found,) = database.rows(LATE, self._oldest)
        self._oldest = found["oldest"]
        return int(found["late"])
