"""``python -m deploy.manifests``: writes what the code decides anew into ``deploy/``."""

from pathlib import Path

from deploy.manifests.access import scaler, user, users
from deploy.manifests.combinations import combinations, namespace
from deploy.manifests.connector import connector
from deploy.manifests.dashboards import config_maps, texts
from deploy.manifests.documents import dump
from deploy.manifests.plain import broker_properties, logging, worker_properties
from deploy.manifests.rules import rules
from deploy.manifests.topics import topics

DEPLOY = Path(__file__).resolve().parents[1]
K8S = DEPLOY / "k8s"


def files() -> dict[Path, str]:
    """Return the text of every generated file, by its path."""
    kafka = K8S / "platform" / "kafka"
    made = {
        kafka / "topics.yaml": dump(topics(), "common.topics and stack.connect"),
        kafka / "users.yaml": dump(users(), "deploy.manifests.access"),
        kafka / "connector.yaml": dump([connector()], "cdc_relay.connector"),
        K8S / "components" / "autoscaling" / "user.yaml": dump(
            [user("keda", scaler())], "deploy.manifests.access"
        ),
        K8S / "components" / "monitoring" / "rules.yaml": dump(
            [rules(DEPLOY / "prometheus")], "deploy/prometheus"
        ),
        K8S / "components" / "monitoring" / "dashboards.yaml": dump(
            config_maps(), "deploy.manifests.dashboards"
        ),
        K8S / "overlays" / "test" / "server.properties": broker_properties(),
        K8S / "overlays" / "test" / "connect.properties": worker_properties(),
        K8S / "overlays" / "test" / "log4j2.properties": logging(
            DEPLOY / "kafka" / "log4j2.properties"
        ),
    }
    for name, text in texts().items():
        made[DEPLOY / "grafana" / "dashboards" / f"{name}.json"] = text
    for name, document in namespace().items():
        made[K8S / "tests" / "namespace" / name] = dump([document], "deploy.manifests.combinations")
    for name, kustomization in combinations():
        made[K8S / "tests" / name / "kustomization.yaml"] = dump(
            [kustomization], "deploy.manifests.combinations"
        )
    return made


def main() -> None:
    """Write all files."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
