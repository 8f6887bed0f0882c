"""Jobs side by side: when one fails, the others are called off and its error is the one raised."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait


def run(jobs: Sequence[Callable[[], None]], call_off: Callable[[], None]) -> None:
    """Run all jobs at the same time and return when all are done.

    When one raises, or we are interrupted, ``call_off`` must make the others end soon. What is
    raised is the error that came first: the others may only follow from being called off, however
    they end (a query whose server was stopped fails in its own way).
    """
    if not jobs:
        return
    errors: list[BaseException] = []

    def noted(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            errors.append(error)
            raise

    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = [pool.submit(noted, job) for job in jobs]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            if any(future.done() and future.exception() for future in futures):
                call_off()
            wait(futures)
        except BaseException:
            call_off()
            raise
    for error in errors:
        raise error


def timed(job: Callable[[], None]) -> float:
    """Run a job and return how many seconds it took."""
    began = time.monotonic()
    job()
    return time.monotonic() - began
