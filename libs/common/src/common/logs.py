"""Logs: one JSON object a line, with the service's name; never personal data."""

import logging
import re
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import structlog
from opentelemetry import trace

Logger = structlog.stdlib.BoundLogger

_TEXTS = frozenset({"exc_value", "exc_notes", "syntax_error"})
_OURS = frozenset(
    {
        "common",
        "engage",
        "fitting",
        "client_api",
        "cdc_relay",
        "scorer",
        "mailer",
        "sandbox",
        "stack",
        "demo",
    }
)
"""Our packages: the texts of the errors that they define are ours."""
_CODE = re.compile(r"[A-Z0-9_]{1,60}")


def configure(service: str, level: str) -> Logger:
    """Set up JSON logging for the process and return its logger.

    Records of the standard library's loggers (Faust, uvicorn, SQLAlchemy) take the same form.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(_discreet),
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logger: Logger = structlog.get_logger(service)

    def crashed(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        logger.critical("crashed", exc_info=(kind, error, at))

    sys.excepthook = crashed
    return logger


def add_trace(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Say in which trace a line was written: two random numbers that are about nobody."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event


# Local variables may hold personal data: they stay out of the log.
_transform = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def _discreet(exc_info: structlog.typing.ExcInfo) -> list[dict[str, Any]]:
    """Return what an error was and where it came from, without what it says.

    The text of a foreign error may quote data: Postgres quotes the row that it refuses. Ours never
    does, so the texts of errors that our packages define stay; of Postgres and Kafka the code does.
    """
    return _without_texts(_transform(exc_info), exc_info[1], set())


def _without_texts(
    told: list[dict[str, Any]], error: BaseException, seen: set[int]
) -> list[dict[str, Any]]:
    """Pair each description of a chain with its error; what has no partner counts as foreign."""
    chain = _chain(error, seen)
    return [_without_text(one, next(chain, None), seen) for one in told]


def _without_text(
    told: dict[str, Any], error: BaseException | None, seen: set[int]
) -> dict[str, Any]:
    kept = {name: value for name, value in told.items() if name not in _TEXTS or _is_ours(error)}
    code = _code(error)
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    described = told.get("exceptions") or ()
    inner = [_without_texts(one, part, seen) for one, part in zip(described, parts, strict=False)]
    return {**kept, **({"code": code} if code else {}), "exceptions": inner}


def _chain(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    """Yield an error and what is behind it, in the order and with the gaps of structlog."""
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        cause, context = error.__cause__, error.__context__
        if cause is not None and cause.__traceback__:
            error = cause
        elif context is not None and context.__traceback__ and not error.__suppress_context__:
            error = context
        else:
            return


def _is_ours(error: BaseException | None) -> bool:
    return any(kind.__module__.split(".")[0] in _OURS for kind in type(error).__mro__)


def _code(error: BaseException | None) -> str | None:
    """Return the code that Postgres (SQLSTATE) or Kafka gives to an error, which quotes nothing."""
    found: object = getattr(error, "sqlstate", None)
    # Not every service has the client of Kafka installed.
    if type(error).__name__ == "KafkaException" and error is not None and error.args:
        name = getattr(error.args[0], "name", None)
        found = name() if callable(name) else None
    return found if isinstance(found, str) and _CODE.fullmatch(found) else None
