"""The workers of a new generation, as processes of this machine."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Self

from common.errors import Misconfigured
from engage.frame import Failed
from engage.settings import Settings

MODULE = "scorer"
KEPT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LD_LIBRARY_PATH"),
    *("TICK_PERIOD_S", "REPLICATION_FACTOR", "LOG_LEVEL"),
)
"""What a worker may see of our environment; passwords are none of its business."""
STOP_LIMIT_S = 30.0
SAID_LINES = 3


class Workers:
    """Worker processes; a context manager that leaves none behind."""

    def __init__(self, settings: Settings, generation: int, count: int, folder: Path) -> None:
        """Plan ``count`` workers with their data and logs below ``folder``."""
        self._settings = settings
        self._generation = generation
        self._count = count
        self._folder = folder
        self._running: list[tuple[Path, subprocess.Popen[bytes], IO[bytes]]] = []
        self._before: Any = signal.SIG_DFL

    def __enter__(self) -> Self:
        """Start all of them; raises Misconfigured where scorers cannot be started here."""
        if self._count and importlib.util.find_spec(MODULE) is None:
            raise Misconfigured(
                "no scorer is installed here: start the new generation's workers where scorers "
                "run, and say --no-workers"
            )
        # Told to end, we end as by Ctrl-C: not without having stopped the workers.
        self._before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            for number in range(self._count):
                self._start(number)
        except OSError as error:
            self._stop()
            raise Misconfigured(f"a worker could not be started: {error}") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Stop those that run."""
        self._stop()

    def check(self) -> None:
        """Raise Failed when a worker has ended by itself."""
        for log, process, _ in self._running:
            code = process.poll()
            if code is not None:
                said = log.read_text(errors="replace").splitlines()[-SAID_LINES:]
                raise Failed(f"a worker ended with {code}, see {log}: {' | '.join(said)}")

    @property
    def logs(self) -> Sequence[Path]:
        """Where the workers log."""
        return [log for log, _, _ in self._running]

    def _start(self, number: int) -> None:
        data = self._folder / f"worker-{number}"
        data.mkdir(parents=True, exist_ok=True)
        log = self._folder / f"worker-{number}.log"
        writing = log.open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            env=self._environment(number, data),
            cwd=self._folder,
            stdout=writing,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for us: we stop the workers, in our order.
            start_new_session=True,
        )
        self._running.append((log, process, writing))

    def _environment(self, number: int, data: Path) -> Mapping[str, str]:
        settings = self._settings
        clock = settings.clock_file
        return {
            **{name: os.environ[name] for name in KEPT if name in os.environ},
            "PYTHONUNBUFFERED": "1",
            **settings.kafka.environment,
            "TOPIC_PARTITIONS": str(settings.topic_partitions),
            "SHOP_TIME_ZONE": settings.shop_time_zone,
            **({} if clock is None else {"CLOCK_FILE": str(clock.resolve())}),
            "GENERATION": str(self._generation),
            "SCORER_DATA_DIR": str(data.resolve()),
            "SCORER_INSTANCE_ID": f"rebuild-v{self._generation}-{number}",
        }

    def _stop(self) -> None:
        for _, process, _ in self._running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for _, process, writing in self._running:
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            writing.close()
        self._running.clear()
        signal.signal(signal.SIGTERM, self._before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
