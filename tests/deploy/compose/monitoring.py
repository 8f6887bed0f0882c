"""Whether the monitoring profile sees the system: every service, every rule, every dashboard."""

from typing import Any

import httpx

from stack.places import HOST, ROOT
from tests.e2e.waiting import wait_for

SEEN_LIMIT_S = 120.0
"""Services are asked, and rules worked out, every 15 s."""
ASK_LIMIT_S = 10.0
DASHBOARDS = ROOT / "deploy" / "grafana" / "dashboards"


def check_prometheus(port: int) -> None:
    """Wait until each target answers and each rule has a result; AssertionError if one does not."""

    def targets() -> bool | None:
        active = _asked(port, "/api/v1/targets")["data"]["activeTargets"]
        return True if active and all(one["health"] == "up" for one in active) else None

    def rules() -> bool | None:
        groups = _asked(port, "/api/v1/rules")["data"]["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        assert not [rule for rule in found if rule.get("lastError")], found
        return True if found and all(rule["health"] == "ok" for rule in found) else None

    wait_for("Prometheus reads every service", targets, SEEN_LIMIT_S)
    wait_for("every rule has been worked out", rules, SEEN_LIMIT_S)


def check_grafana(port: int, password: str) -> None:
    """Check that the dashboards are there, and that the source of figures answers."""
    admin = ("admin", password)
    found = {row["uid"] for row in _asked(port, "/api/search?type=dash-db", admin)}
    assert len(found) == len(list(DASHBOARDS.glob("*.json"))), found
    assert _asked(port, "/api/datasources/uid/prometheus/health", admin)["status"] == "OK"


def _asked(port: int, path: str, person: tuple[str, str] | None = None) -> Any:
    with httpx.Client(trust_env=False, timeout=ASK_LIMIT_S) as http:
        answer = http.get(f"http://{HOST}:{port}{path}", auth=person)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()
