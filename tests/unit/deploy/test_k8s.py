"""Every overlay and combination of components builds, and is what Kubernetes and operators take."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from deploy import schemas, tools
from tests.unit.deploy import kustomized
from tests.unit.deploy.kustomized import COMBINATIONS, CRDS, LIMIT_S, OVERLAYS

EVERYTHING = (*OVERLAYS, *COMBINATIONS)

BUILT_IN = (
    *("configmap-v1", "namespace-v1", "secret-v1", "service-v1", "serviceaccount-v1"),
    *("deployment-apps-v1", "statefulset-apps-v1", "job-batch-v1"),
    *("networkpolicy-networking-v1", "poddisruptionbudget-policy-v1"),
)

ALLOWED = {
    "container-resources": "no limits on CPU: they throttle who could use what lies idle",
    "container-image-pull-policy": "images are named by digest, so what is there is the right one",
    "deployment-has-host-podantiaffinity": "topology spread says it better",
    "statefulset-has-host-podantiaffinity": "topology spread says it better",
    "deployment-replicas": "KEDA says how many in production, and development has one of each",
    "networkpolicy-targets-pod": "the pods of Postgres and Connect are made by operators",
}
"""What kube-score finds and we mean, with the reason."""
ALLOWED_IN_DEVELOPMENT = {
    "pod-networkpolicy": "policies are a component; a cluster for development may not enforce them",
}
ALLOWED_IN_TESTS = {
    "container-security-context-user-group-id": "official images have users of their own",
    "deployment-strategy": "one Connect at a time: two would run one connector",
    "pod-probes": "a broker that cannot go on ends; its port alone says no more than its readiness",
}
ALLOWED_UNRELEASED = {
    "container-image-tag": "a release names images; components put together have none",
}
SCORED = {
    "overlays/prod": ALLOWED,
    "overlays/dev": ALLOWED | ALLOWED_IN_DEVELOPMENT,
    "overlays/test": ALLOWED | ALLOWED_IN_DEVELOPMENT | ALLOWED_IN_TESTS,
    "tests/all": ALLOWED | ALLOWED_UNRELEASED,
}
"""What is let pass in each overlay, and where all components stand together."""


OPERATORS = frozenset(
    {
        "external-secrets.io",
        "gateway.networking.k8s.io",
        "kafka.strimzi.io",
        "keda.sh",
        "monitoring.coreos.com",
        "postgresql.cnpg.io",
    }
)
"""The groups whose schemas a cluster gets with its operators, and this repository does not have."""


@pytest.fixture(scope="session")
def built_in(tmp_path_factory) -> Path:
    """A folder of strict schemas of Kubernetes' own kinds."""
    return _written(tmp_path_factory, schemas.built_in(tools.schemas(), BUILT_IN))


@pytest.fixture(scope="session")
def operators(tmp_path_factory) -> Path:
    """A folder of strict schemas of the operators' kinds."""
    if not CRDS.is_dir():
        lacking = pytest.fail if "DEPLOY_CRDS" in os.environ else pytest.skip
        lacking(
            f"no custom resource definitions in {CRDS}: fetch them by `make deploy-crds`, or name a"
            " folder by DEPLOY_CRDS that was filled by `kubectl get crds --output yaml >"
            " FOLDER/crds.yaml` on a cluster that has the operators of deploy/k8s/README.md"
        )
    return _written(tmp_path_factory, schemas.custom(schemas.definitions_in(CRDS)))


def _written(factory: pytest.TempPathFactory, found: Iterator[tuple[str, schemas.Schema]]) -> Path:
    folder = factory.mktemp("schemas")
    for name, schema in found:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(schema))
    return folder


def of_operators(kustomization: str, *, theirs: bool) -> str:
    """Return the documents of a kustomization whose kinds are operators', or all others."""
    return yaml.safe_dump_all(
        one
        for one in kustomized.documents(kustomization)
        if (one["apiVersion"].rpartition("/")[0] in OPERATORS) is theirs
    )


def conform(folder: Path, text: str) -> list[str]:
    """Return what kubeconform finds wrong, one line each."""
    places = (
        f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
        f"{folder}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
    )
    named = [word for place in places for word in ("-schema-location", place)]
    done = subprocess.run(
        [tools.tool("kubeconform"), "-strict", "-output", "json", *named],
        input=text,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert not done.stderr, done.stderr
    return [
        f"{one['kind']} {one['name']}: {one['msg']}"
        for one in json.loads(done.stdout)["resources"] or []
    ]


@pytest.mark.parametrize("kustomization", EVERYTHING)
def test_it_builds_and_fits_strict_schemas(kustomization, built_in):
    """A field that no schema names is an error, and so is a kind that has none."""
    assert conform(built_in, of_operators(kustomization, theirs=False)) == []


@pytest.mark.parametrize("kustomization", EVERYTHING)
def test_what_operators_are_asked_for_fits_their_strict_schemas(kustomization, operators):
    """The same for their kinds, in the versions that deploy/k8s/README.md names."""
    assert conform(operators, of_operators(kustomization, theirs=True)) == []


def test_a_misspelt_field_does_not_fit(built_in):
    """The check would notice."""
    text = of_operators("overlays/prod", theirs=False)
    broken = text.replace("terminationGracePeriodSeconds:", "terminationGraceSeconds:", 1)
    assert any("terminationGraceSeconds" in one for one in conform(built_in, broken))


def test_a_misspelt_field_of_an_operators_kind_does_not_fit(operators):
    """The check would notice there, too."""
    broken = of_operators("overlays/prod", theirs=True).replace("tasksMax:", "taskMax:", 1)
    assert any("taskMax" in one for one in conform(operators, broken))


@pytest.mark.parametrize("kustomization", EVERYTHING)
def test_no_document_stands_there_twice(kustomization):
    """Two of one name would overwrite each other."""
    names = Counter(
        (one["apiVersion"], one["kind"], one["metadata"]["name"])
        for one in kustomized.documents(kustomization)
    )

    assert [name for name, number in names.items() if number > 1] == []


@pytest.mark.parametrize("kustomization", EVERYTHING)
def test_everything_lies_in_one_namespace(kustomization):
    """Nothing strays into whatever namespace kubectl happens to be in."""
    places = {
        one["metadata"].get("namespace")
        for one in kustomized.documents(kustomization)
        if one["kind"] != "Namespace"
    }

    assert len(places) == 1
    assert None not in places


@cache
def findings(overlay: str) -> dict[str, list[str]]:
    """Return what kube-score finds fault with, by the check's name."""
    done = subprocess.run(
        [
            *(tools.tool("kube-score"), "score", "--kubernetes-version", "v1.36"),
            *("--output-format", "json", "-"),
        ],
        input=kustomized.text(overlay),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    found: dict[str, list[str]] = {}
    for document in json.loads(done.stdout):
        for check in document["checks"] or []:
            if not check["skipped"] and check["grade"] < 10:
                said = [one["summary"] for one in check["comments"] or []]
                where = f"{document['object_name']}: {'; '.join(said)}"
                found.setdefault(check["check"]["id"], []).append(where)
    return found


@pytest.mark.parametrize("overlay", SCORED)
def test_kube_score_finds_nothing_but_what_is_meant(overlay):
    """Each finding that is let pass has a reason."""
    found = findings(overlay)
    assert {name: said for name, said in found.items() if name not in SCORED[overlay]} == {}


def test_whatever_is_let_pass_is_still_found():
    """An exception that nobody needs any more goes."""
    found = {name for overlay in SCORED for name in findings(overlay)}
    assert found == {name for allowed in SCORED.values() for name in allowed}


def test_of_the_cpu_only_the_limit_is_missing():
    """The check that is let pass judges all of a container's resources at once."""
    for overlay in ("overlays/prod", "overlays/dev"):
        said = [
            part for one in findings(overlay)["container-resources"] for part in one.split(": ")[1:]
        ]
        assert {words for part in said for words in part.split("; ")} == {"CPU limit is not set"}
