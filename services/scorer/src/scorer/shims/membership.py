"""Membership: a worker whose name another process took over ends; it does not take it back.

Nor does it live on outside of its group: see ``end_with_coordination``.

The hole, in ``aiokafka/consumer/group_coordinator.py``: only joins name the static member
(``group.instance.id``), heartbeats and commits do not. So the broker can only answer that it knows
no such member; aiokafka then joins anew under the same name, which fences the process that took it
over, and that one does the same: two workers take the group from each other, and neither ends.
Named, the broker answers FENCED_INSTANCE_ID (KIP-345), the one answer that says what happened.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NoReturn

from aiokafka.protocol.api import Request, RequestStruct, Response  # type: ignore[import-untyped]
from aiokafka.protocol.commit import (  # type: ignore[import-untyped]
    OffsetCommitRequest,
    OffsetCommitResponse_v3,
)
from aiokafka.protocol.group import (  # type: ignore[import-untyped]
    HeartbeatRequest,
    HeartbeatResponse_v1,
)
from aiokafka.protocol.types import (  # type: ignore[import-untyped]
    Array,
    Int32,
    Int64,
    Schema,
    String,
)

FENCED_INSTANCE_ID = 82
UNKNOWN_EPOCH = -1

Send = Callable[[Any], Awaitable[Any]]


class FencedMember(Exception):
    """Another process joined the group under this worker's name."""


class NamedHeartbeatResponse(Response):  # type: ignore[misc]
    """Version 3, the same on the wire as version 1."""

    API_KEY = 12
    API_VERSION = 3
    SCHEMA = HeartbeatResponse_v1.SCHEMA


class NamedHeartbeatStruct(RequestStruct):  # type: ignore[misc]
    """Version 3, the first with the instance."""

    API_KEY = 12
    API_VERSION = 3
    RESPONSE_TYPE = NamedHeartbeatResponse
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("generation_id", Int32),
        ("member_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
    )


class NamedHeartbeat(Request[NamedHeartbeatStruct]):  # type: ignore[misc]
    """A heartbeat that says whose it is."""

    API_KEY = 12

    def __init__(self, plain: HeartbeatRequest, instance: str) -> None:
        """Take over what aiokafka would have sent."""
        self._plain = plain
        self._instance = instance

    def build(self, request_struct_class: type[NamedHeartbeatStruct]) -> NamedHeartbeatStruct:
        """Return what goes over the wire."""
        plain = self._plain
        return request_struct_class(
            plain._group,  # noqa: SLF001
            plain._generation_id,  # noqa: SLF001
            plain._member_id,  # noqa: SLF001
            self._instance,
        )


class NamedCommitResponse(Response):  # type: ignore[misc]
    """Version 7, the same on the wire as version 3."""

    API_KEY = 8
    API_VERSION = 7
    SCHEMA = OffsetCommitResponse_v3.SCHEMA


class NamedCommitStruct(RequestStruct):  # type: ignore[misc]
    """Version 7, the first with the instance; a leader's epoch may be left unknown."""

    API_KEY = 8
    API_VERSION = 7
    RESPONSE_TYPE = NamedCommitResponse
    SCHEMA = Schema(
        ("consumer_group", String("utf-8")),
        ("consumer_group_generation_id", Int32),
        ("consumer_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
        (
            "topics",
            Array(
                ("topic", String("utf-8")),
                (
                    "partitions",
                    Array(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", String("utf-8")),
                    ),
                ),
            ),
        ),
    )


class NamedCommit(Request[NamedCommitStruct]):  # type: ignore[misc]
    """A commit of offsets that says whose it is."""

    API_KEY = 8

    def __init__(self, plain: OffsetCommitRequest, instance: str) -> None:
        """Take over what aiokafka would have sent."""
        self._plain = plain
        self._instance = instance

    def build(self, request_struct_class: type[NamedCommitStruct]) -> NamedCommitStruct:
        """Return what goes over the wire."""
        plain = self._plain
        return request_struct_class(
            plain._consumer_group,  # noqa: SLF001
            plain._consumer_group_generation_id,  # noqa: SLF001
            plain._consumer_id,  # noqa: SLF001
            self._instance,
            [
                (topic, [(one, offset, UNKNOWN_EPOCH, said) for one, offset, said in places])
                for topic, places in plain._topics  # noqa: SLF001
            ],
        )


def name_member(coordinator: Any, fenced: Callable[[BaseException], NoReturn]) -> None:
    """Have every request of a group's coordinator say whose it is.

    ``fenced`` ends the process; it is called as soon as the broker says that the name is another's.
    """
    send: Send = coordinator._send_req  # noqa: SLF001
    instance: str = coordinator._group_instance_id  # noqa: SLF001

    async def send_named(request: Any) -> Any:
        answer = await send(_named(request, instance))
        if FENCED_INSTANCE_ID in _codes(answer):
            fenced(FencedMember(f"fenced: another process joined the group as {instance}"))
        return answer

    coordinator._send_req = send_named  # noqa: SLF001


def end_with_coordination(coordinator: Any, fatal: Callable[[BaseException], NoReturn]) -> None:
    """Have the process end when what keeps it in the group fails, or is refused by the broker.

    aiokafka keeps what it cannot mend, such as a right to the group that is missing, until somebody
    asks for it, and joins no more meanwhile; Faust asks only when it commits. And nobody starts the
    task again should it fail. The worker would neither join nor end, and be alive to whoever asks.
    """

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            fatal(error)

    coordinator._coordination_task.add_done_callback(ended)  # noqa: SLF001
    coordinator._push_error_to_user = fatal  # noqa: SLF001


def _named(request: Any, instance: str) -> Any:
    if isinstance(request, HeartbeatRequest):
        return NamedHeartbeat(request, instance)
    if isinstance(request, OffsetCommitRequest):
        return NamedCommit(request, instance)
    return request


def _codes(answer: Any) -> Iterator[int]:
    """Return the codes of an answer: one in all, or one of each partition."""
    if hasattr(answer, "error_code"):
        yield answer.error_code
        return
    for _, partitions in getattr(answer, "topics", ()):
        for partition in partitions:
            yield partition[-1]
