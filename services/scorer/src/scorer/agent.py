"""The one agent: takes what has been fetched, has it kept, and marks it as settled. Thin.

The holes closed here, in ``faust/streams.py`` and ``faust/agents/agent.py``: an event whose agent
raised is acknowledged and lost, and the commit comes at once (``App._on_agent_error``); ``take()``
together with a table loses the batch. So events are acknowledged by hand, after the keeper has
settled them, and any error ends the process without a commit.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, cast

from common.topics import CONTROL
from scorer.keeper import Keeper, Record
from scorer.shims.reading import RunMessage

RECORDS_AT_ONCE = 1_000
"""Beyond it a batch takes no more runs: what is told and written is acknowledged as one."""


def make(
    keeper: Keeper, fatal: Callable[[BaseException], NoReturn]
) -> Callable[[Any], Awaitable[None]]:
    """Return the agent's function."""

    async def score(stream: Any) -> None:
        by_hand = stream.noack()
        async for event in by_hand.events():
            try:
                await _batch(keeper, [event, *_waiting(by_hand)])
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # noqa: BLE001 - whatever it is, nothing may be acked
                fatal(error)

    return score


async def _batch(keeper: Keeper, events: list[Any]) -> None:
    """Keep a batch; each run is acknowledged once everything in it has been settled."""
    lanes: list[Any] = []
    for event in events:
        message = cast(RunMessage, event.message)
        if message.topic != CONTROL.name:
            await keeper.lane(message.topic, message.partition, message.records)
            lanes.append(event)
            continue
        await _settle(keeper, lanes)
        for record in cast("list[Record]", message.records):
            await keeper.control(message.partition, record)
        event.ack()
    await _settle(keeper, lanes)


async def _settle(keeper: Keeper, events: list[Any]) -> None:
    if events:
        await keeper.settle()
        for event in events:
            event.ack()
        events.clear()


def _waiting(stream: Any) -> list[Any]:
    """Take what lies in the stream's queue already, as the stream itself would take it."""
    app, queue = stream.app, stream.channel.queue
    taken: list[Any] = []
    records = 0
    while records < RECORDS_AT_ONCE and not queue.empty():
        event = queue.get_nowait()
        message = event.message
        if not app.flow_control.is_active() or message.generation_id != app.consumer_generation_id:
            continue
        message.tracked = True
        app.consumer.track_message(message)
        taken.append(event)
        records += len(message.records)
    return taken
