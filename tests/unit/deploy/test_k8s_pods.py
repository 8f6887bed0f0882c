"""Pods: no rights, bounded, spread, probed truthfully, and given the time that the code takes."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cdc_relay.__main__ import LIVE_LIMIT_S
from client_api.live import kafka_feed
from client_api.operations import runs
from client_api.projector.run import STATEMENT_LIMIT_S
from client_api.web import server
from client_api.web.health import router
from mailer.episodes.intake import FLUSH_S
from mailer.settings import Settings as MailerSettings
from scorer.__main__ import STOP_LIMIT_S
from stack.places import ROOT
from tests.unit.deploy import dockerfiles, kustomized
from tests.unit.deploy.kustomized import OVERLAYS, Workload, ours, workloads

MI = 1024**2
UNITS = {"Mi": MI, "Gi": 1024 * MI}
OUR_USER = 10001

STOPS = {
    # Streams and requests; then the reader of Kafka and runs that people started.
    "client-api": server.STOP_LIMIT_S + kafka_feed.STOP_LIMIT_S + runs.STOP_LIMIT_S,
    "projector": STATEMENT_LIMIT_S,
    "cdc-relay": LIVE_LIMIT_S,
    "scorer": STOP_LIMIT_S,
    "mailer": MailerSettings.model_fields["stop_grace_s"].default + FLUSH_S,
}
"""How long each service may take to end, in seconds, by its own limits."""
PROBES = ("startup", "liveness", "readiness")
LEFT_OUT = {
    "client-api": {"issuer", "kafka"},
    "mailer": {"model", "delivery"},
}
"""What does not decide where requests go, by the names of the services' own checks."""

EACH = [(overlay, one.name) for overlay in OVERLAYS for one in workloads(overlay)]
EACH_OF_OURS = [(overlay, one.name) for overlay in OVERLAYS for one in ours(overlay)]
SERVING = [
    (overlay, one.name) for overlay in OVERLAYS for one in ours(overlay) if one.kind != "Job"
]


def find(overlay: str, name: str) -> Workload:
    """Return one workload."""
    (found,) = [one for one in workloads(overlay) if one.name == name]
    return found


def quantity(text: str) -> int:
    """Return an amount of memory in bytes."""
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", text).groups()
    return int(number) * UNITS[unit]


@pytest.mark.parametrize(("overlay", "name"), EACH)
def test_every_pod_is_as_the_restricted_standard_wants_it(overlay, name):
    """Nothing privileged, nobody root, no capability, no path of the node."""
    pod = find(overlay, name).pod

    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] >= 999
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    for volume in pod.get("volumes", []):
        kinds = {"emptyDir", "configMap", "secret", "projected"}
        assert set(volume) - {"name"} <= kinds, volume
    for container in find(overlay, name).containers:
        allowed = container["securityContext"]
        assert allowed["allowPrivilegeEscalation"] is False
        assert allowed["capabilities"] == {"drop": ["ALL"]}
        assert allowed["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_namespace_enforces_that_standard(overlay):
    """Whatever else somebody puts there must keep to it, too."""
    (namespace,) = kustomized.of_kind(overlay, "Namespace")

    labels = namespace["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(("overlay", "name"), EACH_OF_OURS)
def test_our_pods_run_as_the_user_of_our_images(overlay, name):
    """Volumes belong to the one who writes to them."""
    user = dockerfiles.read(dockerfiles.SERVICES).stage("runtime").all("USER")

    context = find(overlay, name).pod["securityContext"]
    assert user == [f"{context['runAsUser']}:{context['runAsGroup']}"]
    assert context["fsGroup"] == OUR_USER


@pytest.mark.parametrize(("overlay", "name"), EACH_OF_OURS)
def test_each_of_our_images_is_one_that_is_built(overlay, name):
    """A stage of the Dockerfile has the image's name."""
    stages = {stage.name for stage in dockerfiles.read(dockerfiles.SERVICES).stages}

    for container in find(overlay, name).containers:
        image = container["image"].rpartition("/")[2]
        assert re.split("[:@]", image)[0] in stages


@pytest.mark.parametrize(("overlay", "name"), EACH)
def test_memory_and_disk_are_bounded_and_processors_are_not(overlay, name):
    """A limit of CPU would only throttle."""
    for container in find(overlay, name).containers:
        limits, requests = (container["resources"][kind] for kind in ("limits", "requests"))
        assert set(limits) == {"memory", "ephemeral-storage"}
        assert set(requests) == {"cpu", "memory", "ephemeral-storage"}
        assert quantity(requests["memory"]) <= quantity(limits["memory"])


@pytest.mark.parametrize(
    ("name", "figure"),
    [("scorer", "memory_mb.scorer_1m_clients"), ("mailer", "memory_mb.mailer")],
)
def test_limits_of_memory_are_the_measured_budgets(name, figure):
    """docs/benchmarks.md has what was measured, and the target that the benchmark holds it to."""
    measured, budget = budget_of(figure)

    resources = find("overlays/prod", name).main["resources"]
    assert quantity(resources["requests"]["memory"]) >= measured
    assert budget <= quantity(resources["limits"]["memory"]) < 1.2 * budget


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("cdc-relay", "memory_mb.relay"),
        ("projector", "memory_mb.projector"),
        ("client-api", "memory_mb.client_api"),
    ],
)
def test_what_needs_little_has_its_budget_and_room_for_what_people_start(name, figure):
    """A what-if or a long transaction takes more than the load that was measured."""
    measured, budget = budget_of(figure)

    resources = find("overlays/prod", name).main["resources"]
    assert quantity(resources["requests"]["memory"]) >= measured
    assert quantity(resources["limits"]["memory"]) >= budget


def budget_of(figure):
    """Return what docs/benchmarks.md says was measured, and may be, in bytes."""
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    row = re.search(rf"^\| `{re.escape(figure)}` \| ([\d,]+) \| < ([\d,]+) \|", text, re.MULTILINE)
    return [int(number.replace(",", "")) * 10**6 for number in row.groups()]


@pytest.mark.parametrize(("overlay", "name"), EACH_OF_OURS)
def test_each_has_a_service_account_without_a_token(overlay, name):
    """Nothing of ours asks Kubernetes for anything."""
    if name == "topics":
        return
    account = kustomized.named(overlay, "ServiceAccount", name)

    assert find(overlay, name).pod["serviceAccountName"] == name
    assert account["automountServiceAccountToken"] is False


@pytest.mark.parametrize(("overlay", "name"), SERVING)
def test_probes_ask_what_the_service_serves(overlay, name):
    """Paths are the code's; ports are named, and have the number that the code is told."""
    container = find(overlay, name).main
    told = kustomized.literal(overlay, container)
    ports = {one["name"]: str(one["containerPort"]) for one in container["ports"]}
    asked = "http" if name == "client-api" else "health"

    assert ports["health"] == told["HEALTH_PORT"]
    if name == "client-api":
        assert ports["http"] == told["HTTP_PORT"]
        assert {route.path for route in router.routes} == {"/livez", "/readyz"}
    for kind, path in {"livenessProbe": "/livez", "readinessProbe": "/readyz"}.items():
        assert container[kind]["httpGet"]["port"] == asked
        assert urlsplit(container[kind]["httpGet"]["path"]).path == path
    # Only the scorer is not ready for long on purpose: while it recovers its rows.
    started = "/readyz" if name == "scorer" else "/livez"
    assert container["startupProbe"]["httpGet"] == {"path": started, "port": asked}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_probes_depend_on_nothing_outside_the_cluster(overlay):
    """A model, a mail server or an issuer that is away takes no pod out and holds up no rollout;
    nor does Kafka close the API, whose requests need Postgres alone.
    """
    for name, container in ((one.name, one.main) for one in ours(overlay) if one.kind != "Job"):
        asked = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in PROBES}
        left_out = {kind: parse_qs(urlsplit(path).query) for kind, path in asked.items()}
        assert set(left_out["readiness"].get("exclude", [])) == LEFT_OUT.get(name, set())
        assert not left_out["liveness"]
        assert not left_out["startup"]


def test_whoever_speaks_to_the_outside_has_probes_that_leave_it_out():
    """The table of who speaks to whom knows all who do."""
    table = (ROOT / "deploy" / "k8s" / "network.md").read_text()

    speakers = set(re.findall(r"^\| ([\w-]+) \| outside \|", table, re.MULTILINE))
    assert speakers == set(LEFT_OUT)


def test_a_scorer_may_recover_for_long():
    """Ten million clients at the measured rate take a fifth of what it is given."""
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    rate = re.search(r"^\| `recovery.clients_per_s` [^|]*\| ([\d,]+) \|", text, re.MULTILINE)
    probe = find("overlays/prod", "scorer").main["startupProbe"]

    limit_s = probe["periodSeconds"] * probe["failureThreshold"]
    assert limit_s >= 5 * 10_000_000 / int(rate[1].replace(",", ""))


@pytest.mark.parametrize(("overlay", "name"), SERVING)
def test_a_pod_is_killed_only_after_all_that_the_code_may_take_to_stop(overlay, name):
    """The time before the end counts from the beginning of preStop."""
    workload = find(overlay, name)
    before: dict[str, Any] = workload.main.get("lifecycle", {}).get("preStop", {})

    sleep_s = before.get("sleep", {}).get("seconds", 0)
    assert workload.pod["terminationGracePeriodSeconds"] >= sleep_s + STOPS[name] + 10
    # Only who is sent requests must wait until nobody sends them any more.
    assert bool(sleep_s) == (name == "client-api")


@pytest.mark.parametrize(("overlay", "name"), SERVING)
def test_a_node_can_be_drained_of_one_pod_at_a_time(overlay, name):
    """Each has a budget, which never keeps a broken pod where it is."""
    budget = kustomized.named(overlay, "PodDisruptionBudget", name)["spec"]

    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    selected = budget["selector"]["matchLabels"]
    assert selected.items() <= find(overlay, name).labels.items()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_select_their_own_pods_and_no_others(overlay):
    """Workloads and services: a label that fits two would mix them up."""
    all_labels = {one.name: one.labels for one in workloads(overlay)}

    def selected(labels: dict[str, str]) -> set[str]:
        return {name for name, has in all_labels.items() if labels.items() <= has.items()}

    for one in workloads(overlay):
        if one.kind != "Job":
            assert selected(one.document["spec"]["selector"]["matchLabels"]) == {one.name}
    for service in kustomized.of_kind(overlay, "Service"):
        (target,) = selected(service["spec"]["selector"])
        ports = {port["name"] for port in find(overlay, target).main["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_pods_of_more_than_one_are_spread_over_zones():
    """Nothing waits for a zone to come back: it is a wish."""
    for workload in ours("overlays/prod"):
        if workload.kind == "Job" or workload.name == "cdc-relay":
            continue
        for one in workload.pod["topologySpreadConstraints"]:
            assert one["whenUnsatisfiable"] == "ScheduleAnyway"
            assert one["labelSelector"]["matchLabels"].items() <= workload.labels.items()
            # A Deployment's new pods are spread among themselves, not among those that go.
            per_version = one.get("matchLabelKeys") == ["pod-template-hash"]
            assert per_version == (workload.kind == "Deployment")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_there_is_never_more_than_one_relay(overlay):
    """The next one begins when the last has ended."""
    relay = find(overlay, "cdc-relay").document["spec"]

    assert relay["replicas"] == 1
    assert relay["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_scorer_comes_back_under_its_name_to_its_volume(overlay):
    """Static membership by the pod's name; rows on a volume that goes with the worker."""
    scorer = find(overlay, "scorer")
    spec, told = scorer.document["spec"], kustomized.literal(overlay, scorer.main)
    (claim,) = spec["volumeClaimTemplates"]
    mounted = {one["name"]: one["mountPath"] for one in scorer.main["volumeMounts"]}
    by_name = [one for one in scorer.main["env"] if one["name"] == "SCORER_INSTANCE_ID"]

    assert scorer.kind == "StatefulSet"
    assert spec["podManagementPolicy"] == "Parallel"
    assert by_name[0]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert mounted[claim["metadata"]["name"]] == told["SCORER_DATA_DIR"]
    # The changelog is the truth: a volume that nobody uses is not kept.
    assert set(spec["persistentVolumeClaimRetentionPolicy"].values()) == {"Delete"}
