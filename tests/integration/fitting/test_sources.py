"""The same orders give the same parameters, from a file, from Postgres and from the lanes."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import numpy as np
import pytest

from common.cluster import Cluster
from common.codec import encode
from common.events import ClientErased, OrderChanged, OrderRemoved
from common.kafka import producer
from common.partition import partition_of
from common.topics import BACKFILL, LIVE
from tests.integration.client_api.serving import running_api
from tests.servers import PARTITIONS
from tests.tokens import issuer

BEGIN = datetime(2025, 1, 1, 12, tzinfo=UTC)
AS_OF = (BEGIN + timedelta(days=340)).date().isoformat()
HORIZON = 60


def made_up():
    """Return (client, order, moment, amount); who spends more stays longer."""
    chance = np.random.default_rng(3)
    rows, order = [], 0
    for client in range(1, 1_501):
        gap, day = chance.gamma(2.0, 30.0) + 2, float(chance.integers(0, 120))
        loyal = chance.uniform()
        while day < 399 and chance.random() > 0.25 * (1 - loyal) ** 2:
            order += 1
            amount = Decimal(int(chance.integers(100, 2_000) * (1 + 2 * loyal))).scaleb(-2)
            rows.append((client, order, BEGIN + timedelta(days=int(day)), amount))
            day += 1 + chance.exponential(gap)
    return [*rows, (1, order + 1, BEGIN + timedelta(days=399), Decimal("5.00"))]


ROWS = made_up()


@pytest.fixture(scope="module")
def from_file(tmp_path_factory):
    """What the file of these orders gives."""
    folder = tmp_path_factory.mktemp("file")
    lines = [f"{client},{moment.isoformat()},{amount}" for client, _, moment, amount in ROWS]
    (folder / "orders.csv").write_text("\n".join(["client,date,value", *lines]) + "\n")
    return fitted(folder, "--orders", str(folder / "orders.csv"))


def ran(folder, *source, **environment):
    """Run score-fit, and return how it ended."""
    target = folder / "p.json"
    return subprocess.run(
        [
            *(sys.executable, "-c", "from fitting.fit_command import main; main()"),
            *(*source, "--as-of", AS_OF, "--horizon", str(HORIZON)),
            *("--max-ece", "0.2", "--out", str(target)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | environment,
    )


def fitted(folder, *source, **environment):
    """Run score-fit; return the whole of its file."""
    done = ran(folder, *source, **environment)
    assert done.returncode == 0, done.stderr
    return {**json.loads((folder / "p.json").read_text()), "printed": json.loads(done.stdout)}


def same(one, other):
    return all(one[part] == other[part] for part in ("policy", "window", "quality"))


async def fill(url):
    """Put the orders into Postgres, with some that do not count."""
    connection = await asyncpg.connect(url)
    try:
        await connection.executemany(
            "INSERT INTO clients (id, first_name) VALUES ($1, 'Ada')",
            [(client,) for client in sorted({row[0] for row in ROWS})],
        )
        orders = [(order, client, moment, amount, "paid") for client, order, moment, amount in ROWS]
        for i, (status, amount) in enumerate(
            (("cancelled", "9"), ("refunded", "9"), ("paid", "0"), ("paid", "-9"))
        ):
            orders.append((10**6 + i, 1, BEGIN + timedelta(days=200), Decimal(amount), status))
        await connection.executemany(
            "INSERT INTO orders (id, client_id, ordered_at, amount, status)"
            " VALUES ($1, $2, $3, $4, $5)",
            orders,
        )
    finally:
        await connection.close()


async def test_postgres_gives_what_the_file_gives(database, from_file, tmp_path):
    """By a role that only reads orders; cancelled, refunded, zero and negative ones stay out."""
    await fill(database.admin_url)
    found = fitted(tmp_path, "--database", database.client_api_url)
    assert same(found, from_file)


def test_the_lanes_give_what_the_file_gives(kafka, from_file, tmp_path):
    """Old images, removals and erasures among them change nothing, in whatever order they lie."""
    writer = producer(Cluster(kafka))

    def write(topic, data, name):
        writer.produce(
            topic.name,
            key=f"{data.client_id}/{name}".encode(),
            value=encode(
                data, id="t", source="tests", subject=str(data.client_id), time=datetime.now(UTC)
            ),
            partition=partition_of(data.client_id, PARTITIONS),
        )

    def order(client, number, version, moment, amount):
        return OrderChanged(
            client_id=client,
            order_id=number,
            version=version,
            ordered_at=moment,
            amount=amount,
            currency="USD",
            status="paid",
        )

    for client, number, moment, amount in ROWS:
        topic = LIVE if number % 3 else BACKFILL
        write(topic, order(client, number, 10, moment, amount), f"order/{number}")
        if number % 10 == 0:  # an older image that comes later, on the other lane
            other = BACKFILL if topic is LIVE else LIVE
            write(other, order(client, number, 5, BEGIN, Decimal("1.00")), f"order/{number}")
    extra = 10**6
    write(LIVE, order(2, extra, 10, BEGIN + timedelta(days=9), Decimal("7.00")), "order/x")
    write(
        BACKFILL, OrderRemoved(client_id=2, order_id=extra, version=10, reason="deleted"), "order/x"
    )
    write(LIVE, order(9_999, extra + 1, 10, BEGIN, Decimal("7.00")), "order/y")
    write(LIVE, ClientErased(client_id=9_999, version=11), "erased")
    writer.produce(LIVE.name, key=b"1/client", value=None, partition=partition_of(1, PARTITIONS))
    assert writer.flush(30) == 0
    found = fitted(tmp_path, "--kafka", kafka)
    assert same(found, from_file)


async def test_a_fit_is_put_in_force_only_when_asked(database, from_file, tmp_path):
    """With --publish it is the next policy version; the shop's other rules stay as they were."""
    async with running_api(database.client_api_url) as api:
        before = (await api.http.get("/api/policies/current")).json()
        lines = [f"{client},{moment.isoformat()},{amount}" for client, _, moment, amount in ROWS]
        (tmp_path / "orders.csv").write_text("\n".join(["client,date,value", *lines]) + "\n")
        asked = ("--orders", str(tmp_path / "orders.csv"), "--publish", str(api.http.base_url))
        unknown = await asyncio.to_thread(ran, tmp_path, *asked, CLIENT_API_TOKEN="")
        assert unknown.returncode == 2
        assert "access token" in unknown.stderr
        bearer = issuer().token("policy:read", "policy:write")
        found = await asyncio.to_thread(fitted, tmp_path, *asked, CLIENT_API_TOKEN=bearer)
        after = (await api.http.get("/api/policies/current")).json()
    assert after["version"] == before["version"] + 1 == found["printed"]["policy_version"]
    assert after["document"]["weights"] == found["policy"]["weights"]
    assert after["document"]["holdout_percent"] == before["document"]["holdout_percent"]
    assert from_file["printed"]["policy_version"] is None
