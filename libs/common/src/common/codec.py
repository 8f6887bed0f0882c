"""Events to bytes and back: one place that knows the wire form."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from common.errors import PoisonMessage
from common.events import TYPE_OF, TYPES, Data, Event


class _Envelope(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str


_EVENTS: dict[str, type[Event[Any]]] = {
    name: Event[data]  # type: ignore[valid-type]
    for name, data in TYPES.items()
}


def encode(data: Data, *, id: str, source: str, subject: str, time: datetime) -> bytes:  # noqa: A002
    """Wrap ``data`` into a CloudEvent and return its JSON bytes.

    ``id`` is the event's identity: the same for every copy of the same fact. ``source`` names the
    service, ``subject`` the client; ``time`` is wall time with a zone.
    """
    name = TYPE_OF[type(data)]
    event = _EVENTS[name](id=id, source=source, type=name, subject=subject, time=time, data=data)
    return event.model_dump_json(exclude_none=False).encode()


def decode(raw: bytes | None) -> Event[Any]:
    """Read one event from JSON bytes.

    Raises PoisonMessage when the bytes are no event, or of a type or version unknown here.
    """
    if raw is None:
        raise PoisonMessage("empty", "the record has no value")
    try:
        name = _Envelope.model_validate_json(raw).type
    except ValidationError as error:
        raise PoisonMessage("not_an_event", _reason(error)) from None
    if name not in _EVENTS:
        raise PoisonMessage("unknown_type", f"no reader for events of type {name[:80]!r}")
    try:
        return _EVENTS[name].model_validate_json(raw)
    except ValidationError as error:
        raise PoisonMessage("invalid", _reason(error)) from None


def _reason(error: ValidationError) -> str:
    """Say what is wrong without repeating the input, which may be personal."""
    return "; ".join(
        f"{'.'.join(str(part) for part in e['loc']) or 'value'}: {e['type']}"
        for e in error.errors(include_url=False, include_context=False, include_input=False)
    )
