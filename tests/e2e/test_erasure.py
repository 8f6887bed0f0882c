"""A client who is erased is gone from every place, and nothing done again brings it back."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)

from stack.launcher import Stack
from tests.e2e import books
from tests.e2e.operating import engage
from tests.e2e.traces import Canaries, in_postgres, on_topics
from tests.e2e.waiting import wait_for

ADA, BOB, EVE = 420_001, 420_002, 420_003
"""Who is erased first; who stays; who is erased later."""
WORDS = ("zyxwila", "quorbital", "zyx@canary.example", "kanarienweg", "+49555010203", "wobbletag")
EDITED = "kanariensatz"
CATEGORY = "snurfware"
AMOUNTS = ("739184.17", "864293.51", "517392.86", "628471.93")
EVES = ("395817.42", "471928.63")
LIMIT_S = 180.0
WHEN_NEVER = "12000-01-01Z"
"""A moment that Postgres holds and no event can name: its order is parked by the relay."""
POLICY = {"holdout_percent": 0, "auto_approve": False, "hold_after_days": 365}
QUICK_COMPACTION = {
    "min.compaction.lag.ms": "0",
    "segment.ms": "1000",
    "min.cleanable.dirty.ratio": "0.001",
    "delete.retention.ms": "60000",
}

pytestmark = pytest.mark.timeout(1_200)


def create(http: httpx.Client, path: str, **body: object) -> Any:
    """Create something that must be accepted."""
    answer = http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def days_ago(days: float) -> str:
    """Return a moment so many days ago."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def write(stack: Stack, topic: str, key: bytes, value: bytes) -> None:
    """Write a record as a broken writer would, to the partition of its client."""
    producer = Producer(
        {"bootstrap.servers": stack.place.bootstrap_servers, "partitioner": "murmur2_random"}
    )
    # The partition is that of the client's id alone, which a record of the client tells.
    client = key.split(b"/")[0]
    [partition, *_] = [
        message.partition()
        for message in books.read(stack, "client.events")
        if (message.key() or b"").split(b"/")[0] == client
    ]
    producer.produce(topic, value, key, partition)
    assert producer.flush(30) == 0


def letters(stack: Stack, source: str) -> list[tuple[bytes | None, bytes | None, bytes]]:
    """Return key, value and reason of the dead letters of a topic."""
    return [
        (m.key(), m.value(), dict(m.headers())["reason"])
        for m in books.read(stack, f"{source}.dlq", partitions=1)
    ]


def poison(stack: Stack, client: int, mark: str) -> None:
    """Have a record of a client parked by each reader."""
    broken = json.dumps({"data": {"client_id": client, "amount": mark}}).encode()
    before = [len(letters(stack, topic)) for topic in PARKED]
    books.execute(
        stack,
        "INSERT INTO orders (client_id, ordered_at, amount)"
        f" VALUES ({client}, '{WHEN_NEVER}', {mark})",
    )
    write(stack, "client.events", b"%d/order/999999" % client, broken)
    write(stack, "client.at-risk", b"%d" % client, broken)
    write(stack, "client.scores", b"%d" % client, broken)

    def parked() -> bool | None:
        now = [len(letters(stack, topic)) for topic in PARKED]
        return True if all(a > b for a, b in zip(now, before, strict=True)) else None

    wait_for("all is parked", parked, LIMIT_S)


PARKED = ("cdc.public.orders", "client.events", "client.at-risk", "client.scores")


def draft_of(stack: Stack, http: httpx.Client, client: int) -> Any:
    """Wait until a draft lies before a person; return it."""

    def look() -> Any:
        stack.parts.check()
        found = http.get("/api/emails", params={"client_id": client}).json()["items"]
        return found[0] if found and found[0]["state"] == "draft" else None

    return wait_for("a draft", look, LIMIT_S)


def audit_of(stack: Stack, client: int) -> list[Any]:
    """Return the entries of the audit about a client, oldest first."""
    return books.select(
        stack,
        f"SELECT actor, action, detail FROM audit WHERE subject = 'client/{client}'"
        " AND action LIKE 'client.eras%' ORDER BY id",
    )


def verified(stack: Stack, client: int) -> Any:
    """Wait until an erasure is finished and verified; return what the audit says."""

    def look() -> Any:
        stack.parts.check()
        found = audit_of(stack, client)
        done = found and found[-1]["action"] == "client.erasure.verified"
        return json.loads(found[-1]["detail"]) if done else None

    return wait_for("the erasure is verified", look, LIMIT_S)


def assert_no_trace(stack: Stack, canaries: Canaries) -> None:
    """Look into every table and every topic."""
    assert in_postgres(stack, canaries) == []
    assert on_topics(stack, canaries) == []


def _of_bob(letter: tuple[bytes | None, bytes | None, bytes]) -> bool:
    return any(str(BOB).encode() in (part or b"") for part in letter[:2])


def refused(stack: Stack, *words: str) -> int:
    """Run a command of ``engage`` that is refused; return its exit code."""
    state = str(stack.folder / "state.json")
    done = subprocess.run(
        [sys.executable, "-m", "engage", *words, "--stack-file", state],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode


@contextmanager
def rebuilding(stack: Stack, folder: Path) -> Iterator[Any]:
    """Rebuild the scorer's table, and let the new generation's worker run until the block ends."""
    out = folder / "rebuild.json"
    with out.open("wb") as writing:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "engage", "rebuild", "--yes", "--json"),
                *("--data-dir", str(folder / "rebuilt")),
                *("--stack-file", str(stack.folder / "state.json")),
            ],
            stdout=writing,
        )
    try:

        def done() -> Any:
            assert process.poll() is None, "the rebuild ended"
            text = out.read_text()
            return json.loads(text) if text.endswith("\n") else None

        yield wait_for("the rebuild", done, 2 * LIMIT_S)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def assert_compaction_ends_it(stack: Stack, *clients: Canaries) -> None:
    """Where brokers compact at once, older records of the erased are gone from both lanes, too."""
    admin = AdminClient({"bootstrap.servers": stack.place.bootstrap_servers})
    change = [
        ConfigResource(
            ConfigResource.Type.TOPIC,
            lane,
            incremental_configs=[
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                for name, value in QUICK_COMPACTION.items()
            ],
        )
        for lane in books.LANES
    ]
    for future in admin.incremental_alter_configs(change).values():
        future.result(20)
    traces = [canary for some in clients for canary in some.raw]
    assert any(
        canary in (m.value() or b"") for m in books.read(stack, *books.LANES) for canary in traces
    )

    def gone() -> bool | None:
        # Something must be written behind what is to be compacted: a segment ends by a new record.
        producer = Producer({"bootstrap.servers": stack.place.bootstrap_servers})
        for lane in books.LANES:
            for partition in range(stack.place.partitions):
                producer.produce(lane, None, b"0/client", partition)
        assert producer.flush(30) == 0
        time.sleep(1.5)
        left = [
            canary
            for message in books.read(stack, *books.LANES)
            for canary in traces
            if canary in (message.value() or b"")
        ]
        return None if left else True

    wait_for("the brokers have compacted", gone, LIMIT_S)


def read_from_the_beginning(
    stack: Stack, part: str, group: str, places: list[TopicPartition]
) -> None:
    """Have a reader read everything anew, as after lost offsets."""
    stack.parts.stop_one(part)
    admin = AdminClient({"bootstrap.servers": stack.place.bootstrap_servers})

    def reset() -> bool | None:
        asked = ConsumerGroupTopicPartitions(group, places)
        try:
            admin.alter_consumer_group_offsets([asked])[group].result(20)
        except (KafkaException, TimeoutError) as error:  # refused until its members are forgotten
            print(f"not yet: {error}")
            return None
        return True

    wait_for(f"the offsets of {group} are reset", reset, LIMIT_S)
    stack.parts.restart(part)


def filled(http: httpx.Client) -> None:
    """Make three clients with orders; of two, one order moves from each to the other."""
    create(
        http,
        "/api/clients",
        id=ADA,
        first_name="Zyxwila",
        surname="Quorbital",
        email=WORDS[2],
        address=WORDS[3],
        phone=WORDS[4],
        style_tags=[WORDS[5]],
    )
    for other in (BOB, EVE):
        create(http, "/api/clients", id=other, first_name="Edge")
        create(http, "/api/orders", client_id=other, amount="20.00", ordered_at=days_ago(9))
    for client, amounts in ((ADA, AMOUNTS[:2]), (EVE, EVES)):
        for amount, age in zip(amounts, (170, 155), strict=True):
            body = {"client_id": client, "amount": amount, "ordered_at": days_ago(age)}
            create(http, "/api/orders", **body, category=CATEGORY if client == ADA else "x")
    given = create(http, "/api/orders", client_id=ADA, amount="20.00", ordered_at=days_ago(165))
    taken = create(http, "/api/orders", client_id=BOB, amount=AMOUNTS[2], ordered_at=days_ago(160))
    for order, to in ((given, BOB), (taken, ADA)):
        answer = http.patch(f"/api/orders/{order['id']}", json={"client_id": to})
        assert answer.status_code == 200, answer.text


def edited_draft(stack: Stack, http: httpx.Client) -> dict[str, Any]:
    """Wait for her draft, edit it, and return the decision once it is applied."""
    draft = draft_of(stack, http, ADA)
    detail = http.get(f"/api/emails/{draft['episode_id']}").json()["email"]
    edit = {
        "episode_id": draft["episode_id"],
        "action": "edit",
        "draft_hash": detail["draft_hash"],
        "payload": {"subject": detail["subject"], "body": f"{detail['body']}\n{EDITED}."},
    }
    create(http, "/api/decisions", **edit)

    def edited() -> bool | None:
        found = http.get(f"/api/emails/{draft['episode_id']}").json()
        return True if EDITED in found["email"]["body"] else None

    wait_for("the draft is edited", edited, LIMIT_S)
    return edit


def assert_audited(stack: Stack, told: Any) -> None:
    """The audit says who, when, whom and which places."""
    first, last = audit_of(stack, ADA)
    assert (first["actor"], first["action"]) == ("olivia", "client.erased")
    assert json.loads(first["detail"])["orders"] == 4
    assert {"postgres", "client.events", "client.at-risk"} <= told["places"].keys()
    assert sum(one["removed"] for one in told["letters"]) >= 4
    assert last["actor"] == "client-api"


def assert_refused_late(http: httpx.Client, edit: dict[str, Any]) -> None:
    """An edit that comes too late is refused; calls and history stay as they were."""
    create(http, "/api/decisions", **edit)

    def outcome() -> Any:
        found = http.get(f"/api/emails/{edit['episode_id']}").json()
        return found if found["decisions"][-1]["outcome"] else None

    ended = wait_for("the late edit is decided", outcome, LIMIT_S)
    assert ended["decisions"][-1]["outcome"] == "refused"
    assert ended["state"] == "suppressed"
    assert ended["calls"][0]["outcome"] == "accepted"
    assert ended["history"][-1]["to_state"] == "suppressed"


def do_it_all_again(stack: Stack) -> None:
    """Replay, backfill, and have relay and mailer read everything from the beginning."""
    books.execute(stack, f"DELETE FROM orders WHERE ordered_at = '{WHEN_NEVER}'")
    engage(stack, "replay", "--clients", f"{BOB},{EVE}")
    engage(stack, "backfill", "--table", "orders", "--yes")
    engage(stack, "backfill", "--table", "clients", "--yes")
    raw = [TopicPartition(f"cdc.public.{table}", 0, 0) for table in ("clients", "orders")]
    read_from_the_beginning(stack, "relay", "cdc-relay", raw)
    before = len(letters(stack, "client.at-risk"))
    told = [TopicPartition("client.at-risk", p, 0) for p in range(stack.place.partitions)]
    read_from_the_beginning(stack, "mailer", "mailer", told)

    def parked_again() -> bool | None:
        return True if len(letters(stack, "client.at-risk")) >= before + 3 else None

    wait_for("the mailer has read all again", parked_again, LIMIT_S)
    again = engage(stack, "erase", "--client", str(ADA), "--finish", "--actor", "eve")
    assert again["clients"] == [ADA]


def test_an_erased_client_is_gone_from_every_place(stack: Stack, http: httpx.Client, tmp_path):
    """Postgres, both lanes, scores, episodes, changelogs, emails and dead letters bear nothing of
    her but ids; replay, backfill, a relay and a mailer that read all anew and a rebuild bring
    nothing back; her id made anew starts clean; the audit says who, whom, which places and when.
    """
    books.publish(stack, **POLICY)
    canaries, eves = Canaries((*WORDS, EDITED, CATEGORY), AMOUNTS), Canaries((), EVES)
    filled(http)
    edit = edited_draft(stack, http)
    poison(stack, BOB, "20.00")
    poison(stack, ADA, AMOUNTS[3])
    poison(stack, BOB, "21.00")
    kept = {topic: [one for one in letters(stack, topic) if _of_bob(one)] for topic in PARKED}
    assert all(len(some) >= 2 for some in kept.values()), kept
    assert {table for table, _ in in_postgres(stack, canaries)} >= {"clients", "orders", "emails"}
    assert {topic for topic, _, _ in on_topics(stack, canaries)} >= {
        "scorer-ledgers-changelog",
        "client.events",
        *(f"{topic}.dlq" for topic in PARKED),
    }

    answer = http.delete(f"/api/clients/{ADA}")
    assert answer.status_code == 204, answer.text
    assert in_postgres(stack, canaries) == []
    assert_audited(stack, verified(stack, ADA))
    assert_no_trace(stack, canaries)
    for topic in PARKED:
        now = [one for one in letters(stack, topic) if _of_bob(one)]
        assert sorted(now, key=repr) == sorted(kept[topic], key=repr), topic
    assert_refused_late(http, edit)
    do_it_all_again(stack)
    assert_no_trace(stack, canaries)

    create(http, "/api/clients", id=ADA, first_name="New")
    create(http, "/api/orders", client_id=ADA, amount="20.00", ordered_at=days_ago(3))
    books.agreed(stack)
    assert http.get(f"/api/clients/{ADA}/score").json()["state"] == "one_order"
    engage(stack, "erase", "--client", str(ADA), "--finish", "--actor", "eve")
    books.agreed(stack)
    assert http.get(f"/api/clients/{ADA}").json()["first_name"] == "New"

    with rebuilding(stack, tmp_path) as done:
        assert done["generation"] == 2
        engage(stack, "erase", "--client", str(ADA), "--finish", "--actor", "eve")
        assert_no_trace(stack, canaries)
        # What the superseded generation has stored of a client goes, too.
        assert "scorer-ledgers-changelog" in {topic for topic, _, _ in on_topics(stack, eves)}
        assert refused(stack, "erase", "--client", str(EVE), "--finish") == 2
        assert engage(stack, "erase", "--client", str(EVE), "--yes")["deleted"] == [EVE]
        assert_no_trace(stack, eves)
        assert_compaction_ends_it(stack, canaries, eves)
