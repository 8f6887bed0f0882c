"""The events as contracts: generated, current, and never changed so that a reader breaks."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest

from common.codec import decode
from common.contracts import ON_TOPIC, differences, documents, render, schema_of, write
from common.errors import PoisonMessage
from common.events import TYPES
from common.topics import TOPICS

CONTRACTS = Path(__file__).parents[3] / "contracts"
EXAMPLES = sorted((CONTRACTS / "examples").glob("*/*.json"))


@pytest.mark.parametrize("path", sorted(documents()))
def test_the_committed_contract_is_current(path):
    """What is committed is what the models generate: run ``make contracts`` after a change."""
    assert (CONTRACTS / path).read_text() == render(documents()[path])


def test_every_type_has_a_topic_and_an_example():
    """No event type is without a place in the flow or without an example to read."""
    assert {name for names in ON_TOPIC.values() for name in names} == set(TYPES)
    assert {path.parent.name for path in EXAMPLES} == set(TYPES)
    assert set(ON_TOPIC) <= {topic.name for topic in TOPICS}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_example_can_be_read(path):
    """Each committed example, once written, stays readable and true to its schema."""
    raw = path.read_bytes()
    event = decode(raw)
    assert event.type == path.parent.name
    jsonschema.validate(json.loads(raw), schema_of(event.type))


# What the committed schema must have said for today's to be a breaking change.
BREAKS = {
    "a field was removed": lambda data: data["properties"].update(colour={"type": "string"}),
    "a type changed": lambda data: data["properties"].update(version={"type": "string"}),
    "a field became required": lambda data: data["required"].remove("version"),
    "a field is no longer required": lambda data: data["required"].append("origin"),
}


@pytest.mark.parametrize("kind", BREAKS)
def test_a_breaking_change_is_refused(kind, tmp_path, capsys):
    """A change that old readers or old records could not bear is named and not written."""
    target = tmp_path / "events" / "order.changed.v1.schema.json"
    target.parent.mkdir()
    old = schema_of("order.changed.v1")
    BREAKS[kind](old["$defs"]["OrderChanged"])
    target.write_text(render(old))
    assert write(tmp_path) == 1
    assert "order.changed.v1" in capsys.readouterr().err
    assert target.read_text() == render(old)


def test_a_new_optional_field_is_fine():
    """Events may gain optional fields, and prose may change."""
    old = schema_of("order.changed.v1")
    new = copy.deepcopy(old)
    new["$defs"]["OrderChanged"]["properties"]["colour"] = {"type": "string"}
    new["description"] = "said better"
    assert differences(old, new) == []


def test_a_closed_document_may_not_grow():
    """A policy with a rule that old readers do not know is a new version of the type."""
    old = schema_of("policy.published.v1")
    new = copy.deepcopy(old)
    new["$defs"]["Policy"]["properties"]["mood"] = {"type": "string"}
    assert differences(old, new) == ["Policy: old readers refuse the new fields ['mood']"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "empty"),
        (b"", "not_an_event"),
        (b"\xff\xfe", "not_an_event"),
        (b"[]", "not_an_event"),
        (b'{"type": "order.changed.v9"}', "unknown_type"),
        (b'{"type": "order.changed.v1"}', "invalid"),
    ],
)
def test_what_is_no_event_is_poison(raw, reason):
    """Bytes that are no known event are parked with a reason, never guessed at."""
    with pytest.raises(PoisonMessage) as caught:
        decode(raw)
    assert caught.value.reason == reason


def test_a_poison_reason_does_not_repeat_the_input():
    """What is wrong is told without the value, which may be personal."""
    event = json.loads((CONTRACTS / "examples/order.changed.v1/placed.json").read_text())
    event["data"]["currency"] = "Anna Secret"
    with pytest.raises(PoisonMessage) as caught:
        decode(json.dumps(event).encode())
    assert "Anna" not in str(caught.value)
    assert "currency" in str(caught.value)
