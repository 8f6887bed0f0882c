"""The embedded stack: starts every part when what it needs is ready, and stops them in order."""

import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from common.clock import Anchor, BusinessClock, write_anchor
from stack import database, http
from stack.connect import Connect
from stack.environment import DATABASE, Model, Secrets, Surroundings
from stack.family import Family
from stack.kafka import Kafka
from stack.parts import Parts, Progress, silent
from stack.places import STATE_FILE, Ports, answers
from stack.postgres import Postgres, password_of
from stack.process import Check, Process
from stack.runs import Owner, State
from stack.tokens import AUDIENCE, TOOLS_CLIENT_ID

PARTITIONS = 4
"""Enough to show that order holds per client, few enough for two cores."""

STOPPED_LAST = ("connect", "kafka", "postgres")
WATCH_S = 0.2


class Stack:
    """One run of the whole system on this machine.

    ``start`` brings everything up. Whoever has something to do in between calls its three steps:
    ``start_servers`` (Postgres, Kafka, Connect, issuer, sandbox model), ``start_api`` (client-api,
    which takes rows from then on), ``start_pipeline`` (projector, relay, scorer, mailer, and at
    last the capture of changes). They raise Missing and PartFailed. ``parts`` kills, restarts and
    shows single parts; ``place`` knows all addresses and passwords. ``stop`` stops what runs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        partitions: int = PARTITIONS,
        dashboard: Path | None = None,
        usual_ports: bool = False,
        durable: bool = True,
        state_file: Path | None = None,
        extra: Mapping[str, Mapping[str, str]] | None = None,
        progress: Progress = silent,
    ) -> None:
        """Plan a run in ``folder``; a folder of an earlier run goes on with its data.

        ``dashboard`` is the built one, if it shall be served. ``state_file`` is where others find
        the run (default: in its folder). ``extra`` adds variables to the environment of parts, by
        name. Raises Missing.
        """
        self.folder = folder.resolve()
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        self.parts = Parts(self.folder, extra or {}, progress)
        ports = Ports(usual=usual_ports)
        self.place = Surroundings(
            folder=self.folder,
            ports=ports,
            secrets=Secrets.of(self.folder),
            admin_password=password_of(self.folder / "postgres"),
            model=Model.choose(os.environ, ports),
            partitions=partitions,
            clock_file=self.folder / "clock.json",
            dashboard=dashboard,
        )
        self._durable = durable
        self._state_file = state_file or self.folder / STATE_FILE.name
        self._state: State | None = None
        if not self.place.clock_file.is_file():
            now = datetime.now(UTC)
            write_anchor(self.place.clock_file, Anchor(now, now, 1.0))

    @property
    def api_url(self) -> str:
        """The address of client-api, and of the dashboard."""
        return self.place.url("client-api")

    @property
    def issuer_url(self) -> str:
        """The development issuer, whose access tokens open the API."""
        return self.place.url("issuer")

    # --- starting --------------------------------------------------------------------------------

    def start(self) -> None:
        """Bring everything up."""
        self.start_servers()
        self.start_api()
        self.start_pipeline()

    def start_servers(self) -> None:
        """Start Postgres (migrated), Kafka (with all topics), Connect, issuer, sandbox model."""
        jobs = [self._start_postgres, self._start_kafka, self._start_issuer]
        if self.place.model.sandbox:
            jobs.append(self._start_sandbox)
        self.parts.side_by_side(*jobs)

    def start_api(self) -> None:
        """Start client-api; from now on the run is found by its state file."""
        env = self.place.for_client_api()
        self.parts.service("client-api", ("client_api", "serve"), env, self._ready("client-api"))
        self._state = State(
            owner=Owner.me(),
            folder=str(self.folder),
            api_url=self.api_url,
            bootstrap_servers=self.place.bootstrap_servers,
            connect_url=self.place.url("connect"),
            topic_partitions=self.place.partitions,
            clock_file=str(self.place.clock_file),
            model_sandbox=self.place.model.sandbox,
            engage_database_url=self.place.engage_url,
            mailer_url=self.place.url("mailer"),
            issuer_url=self.issuer_url,
            auth_audience=AUDIENCE,
            tools_client_id=TOOLS_CLIENT_ID,
            tools_client_secret=self.place.secrets.tools,
        )
        self._state.write(self._state_file)

    def start_pipeline(self) -> None:
        """Start projector, relay, scorer and mailer, then the capture of changes."""
        place, start = self.place, self.parts.service
        self.parts.side_by_side(
            lambda: start(
                "projector",
                ("client_api", "project"),
                place.for_projector(),
                self._ready("projector"),
            ),
            lambda: start("relay", ("cdc_relay",), place.for_relay(), self._ready("relay")),
            lambda: start("scorer", ("scorer",), place.for_scorer(), self._ready("scorer")),
            lambda: start("mailer", ("mailer",), place.for_mailer(), self._ready("mailer")),
        )
        self.register_connector()

    def register_connector(self) -> None:
        """Start the capture of changes, or bring it back in line with its configuration."""
        self.parts.one_shot("connector", ("cdc_relay", "connector"), self.place.for_connector())

    def _start_postgres(self) -> None:
        def launch(family: Family) -> Process:
            port = self.place.ports["postgres"]
            folder = self.folder / "postgres"
            return Postgres.start(folder, port, durable=self._durable, family=family).process

        self.parts.launch("postgres", launch)
        database.create(self.place.server_url, DATABASE)
        self.parts.one_shot("migrations", ("client_api", "migrate"), self.place.for_migration())

    def _start_kafka(self) -> None:
        def launch(family: Family) -> Process:
            port = self.place.ports["kafka"]
            return Kafka.start(self.folder / "kafka", port, family=family).process

        self.parts.launch("kafka", launch)
        self.parts.side_by_side(self._start_connect, self._create_topics)

    def _start_connect(self) -> None:
        def launch(family: Family) -> Process:
            port = self.place.ports["connect"]
            servers = self.place.bootstrap_servers
            secrets = self.place.for_connect()
            return Connect.start(
                self.folder / "connect", servers, port, secrets=secrets, family=family
            ).process

        self.parts.launch("connect", launch)

    def _create_topics(self) -> None:
        self.parts.one_shot("topics", ("cdc_relay", "topics"), self.place.for_topics())

    def _start_issuer(self) -> None:
        self.parts.service("issuer", ("issuer",), self.place.for_issuer(), self._listens("issuer"))

    def _start_sandbox(self) -> None:
        env = self.place.for_sandbox()
        self.parts.service("sandbox", ("sandbox",), env, self._listens("sandbox"))

    def _listens(self, name: str) -> Check:
        port = self.place.ports[name]
        return lambda: None if answers(port) else f"nobody listens on port {port}"

    def _ready(self, name: str) -> Check:
        return lambda: http.check(f"{self.place.url(name)}/readyz")

    # --- while it runs ---------------------------------------------------------------------------

    def wait(self, stop: threading.Event) -> None:
        """Wait until ``stop`` is set. Raises PartFailed as soon as a part ends on its own."""
        while not stop.wait(WATCH_S):
            self.parts.check()

    def business_now(self) -> datetime:
        """Return the business time of all services."""
        return BusinessClock(self.place.clock_file).now()

    def set_clock(self, *, rate: float | None = None, now: datetime | None = None) -> None:
        """Let business time run ``rate`` times as fast from here on, jump to ``now``, or both."""
        old = BusinessClock(self.place.clock_file).anchor()
        wall = datetime.now(UTC)
        new = Anchor(wall, now or old.at(wall), old.rate if rate is None else rate)
        write_anchor(self.place.clock_file, new)

    def stop(self) -> None:
        """Stop everything, those first that need the others; leaves no process behind."""
        if self._state is not None:
            self._state.withdraw(self._state_file)
        self.parts.stop(last=STOPPED_LAST)

    def __enter__(self) -> Self:
        """Use the stack for a while."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()
