"""Erasures that are late: counted again and again, without a second look at those that are done."""

from engage.erase import ERASED, VERIFIED
from engage.late import LateErasures
from engage.postgres import connect
from tests.servers import Database, execute


def noted(database: Database, *entries: tuple[str, int, int, str]) -> None:
    """Write entries of the audit: action, client, version and how long ago."""
    execute(
        database.admin_url,
        *(
            "INSERT INTO audit (at, actor, action, subject, detail) VALUES (now() - "
            f"interval '{ago}', 'ann', '{action}', 'client/{client}', '{{\"version\": {version}}}')"
            for action, client, version, ago in entries
        ),
    )


def test_an_erasure_is_late_after_an_hour_until_it_is_verified(database: Database) -> None:
    """Those in time, and other clients' entries, change nothing; each life of an id counts."""
    late = LateErasures()

    def counted() -> int:
        with connect(database.engage_url) as asked:
            again, anew = late.count(asked), LateErasures().count(asked)
        assert again == anew
        return again

    assert counted() == 0
    noted(database, (ERASED, 1, 10, "3 hours"), (ERASED, 2, 11, "2 hours"), (ERASED, 3, 12, "0 s"))
    assert counted() == 2
    noted(database, (VERIFIED, 2, 11, "0 s"), (VERIFIED, 1, 9, "0 s"))
    assert counted() == 1
    noted(database, (VERIFIED, 1, 10, "0 s"))
    assert counted() == 0
    noted(database, (ERASED, 2, 20, "2 hours"))
    assert counted() == 1
    noted(database, (VERIFIED, 2, 20, "0 s"))
    assert counted() == 0


def test_what_was_done_before_the_oldest_open_one_is_not_looked_at_again(
    database: Database,
) -> None:
    """However many erasures there ever were."""
    done = [(ERASED, client, client, "3 hours") for client in range(1, 6)]
    noted(database, *done, *((VERIFIED, client, version, "0 s") for _, client, version, _ in done))
    noted(database, (ERASED, 9, 9, "2 hours"))
    late = LateErasures()

    with connect(database.engage_url) as asked:
        assert late.count(asked) == 1
        oldest = asked.value("SELECT id FROM audit WHERE subject = 'client/9'")
    assert late._oldest == oldest
