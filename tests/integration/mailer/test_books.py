"""What Prometheus scrapes from a running mailer."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.mailer.world import Process, World, until


async def scraped(process: Process) -> dict[tuple[str, str], float]:
    """Return what stands under /metrics, by name and state."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{process.port}/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, sample.labels.get("state", "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_the_gauges_follow_the_episodes(world: World) -> None:
    """An episode that was written to shows in its state within seconds, and the books balance."""
    await world.policy()
    process = await world.run()
    client = await world.client()
    episode = world.opened(client)
    await world.reach(episode, "written")

    async def shown() -> dict[tuple[str, str], float] | None:
        found = await scraped(process)
        return found if found.get(("engage_episodes", "written")) == 1 else None

    found = await until(shown)
    assert sum(value for (name, _), value in found.items() if name == "engage_episodes") == 1
    assert found["engage_ledger_imbalance", ""] == 0
    assert found["engage_ledger_read_timestamp_seconds", ""] > 0
