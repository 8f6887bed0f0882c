"""A rebuild by hand: a new generation reads everything in silence, and then takes over."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.scorer.lanes import Lanes, order, wait_for
from tests.integration.scorer.workers import Worker, announce, running

NOW = datetime.now(UTC)
CLIENTS = range(1, 41)


def test_a_rebuild_gives_the_same_scores_and_no_new_episode(lanes: Lanes, tmp_path):
    """Silent until announced; then every score is told anew and equal, and the old one retires."""
    lanes.policy()
    for client in CLIENTS:
        lanes.order(order(client, 1, client * 10, _ago(100 if client % 2 else 30)))
        lanes.order(order(client, 2, client * 10 + 1, _ago(80 if client % 2 else 3)))
    lanes.flush()
    old = Worker(lanes.servers, tmp_path, generation=2, name="old")
    new = Worker(lanes.servers, tmp_path, generation=3, name="new", silent=True)
    with running(old):
        wait_for("all episodes", lambda: len(lanes.opened()) == len(CLIENTS) / 2)
        before = wait_for("all scores", lambda: _of(lanes, 2))
        with running(new):
            wait_for("everything to be read", lambda: lanes.caught_up(new.group))
            status, said = wait_for("its silence", lambda: _health(new, "silent"))
            assert status == 503
            assert said["generation"] == "silent: generation 3, current 2; 0 behind"
            assert {score.generation for score in lanes.scores().values()} == {2}
            announce(lanes.servers, 3)
            after = wait_for("all scores anew", lambda: _of(lanes, 3))
            wait_for("the old one to retire", lambda: _health(old, "superseded by generation 3"))
            wait_for("readiness", lambda: new.health("/readyz")[0] == 200)
            assert [_facts(after[c]) for c in CLIENTS] == [_facts(before[c]) for c in CLIENTS]
            lanes.order(order(1, 3, 9_999, NOW))
            lanes.flush()
            told = wait_for("a later score", lambda: lanes.scores()[1].version == 9_999)
            assert told
            assert lanes.scores()[1].generation == 3
            episodes = {episode.episode_id for episode in lanes.opened()}
            assert len(episodes) == len(CLIENTS) / 2
            wait_for("the end of one", lambda: lanes.closed() and lanes.closed()[0].client_id == 1)
            assert new.stop() == 0
        assert old.stop() == 0


def _ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def _of(lanes: Lanes, generation: int) -> dict[int, Any] | None:
    scores = lanes.scores()
    if set(scores) != set(CLIENTS):
        return None
    return scores if all(s.generation == generation for s in scores.values()) else None


def _facts(score: Any) -> tuple[Any, ...]:
    return (
        score.client_id,
        score.version,
        score.merged,
        score.policy_version,
        score.score,
        score.state,
        score.features,
        score.crossing_day,
    )


def _health(worker: Worker, word: str) -> tuple[int, dict[str, Any]] | None:
    status, said = worker.health("/readyz")
    return (status, said) if word in said.get("generation", "") else None
