"""The component by which the scorer's next generation is made and announced on Kubernetes."""

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from common.settings import ServiceSettings
from common.topics import group_of
from deploy import schemas, tools
from deploy.manifests.access import grants
from deploy.manifests.topics import FIRST_GENERATION
from engage.__main__ import app
from engage.rebuild_generation import WRITER
from scorer.settings import Settings as ScorerSettings
from stack.places import ROOT
from tests.deploy import guides
from tests.deploy.k8s.rebuilding import KINDS
from tests.unit.deploy import kustomized, test_k8s_network
from tests.unit.deploy.kustomized import SOURCE, Workload, named, values
from tests.unit.deploy.test_k8s_network import End

MADE = "tests/network-policies+rebuild"
GUIDE = ROOT / "docs" / "operations" / "README.md"
PODS = {"scorer-next": "StatefulSet", "rebuild": "Job"}


def workload(name: str) -> Workload:
    """Return one of the two, or another of theirs."""
    return Workload(named(MADE, PODS.get(name, "StatefulSet"), name))


def files(name: str) -> set[str]:
    """Return whose certificates a pod sees."""
    return {one["secret"]["name"] for all_ in values(workload(name).pod, "sources") for one in all_}


def test_the_next_generation_is_the_scorer_s_plus_one():
    """After a rebuild the scorer has the new number, and the component the one after it."""
    told = {name: kustomized.literal(MADE, workload(name).main) for name in ("scorer", *PODS)}

    assert int(told["scorer-next"]["GENERATION"]) == int(told["scorer"]["GENERATION"]) + 1
    different = {"GENERATION"}
    assert {n: v for n, v in told["scorer-next"].items() if n not in different} == {
        n: v for n, v in told["scorer"].items() if n not in different
    }
    assert set(told["scorer-next"]) <= {
        one.upper() for cls in (ScorerSettings, ServiceSettings) for one in cls.model_fields
    }


def test_every_cluster_begins_with_the_first_generation():
    """A later one would stay silent where nobody has announced it."""
    for kustomization in (*kustomized.OVERLAYS, MADE):
        scorer = Workload(named(kustomization, "StatefulSet", "scorer"))
        begins = int(kustomized.literal(kustomization, scorer.main)["GENERATION"])
        assert begins == FIRST_GENERATION or kustomization == "overlays/prod", kustomization


def commands(*beginnings: str) -> list[str]:
    """Return the commands of the guide's section that begin so."""
    blocks = guides.blocks(GUIDE, "A new generation")
    lines = [line for block in blocks for line in block.replace("\\\n", "").splitlines()]
    return [line for line in lines if line.startswith(beginnings)]


def test_the_guide_s_commands_name_the_next_generation_for_one_cluster(tmp_path: Path):
    """After a first rebuild, in the midst of the second: numbers and groups go together."""
    target = tmp_path / "deploy" / "k8s"
    shutil.copytree(kustomized.copy(), target)
    edits = commands("sed ", "(cd deploy/k8s/overlays/prod && kustomize edit")
    assert len(edits) == 4
    environment = {"PATH": f"{tools.tool('kustomize').parent}:{os.environ['PATH']}"}
    for line in edits:
        subprocess.run(line, shell=True, cwd=tmp_path, env=environment, check=True)  # noqa: S602 - the guide's own

    prod = target / "overlays" / "prod"
    built = subprocess.run(
        [tools.tool("kustomize"), "build", prod], capture_output=True, text=True, check=True
    ).stdout
    documents = list(yaml.load_all(built, Loader=schemas.LOADER))
    numbers = {
        one["metadata"]["name"].rpartition("-")[0]: one["data"]["GENERATION"]
        for one in documents
        if one["kind"] == "ConfigMap" and "GENERATION" in one.get("data", {})
    }
    assert numbers == {"scorer": "2", "scorer-next": "3"}
    (scaled,) = [
        one
        for one in documents
        if (one["kind"], one["metadata"]["name"]) == ("ScaledObject", "scorer")
    ]
    groups = {trigger["metadata"]["consumerGroup"] for trigger in scaled["spec"]["triggers"]}
    assert groups == {group_of(2)}
    for folder in ("base", "components"):
        for file in (SOURCE / folder).rglob("*.yaml"):
            assert (target / file.relative_to(SOURCE)).read_text() == file.read_text(), file


def test_the_guide_s_last_command_removes_all_that_came():
    """It names every kind of the component; what it cannot pick would be left behind."""
    (line,) = commands("kubectl -n engage delete")
    named_kinds = set(line.split()[4].split(","))
    short = {"PodDisruptionBudget": "pdb"}
    came = {
        short.get(one["kind"], one["kind"].lower())
        for one in kustomized.documents(MADE)
        if one["metadata"].get("labels", {}).get("app.kubernetes.io/component") == "rebuild"
    }

    assert named_kinds == came
    assert line.split()[4] == KINDS


def test_the_next_generation_is_run_as_the_scorer_is():
    """But for its name, its labels and what its probes wait for, nothing is another."""
    present, following = workload("scorer"), workload("scorer-next")

    for part in ("securityContext", "terminationGracePeriodSeconds", "volumes"):
        assert following.pod[part] == present.pod[part], part
    for part in ("image", "ports", "resources", "securityContext"):
        assert following.main[part] == present.main[part], part
    mounts = [
        sorted(one.main["volumeMounts"], key=lambda mount: mount["name"])
        for one in (present, following)
    ]
    assert mounts[0] == mounts[1]
    claims = [one.document["spec"]["volumeClaimTemplates"] for one in (present, following)]
    assert claims[0] == claims[1]


def test_a_generation_that_is_not_announced_is_neither_killed_nor_waited_for():
    """It is silent on purpose, and says so under `generation`."""
    main = workload("scorer-next").main

    asked = {kind: main[kind]["httpGet"]["path"] for kind in ("startupProbe", "livenessProbe")}
    assert set(asked.values()) == {"/livez"}
    assert main["readinessProbe"]["httpGet"]["path"] == "/readyz?exclude=generation"


def test_whoever_announces_is_the_user_who_may():
    """The workers show the scorer's certificate, the job that of the operators."""
    may = {grant.name for grant in grants()["engage"] if grant.kind == "transactionalId"}

    assert WRITER in may
    assert files("rebuild") == {"engage-cluster-ca-cert", "kafka-engage"}
    assert files("scorer-next") == {"engage-cluster-ca-cert", "kafka-scorer"}
    for name in files("rebuild") | files("scorer-next"):
        assert name == "engage-cluster-ca-cert" or named(MADE, "KafkaUser", name)


def test_the_job_says_what_the_command_line_knows():
    """No option is misspelt, and nobody is asked."""
    main = workload("rebuild").main

    assert main["command"] == ["python", "-m", "engage"]
    done = CliRunner().invoke(app, [*main["args"], "--help"])
    assert done.exit_code == 0, done.output
    assert {"--no-workers", "--yes"} <= set(main["args"])


@pytest.mark.parametrize("name", PODS)
def test_everything_of_a_rebuild_can_be_picked_and_is_restricted(name):
    """One label applies it and takes it away; pods keep to the namespace's standard."""
    for one in kustomized.documents(MADE):
        if one["metadata"]["name"].startswith(tuple(PODS)):
            assert one["metadata"]["labels"]["app.kubernetes.io/component"] == "rebuild", one
    pod, main = workload(name).pod, workload(name).main
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert main["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert main["securityContext"]["readOnlyRootFilesystem"] is True


def test_both_reach_the_brokers_and_nobody_else():
    """The listener lets them in, and their policies let them out."""
    (kafka,) = kustomized.of_kind(MADE, "Kafka")
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    policies = [one["spec"] for one in kustomized.of_kind(MADE, "NetworkPolicy")]
    broker, postgres = test_k8s_network.OPERATED[0], test_k8s_network.OPERATED[2]

    for name in PODS:
        end = End(name, workload(name).labels)
        out = partial(
            test_k8s_network.may, test_k8s_network.chosen(policies, end, "Egress"), "Egress"
        )
        assert any(test_k8s_network.is_peer(one, end) for one in listener["networkPolicyPeers"])
        assert out(broker, listener["port"])
        assert not out(postgres, 5432)
        into = test_k8s_network.chosen(policies, end, "Ingress")
        assert into
        assert not test_k8s_network.may(into, "Ingress", End("x"), 8080)
