"""The one thread that starts all children, because the kernel ties them to it."""

import queue
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import Future

Child = subprocess.Popen[bytes]
Job = tuple[Callable[[], Child], Future[Child]]


class _Starter:
    """A thread that never ends before the process does.

    The kernel ties a child to the thread that started it, not to the process: a child started by a
    short-lived thread would get its death signal when that thread ends.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def run(self, job: Callable[[], Child]) -> Child:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="starter", daemon=True)
                self._thread.start()
        future: Future[Child] = Future()
        self._jobs.put((job, future))
        return future.result()

    def _loop(self) -> None:
        while True:
            job, future = self._jobs.get()
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 - it is raised where the job was given
                future.set_exception(error)


_STARTER = _Starter()


def start(job: Callable[[], Child]) -> Child:
    """Start a child in the thread that starts all children; raises what ``job`` raises."""
    return _STARTER.run(job)
