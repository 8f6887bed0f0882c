"""The API on a large shop: its rate beside a bare route, and its answers at a steady rate.

Real are Postgres, its schema and rows, a broker, an issuer of tokens, and the server as it is
served. The bare contender runs the same statement and answers with the same bytes.
"""

import asyncio
import json
import secrets
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import asyncpg

from bench import api_fill, api_pages, http_load, interaction
from bench.api_pages import Asked
from bench.errors import BenchFailed
from bench.figures import percentiles
from bench.http_load import Target
from bench.runner import ROOT, cpu_s, peak_mb
from bench.shop import Shop, migrated
from bench.show import say
from common.cluster import Cluster
from common.kafka import create_topics
from common.topics import TOPICS
from stack import http, tokens
from stack.environment import base
from stack.errors import Missing
from stack.kafka import Kafka
from stack.places import DASHBOARD, HOST, answers, free_port
from stack.postgres import Postgres
from stack.process import Check, Process

PARTITIONS = 4
READY_LIMIT_S = 120.0
CONNECTIONS = 8
WARM_S = 1.0
SAME = 5
"""Pages of each kind whose bytes must be the same."""
OPEN_PER_S = 100.0
OPEN_CONNECTIONS = 64
NO_LIMIT = 10**9


class Contender(NamedTuple):
    """A server, and how it is reached."""

    process: Process
    target: Target


class Timing(NamedTuple):
    """How long each measurement takes."""

    rounds: int
    seconds: float


def measure(folder: Path, clients: int, timing: Timing) -> dict[str, float]:
    """Fill a shop with so many clients, and ten times the orders; return its figures.

    Raises Missing without a dashboard, before the minutes that the shop takes.
    """
    if not (DASHBOARD / "index.html").is_file():
        raise Missing("the dashboard is not built: run `make dashboard`")
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres.start(folder / "postgres", durable=False))
        shop = migrated(postgres, folder)
        asyncio.run(api_fill.fill(shop.admin_url, clients))
        return compare(shop, folder, timing)


def compare(shop: Shop, folder: Path, timing: Timing) -> dict[str, float]:
    """Measure on a shop that is filled."""
    asked = asyncio.run(_pages(shop))
    with ExitStack() as stack:
        ours, bare = _start(stack, shop, folder, asked)
        figures = asyncio.run(_figures(ours, bare, asked, timing))
        figures["memory_mb.client_api"] = peak_mb(ours.process)
        return figures | interaction.measure(f"http://{HOST}:{ours.target.port}", timing.rounds)


async def _pages(shop: Shop) -> dict[str, list[Asked]]:
    db = await asyncpg.connect(shop.admin_url)
    try:
        number = await db.fetchval("SELECT count(*) FROM clients")
        samples = await api_pages.draw(db, number)
    finally:
        await db.close()
    return {kind: await api_pages.pages(kind, samples) for kind in api_pages.KINDS}


async def _figures(
    ours: Contender, bare: Contender, asked: Mapping[str, Sequence[Asked]], timing: Timing
) -> dict[str, float]:
    figures: dict[str, float] = {}
    for kind, pages in asked.items():
        say(f"api: {kind}")
        if kind in api_pages.BEHIND:
            await _compare_bytes(ours, bare, pages)
        figures |= await _race(kind, ours, bare, pages, timing)
        figures |= await _steady(kind, ours, [page.path for page in pages], timing)
    return figures


async def _compare_bytes(ours: Contender, bare: Contender, pages: Sequence[Asked]) -> None:
    for page in pages[:SAME]:
        found = await http_load.body(ours.target, page.path)
        if found != await http_load.body(bare.target, page.bare_path):
            raise BenchFailed(f"the contenders do not answer the same to {page.kind}")


async def _race(
    kind: str, ours: Contender, bare: Contender, pages: Sequence[Asked], timing: Timing
) -> dict[str, float]:
    """Let both answer as fast as they can, in turns."""
    paths = {
        "ours": (ours, [page.path for page in pages]),
        "bare": (bare, [page.bare_path for page in pages]),
    }
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    costs: dict[str, list[float]] = {"ours": [], "bare": []}
    for contender, wanted in paths.values():
        await _warm(contender, wanted)
    for _ in range(timing.rounds):
        for name, (contender, wanted) in paths.items():
            before = cpu_s(contender.process)
            rate = await http_load.closed_loop(
                contender.target, wanted, connections=CONNECTIONS, seconds=timing.seconds
            )
            rates[name].append(rate)
            spent = cpu_s(contender.process) - before
            costs[name].append(spent / (rate * timing.seconds) * 1e6)
    rate, other = (statistics.median(rates[name]) for name in ("ours", "bare"))
    cost, other_cost = (statistics.median(costs[name]) for name in ("ours", "bare"))
    return {
        f"api.{kind}.per_s": rate,
        f"api.{kind}.ratio_to_bare": rate / other,
        f"api.{kind}.cpu_us": cost,
        f"api.{kind}.cpu_us_bare": other_cost,
    }


async def _warm(contender: Contender, paths: Sequence[str]) -> None:
    await http_load.closed_loop(contender.target, paths, connections=CONNECTIONS, seconds=WARM_S)


async def _steady(
    kind: str, ours: Contender, paths: Sequence[str], timing: Timing
) -> dict[str, float]:
    took = await http_load.open_loop(
        ours.target,
        paths,
        per_s=OPEN_PER_S,
        seconds=timing.seconds * timing.rounds,
        connections=OPEN_CONNECTIONS,
    )
    middle, most = percentiles(took, 50, 95)
    return {f"api.{kind}.ms_at_100_per_s.p50": middle, f"api.{kind}.ms_at_100_per_s.p95": most}


def _start(
    stack: ExitStack, shop: Shop, folder: Path, asked: Mapping[str, Sequence[Asked]]
) -> tuple[Contender, Contender]:
    kafka = stack.enter_context(Kafka.start(folder / "kafka"))
    create_topics(Cluster(kafka.bootstrap_servers), TOPICS, PARTITIONS, 1)
    issuer_url = _issuer(stack, folder)
    port, bare_port = free_port(), free_port()
    ours = Process(
        "client-api",
        [sys.executable, "-m", "client_api", "serve"],
        folder / "client-api.log",
        env=base()
        | {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "TOPIC_PARTITIONS": str(PARTITIONS),
            "DATABASE_URL": shop.urls["client_api"],
            "HTTP_HOST": HOST,
            "HTTP_PORT": str(port),
            "AUTH_ISSUER": issuer_url,
            "AUTH_AUDIENCE": tokens.AUDIENCE,
            "AUTH_CLIENT_ID": tokens.CLIENT_ID,
            "RATE_LIMIT_PER_MINUTE": str(NO_LIMIT),
            "DASHBOARD_DIR": str(DASHBOARD),
        },
    )
    stack.callback(ours.stop)
    ours.start_ready(lambda: http.check(f"http://{HOST}:{port}/readyz"), READY_LIMIT_S)
    bare = Process(
        "bare",
        [sys.executable, "-m", "bench.contenders.bare_api"],
        folder / "bare.log",
        env=base()
        | {
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": shop.urls["client_api"],
            "PORT": str(bare_port),
            "STATEMENTS": json.dumps({kind: pages[0].statement for kind, pages in asked.items()}),
        },
    )
    stack.callback(bare.stop)
    bare.start_ready(_listens(bare_port), READY_LIMIT_S)
    bearer = {"Authorization": f"Bearer {tokens.bearer(issuer_url)}"}
    return (
        Contender(ours, Target(HOST, port, bearer)),
        Contender(bare, Target(HOST, bare_port, {})),
    )


def _issuer(stack: ExitStack, folder: Path) -> str:
    port = free_port()
    issuer = Process(
        "issuer",
        [sys.executable, "-m", "issuer"],
        folder / "issuer.log",
        env=base()
        | {
            "ISSUER_PORT": str(port),
            "ISSUER_KEY_FILE": str(folder / "issuer.pem"),
            "ISSUER_AUDIENCE": tokens.AUDIENCE,
            "ISSUER_CLIENT_ID": tokens.CLIENT_ID,
            "ISSUER_TOOLS_CLIENT_ID": tokens.TOOLS_CLIENT_ID,
            "ISSUER_TOOLS_SECRET": secrets.token_hex(16),
        },
    )
    stack.callback(issuer.stop)
    issuer.start_ready(_listens(port), READY_LIMIT_S)
    return f"http://{HOST}:{port}"


def _listens(port: int) -> Check:
    return lambda: None if answers(port) else f"nobody listens on port {port}"
