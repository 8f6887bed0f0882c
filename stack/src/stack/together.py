"""Jobs side by side: when one fails, the others are called off and its error is the one raised."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from stack.family import Closing


def run(jobs: Sequence[Callable[[], None]], call_off: Callable[[], None]) -> None:
    """Run all jobs at the same time and return when all are done.

    When one raises, or we are interrupted, ``call_off`` must make the others end soon, with
    Closing; what is raised is the error that was the cause.
    """
    if not jobs:
        return
    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = [pool.submit(job) for job in jobs]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            if any(future.done() and future.exception() for future in futures):
                call_off()
            wait(futures)
        except BaseException:
            call_off()
            raise
    errors = [error for future in futures if (error := future.exception())]
    for error in sorted(errors, key=lambda error: isinstance(error, Closing)):
        raise error


def timed(job: Callable[[], None]) -> float:
    """Run a job and return how many seconds it took."""
    began = time.monotonic()
    job()
    return time.monotonic() - began
