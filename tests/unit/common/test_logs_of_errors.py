"""A crash says what happened and where, and never what an error's text quotes."""

import json
import subprocess
import sys

CANARY = "Kanarella"
PROGRAM = f"""
import asyncio, logging
from common.errors import Transient
from common.logs import configure

log = configure("test", "INFO")

def refuse():
    secret = "{CANARY}-local"
    raise ValueError("Failing row contains ({CANARY}, 7)")

try:
    refuse()
except ValueError as error:
    log.exception("ours")
    logging.getLogger("foreign").exception("foreign")
    try:
        raise Transient("the_reason", "the detail") from error
    except Transient:
        log.exception("chained")

async def group():
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.to_thread(refuse))

try:
    asyncio.run(group())
except ExceptionGroup:
    log.exception("grouped")
error = KeyError("{CANARY}")
error.add_note("{CANARY}")
raise error
"""

OURS = f"""
import asyncpg
from confluent_kafka import KafkaError, KafkaException
from common.logs import configure
from engage.frame import Failed
from mailer.episodes.states import IllegalTransition

log = configure("test", "INFO")

class Late(Failed):
    pass

# A foreign class may bear the name of one of ours.
Transient = type("Transient", (Exception,), {{"__module__": "foreign"}})
refused = asyncpg.UniqueViolationError("Key ({CANARY}) already exists")
for error in (
    Late("ours, at one remove"),
    IllegalTransition("ours"),
    Transient("{CANARY}"),
    refused,
    KafkaException(KafkaError(KafkaError._TIMED_OUT, "{CANARY}")),
    RuntimeError("{CANARY}"),
    ExceptionGroup("{CANARY}", [ValueError("{CANARY}"), Failed("ours, in a group")]),
):
    try:
        raise error from (refused if isinstance(error, Late) else None)
    except Exception:
        log.exception("one")
"""


def test_texts_of_our_own_errors_and_foreign_codes_are_kept():
    """By where the class is defined, not by its name; of Kafka and Postgres the code stays."""
    done = subprocess.run(
        [sys.executable, "-c", OURS], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stderr + done.stdout
    late, illegal, foreign, refused, kafka, odd, group = (
        json.loads(line)["exception"] for line in done.stderr.splitlines()
    )
    assert late[0]["exc_value"] == "ours, at one remove"
    assert illegal[0]["exc_value"] == "ours"
    assert "exc_value" not in foreign[0]
    assert refused[0]["code"] == "23505"
    assert kafka[0]["code"] == "_TIMED_OUT"
    assert odd[0].keys().isdisjoint({"exc_value", "code"})
    assert "exc_value" not in group[0]["exceptions"][0][0]
    assert group[0]["exceptions"][1][0]["exc_value"] == "ours, in a group"


def test_errors_are_logged_without_their_texts():
    """Logged, grouped, chained or uncaught: type and place are told, foreign texts are not."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert CANARY not in done.stderr + done.stdout
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["ours", "foreign", "chained", "grouped", "crashed"]
    kinds = [line["exception"][0]["exc_type"] for line in lines]
    assert kinds == ["ValueError", "ValueError", "Transient", "ExceptionGroup", "KeyError"]
    assert "the detail" in lines[2]["exception"][0]["exc_value"]
    inner = lines[3]["exception"][0]["exceptions"][0][0]
    assert inner["exc_type"] == "ValueError"
    assert inner["frames"][-1]["name"] == "refuse"
