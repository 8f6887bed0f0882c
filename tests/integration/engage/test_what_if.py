"""A what-if against a real broker: it reads everything, says who moves, and leaves no trace."""

import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

import common.kafka
from common.clock import Anchor, day_of, write_anchor
from common.cluster import Cluster
from common.errors import Misconfigured
from common.events import ClientChanged, ClientErased, OrderChanged, OrderRemoved
from common.partition import partition_of
from common.score.ledger import Ledger, entry_of_order, entry_of_removal
from common.score.model import assess
from common.score.policy import Policy
from common.topics import BACKFILL, LIVE
from engage.__main__ import main
from engage.history import read_policies
from engage.settings import Settings
from tests.integration.client_api.serving import assert_problem, running_api, until
from tests.integration.scorer.lanes import Lanes, wire
from tests.servers import PARTITIONS, Database

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = day_of(NOW, UTC)
CLIENTS = 400
LIMIT_S = 60
OFFSETS = "__consumer_offsets"
"""Where brokers keep what groups commit."""


Row = ClientChanged | ClientErased | OrderChanged | OrderRemoved


class Shop:
    """A history on both lanes, and the ledgers that it amounts to, kept beside it."""

    def __init__(self, lanes: Lanes, seed: int) -> None:
        self.lanes, self.rng, self.ledgers = lanes, random.Random(seed), dict[int, Ledger]()
        self.version = 0

    def say(self, data: Row) -> None:
        """Write an event to one lane or both, once or twice, and merge it."""
        ledger = self.ledgers.setdefault(data.client_id, Ledger())
        match data:
            case OrderChanged():
                cents = int(data.amount * 100)
                day = day_of(data.ordered_at, UTC)
                ledger.merge_order(
                    data.order_id, entry_of_order(data.version, day, cents, data.status)
                )
            case OrderRemoved():
                ledger.merge_order(data.order_id, entry_of_removal(data.version))
            case ClientChanged():
                ledger.merge_client(data.version)
            case ClientErased():
                ledger.erase(data.version)
        key = f"{data.client_id}/{self.version}".encode()
        for lane in self.rng.choice([(LIVE,), (BACKFILL,), (LIVE, BACKFILL)]):
            self.lanes.write(lane, partition_of(data.client_id, PARTITIONS), wire(data), key)

    def next(self) -> int:
        self.version += 1
        return self.version

    def fill(self) -> None:
        for client in range(1, CLIENTS + 1):
            self.say(ClientChanged(client_id=client, version=self.next()))
            for number in range(self.rng.randrange(7)):
                self.order(client, number)
        for client in range(1, CLIENTS + 1, 10):
            self.say(
                OrderRemoved(
                    client_id=client, order_id=client * 100, version=self.next(), reason="deleted"
                )
            )
        for client in range(5, CLIENTS + 1, 20):
            self.say(ClientErased(client_id=client, version=self.next()))
        for client in range(5, CLIENTS + 1, 40):
            self.say(ClientChanged(client_id=client, version=self.next()))
            self.order(client, 50)
        self.lanes.flush()

    def order(self, client: int, number: int) -> None:
        self.say(
            OrderChanged(
                client_id=client,
                order_id=client * 100 + number,
                version=self.next(),
                ordered_at=NOW - timedelta(days=self.rng.randrange(-5, 500)),
                amount=Decimal(self.rng.randrange(0, 30_000)) / 100,
                currency="USD",
                status=self.rng.choice(["paid", "paid", "paid", "cancelled"]),
            )
        )

    def states(self, policy: Policy) -> dict[int, str]:
        return {
            client: assess(ledger, TODAY, policy).state
            for client, ledger in self.ledgers.items()
            if not ledger.erased
        }


def engage(servers: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does."""
    clock = folder / "clock.json"
    write_anchor(clock, Anchor(datetime.now(UTC), NOW, 0.0))
    return subprocess.run(
        [sys.executable, "-m", "engage", "what-if", *words],
        env={
            "PATH": os.environ["PATH"],
            "KAFKA_BOOTSTRAP_SERVERS": servers,
            "TOPIC_PARTITIONS": str(PARTITIONS),
            "CLOCK_FILE": str(clock),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def answer(servers: str, folder: Path, *words: str) -> dict[str, Any]:
    done = engage(servers, folder, *words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def trace(lanes: Lanes) -> tuple[object, ...]:
    """Return what a reader could leave behind: topics and their ends, groups and their offsets."""
    lanes.committed("nobody")  # whoever asks first has the broker make its topic of offsets
    admin = AdminClient({"bootstrap.servers": lanes.servers})
    listed = admin.list_consumer_groups(request_timeout=15).result(20)
    assert not listed.errors
    ends = {
        name: lanes.ends(name, len(topic.partitions))
        for name, topic in admin.list_topics(timeout=15).topics.items()
        if name != "__transaction_state"
    }
    assert OFFSETS in ends
    return ends, sorted(group.group_id for group in listed.valid)


@pytest.fixture
def shop(kafka: str) -> Shop:
    """A shop with every kind of event on both lanes, some of which say nothing."""
    lanes = Lanes(kafka)
    lanes.policy(version=3)
    made = Shop(lanes, seed=random.randrange(10**6))
    made.fill()
    return made


def test_the_present_policy_gives_an_empty_difference(shop: Shop, tmp_path: Path):
    """Tried against itself, the policy in force moves nobody, and nothing at all is left behind."""
    file = tmp_path / "policy.json"
    file.write_text(Policy(version=3).model_dump_json())
    before = trace(shop.lanes)
    found = answer(shop.lanes.servers, tmp_path, "--policy", str(file), "--clients", "all")
    assert trace(shop.lanes) == before
    what_if = found["what_if"]
    assert what_if["changed_fields"] == {}
    assert what_if["moved"] == []
    assert (what_if["entering"], what_if["leaving"], what_if["scores_changed"]) == (0, 0, 0)
    assert what_if["clients"] == len(shop.states(Policy()))
    assert what_if["day"] == TODAY


def test_a_stricter_policy_names_exactly_those_who_move(shop: Shop, tmp_path: Path):
    """Those who enter and leave are those whom a count one by one finds, aborted records aside."""
    stray = OrderChanged(
        client_id=7,
        order_id=1,
        version=10**6,
        ordered_at=NOW,
        amount="9.00",
        currency="USD",
        status="paid",
    )
    shop.lanes.transaction([stray], commit=False)
    shop.lanes.write(LIVE, 0, b"no event")
    shop.lanes.write(BACKFILL, 1, None)
    wrong = (partition_of(9_999, PARTITIONS) + 1) % PARTITIONS
    shop.lanes.write(LIVE, wrong, wire(ClientChanged(client_id=9_999, version=1)))
    shop.lanes.flush()
    before = trace(shop.lanes)
    found = answer(
        shop.lanes.servers, tmp_path, "--set", "theta=0.2", "--set", "rho=0.4", "--clients", "all"
    )
    assert trace(shop.lanes) == before
    was, becomes = shop.states(Policy()), shop.states(Policy(theta=0.2, rho=0.4))
    want = {
        client: (was[client], becomes[client]) for client in was if was[client] != becomes[client]
    }
    moved = found["what_if"]["moved"]
    assert {one["client_id"]: (one["before"], one["after"]) for one in moved} == want
    assert found["what_if"]["leaving"] > 0
    assert found["unreadable"] == {"not_an_event": 1, "clients_of_another_partition": 1}
    assert found["events"] >= shop.version


def test_people_get_a_table(shop: Shop, tmp_path: Path):
    """Without --json the answer is readable, and says that cost needs a figure."""
    done = engage(shop.lanes.servers, tmp_path, "--set", "theta=0.9", "--clients", "3")
    assert done.returncode == 0, done.stderr
    for words in ("theta 0.5 → 0.9", "at_risk", "back-test", "--cost-per-email", "nothing was"):
        assert words in done.stdout


def test_bad_input_is_one_line_and_exit_2(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Whatever is wrong with the input is said in one line, and nothing is changed."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", shop.lanes.servers)
    monkeypatch.setenv("TOPIC_PARTITIONS", str(PARTITIONS))
    monkeypatch.chdir(tmp_path)
    before = trace(shop.lanes)
    for words, says in (
        (["--policy", "missing.json"], "missing.json cannot be read"),
        (["--set", "thta=1"], "no field 'thta'"),
        (["--set", "theta=7"], "theta"),
        (["--set", "theta=0.4", "--day", "soon"], "--day"),
        (["--set", "theta=0.4", "--clients", "-1"], "--clients"),
        (["--set", "theta=0.4", "--cost-per-email", "much"], "cost-per-email"),
        ([], "--policy FILE"),
    ):
        monkeypatch.setattr(sys, "argv", ["engage", "what-if", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (2, ""), words
        assert says in said.err
        assert said.err.count("\n") == 1
    assert trace(shop.lanes) == before


def test_without_a_policy_in_force_there_is_nothing_to_compare(kafka: str, tmp_path: Path):
    """Lanes without a policy: one line, exit 2."""
    lanes = Lanes(kafka)
    done = engage(lanes.servers, tmp_path, "--set", "theta=0.4")
    assert done.returncode == 2
    assert "no policy is in force" in done.stderr


def test_an_unreachable_broker_is_said_at_once(monkeypatch: pytest.MonkeyPatch):
    """No broker: refused with one line before anything is read."""
    monkeypatch.setattr(common.kafka, "ADMIN_TIMEOUT_S", 2.0)
    with pytest.raises(Misconfigured, match="no Kafka broker answers"):
        read_policies(Cluster("127.0.0.1:1"), PARTITIONS)


async def test_the_api_gives_the_same_answer(shop: Shop, database: Database, tmp_path: Path):
    """Asked over HTTP, a run ends with what the command says; a bad policy is 422 at once."""
    told = answer(shop.lanes.servers, tmp_path, "--set", "theta=0.2", "--clients", "5")
    where = Settings(
        kafka_bootstrap_servers=shop.lanes.servers,
        topic_partitions=PARTITIONS,
        clock_file=tmp_path / "clock.json",
    )
    async with running_api(database.client_api_url, engage=where) as api:
        asked = {"policy": {"theta": 0.2}, "clients": 5}
        begun = await api.http.post("/api/what-ifs", json=asked)
        assert begun.status_code == 202, begun.text
        path = begun.headers["location"]
        assert path == f"/api/what-ifs/{begun.json()['id']}"

        async def ended() -> dict[str, Any] | None:
            row: dict[str, Any] = (await api.http.get(path)).json()
            return None if row["state"] == "running" else row

        row = await until(ended, LIMIT_S)
        assert row["state"] == "done", row["error"]
        assert row["result"]["what_if"] == told["what_if"]
        for policy in ({"theta": 2}, {"thta": 0.2}):
            refused = await api.http.post("/api/what-ifs", json={**asked, "policy": policy})
            assert_problem(refused, 422)
