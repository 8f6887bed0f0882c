"""What this worker writes to Kafka: a writer for each owned partition, and its ticks.

Faust's own producer buffers, gives up flushing after 0.1 s and only logs a failed send, so nothing
goes through it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from common.cluster import Cluster
from common.errors import Transient
from common.kafka import producer
from scorer.writer import CONFIG, STEP_LIMIT_S, Fenced, Letter, Rows, Writer, send, sorted_out

T = TypeVar("T")

THREAD_LIMIT_S = 60.0
"""Above the limit of a transaction: a client that has lost its coordinator may wait for ever."""
THREADS = 32
"""Above the number of partitions of a worker: a step's limit counts from when it was asked for."""


class Outbox:
    """The writers of this worker's partitions, and a plain producer for its ticks."""

    def __init__(self, cluster: Cluster, group: str, changelog: str) -> None:
        """Write as ``group``; nothing is connected yet."""
        self._cluster = cluster
        self._group = group
        self._changelog = changelog
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="outbox")
        self._writers: dict[int, Writer] = {}
        self._takes: dict[int, Future[Writer]] = {}
        """Partitions that are being taken by a thread, whether or not anybody waits for it."""
        self._taking = asyncio.Lock()
        self._plain: Producer | None = None

    async def take(self, partitions: Collection[int]) -> None:
        """Become the writer of these partitions, and of no others; raises Transient, Fenced.

        Whoever wrote to them before is fenced when this returns: also a writer of this worker's
        own, since between two assignments a partition may have been another one's.
        """
        async with self._taking:
            await self.idle()
            held = [*self._writers.values(), *_for_nobody(self._takes.values())]
            self._writers, self._takes = {}, {}
            await asyncio.gather(*(self.thread(writer.close) for writer in held))
            self._takes = {one: self._threads.submit(self._open, one) for one in partitions}
            opened = await asyncio.gather(*map(_heard, self._takes.values()))
            self._writers, self._takes = dict(zip(partitions, opened, strict=True)), {}

    async def idle(self) -> None:
        """Wait until no partition is being taken any more; raises Transient.

        Whoever stops waiting for ``take`` does not stop the taking: its thread waits for the broker
        and fences whoever writes when the answer comes, which may be the rightful one by then. So
        this comes before partitions can become another's.
        """
        for taking in list(self._takes.values()):
            with contextlib.suppress(Transient, Fenced):
                await _heard(taking)
            if not taking.done():
                raise _unheard()

    async def settle(self, partition: int, letters: Iterable[Letter], rows: Rows) -> int:
        """Write a partition's letters and rows, all or nothing; see ``Writer.settle``."""
        writer = self._writers.get(partition)
        if writer is None:
            raise Fenced(f"fenced: partition {partition} is not this worker's")
        return await self.thread(writer.settle, letters, rows)

    async def send(self, letters: Iterable[Letter]) -> None:
        """Send records outside of any transaction and wait until the broker has them.

        For ticks only: those of a zombie are old, and change nothing. Raises Transient.
        """
        await self.thread(self._send, list(letters))

    async def stop(self) -> None:
        """Let go of all partitions."""
        await self.take(())
        self._threads.shutdown(wait=False)

    async def thread(self, work: Callable[..., T], *args: Any) -> T:
        """Run blocking work in a thread; raises Transient when it takes far too long."""
        return await _heard(self._threads.submit(work, *args))

    def _open(self, partition: int) -> Writer:
        return Writer(self._cluster, f"{self._group}-{partition}", partition, self._changelog)

    def _send(self, letters: list[Letter]) -> None:
        if self._plain is None:
            self._plain = producer(self._cluster, {**CONFIG, "linger.ms": 0})
        failed: list[KafkaError] = []

        def told(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failed.append(error)

        try:
            for letter in letters:
                send(self._plain, letter, told)
            left = self._plain.flush(STEP_LIMIT_S)
        except KafkaException as error:
            raise sorted_out(error, "ticks") from error
        if failed or left:
            raise Transient(f"a tick could not be delivered: {failed or left}")


def _for_nobody(takes: Iterable[Future[Writer]]) -> list[Writer]:
    """Return the writers that came after nobody waited for them any more."""
    return [one.result() for one in takes if one.exception() is None]


async def _heard(running: Future[T]) -> T:
    """Wait for a thread; raises Transient when it takes far too long.

    Nobody who gives up waiting takes it off the list of those that run.
    """
    waiting = asyncio.wrap_future(running)
    done, _ = await asyncio.wait([waiting], timeout=THREAD_LIMIT_S)
    if not done:
        raise _unheard()
    return waiting.result()


def _unheard() -> Transient:
    return Transient(f"nothing was heard of the broker for {THREAD_LIMIT_S} s")
