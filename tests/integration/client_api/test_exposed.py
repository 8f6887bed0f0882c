"""client-api's metrics: on a port of their own, about its requests and about all readers."""

from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.client_api.processes import Running, running
from tests.integration.client_api.serving import until
from tests.servers import Database
from tests.tokens import Signed

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def exposed(process: Running) -> Samples:
    """Return what Prometheus would be told."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{process.metrics_url}/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_metrics_are_told_to_our_own_network_alone(
    database: Database, kafka: str, tmp_path: Path
) -> None:
    """Requests count by route once they are answered; callers find no metrics on their port, and
    nobody takes the other port for the service's health.
    """
    environment = {
        "DATABASE_URL": database.client_api_url,
        "ENGAGE_DATABASE_URL": database.engage_url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
    }
    async with running("serve", tmp_path, environment) as api:
        async with httpx.AsyncClient(base_url=api.url, auth=Signed(), trust_env=False) as http:
            assert (await http.get("/metrics")).status_code == 404
            assert (await http.get("/api/clients/7")).status_code == 404
            assert (await http.get("/api/clients")).status_code == 200
            assert (await http.get(f"{api.metrics_url}/readyz")).status_code == 404

        async def measured() -> Samples | None:
            found = await exposed(api)
            return found if ("engage_lag_records", of(reader="projector")) in found else None

        found = await until(measured, 60)

    def of_route(route: str, status: str) -> float | None:
        labels = of(method="GET", route=route, status=status)
        return found.get(("engage_api_requests_total", labels))

    assert of_route("/api/clients/{client_id}", "404") == 1
    assert of_route("/api/clients", "200") == 1
    assert found["engage_api_request_seconds_count", of(method="GET", route="/api/clients")] == 1
    assert ("engage_api_connections_in_use", of(pool="reads")) in found
    assert not [name for name, _ in found if "readyz" in name]
    assert found["engage_reader_members", of(reader="projector")] == 0
    assert found["engage_erasures_late", of()] == 0


def of(**labels: str) -> frozenset[tuple[str, str]]:
    """Return labels as samples are looked up by."""
    return frozenset(labels.items())
