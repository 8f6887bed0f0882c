"""The one agent: takes what has been fetched, and has it kept. Thin.

The holes closed here, in ``faust/streams.py`` and ``faust/agents/agent.py``: an event whose agent
raised is acknowledged and lost, and the commit comes at once (``App._on_agent_error``); ``take()``
together with a table loses the batch. So events are acknowledged by hand, by the pipeline, after
all that they gave is durable, and any error ends the process without a commit.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, cast

from common.topics import CONTROL
from scorer.keeper import Keeper
from scorer.records import Record
from scorer.shims.reading import RunMessage

RECORDS_AT_ONCE = 2_000
"""Beyond it a batch takes no more runs: what is told and written is acknowledged as one."""


def make(
    keeper: Keeper, fatal: Callable[[BaseException], NoReturn]
) -> Callable[[Any], Awaitable[None]]:
    """Return the agent's function."""

    async def score(stream: Any) -> None:
        by_hand = stream.noack()
        async for event in by_hand.events():
            try:
                async with keeper.turn:
                    if keeper.open:
                        await _batch(keeper, [event, *_waiting(by_hand, event)])
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # noqa: BLE001 - whatever it is, nothing may be acked
                fatal(error)

    return score


async def _batch(keeper: Keeper, events: list[Any]) -> None:
    """Keep a batch, and hand it on to be made durable and acknowledged."""
    for event in events:
        message = cast(RunMessage, event.message)
        if message.topic == CONTROL.name:
            for record in cast("list[Record]", message.records):
                keeper.control(message.partition, record)
        else:
            keeper.lane(message.topic, message.partition, message.records)
    await keeper.settle(events)


def _waiting(stream: Any, first: Any) -> list[Any]:
    """Take what lies in the stream's queue already, as the stream itself would take it."""
    app, queue = stream.app, stream.channel.queue
    taken: list[Any] = []
    records = len(first.message.records)
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
