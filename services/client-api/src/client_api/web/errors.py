"""Every error as a problem document (RFC 9457), and nothing personal in the log."""

from http import HTTPStatus
from typing import cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from client_api.database import DATABASE_ERRORS, constraint_of, name_of, problem_of, sqlstate_of
from client_api.problems import Problem
from client_api.shapes.responses import FieldError, ProblemDocument
from client_api.web.documented import MEDIA_TYPE

CLIENT_CLOSED_REQUEST = 499

log = structlog.get_logger("client_api.web")


def render(
    status: int,
    detail: str,
    errors: list[tuple[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem document as a response."""
    document = ProblemDocument(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=None if errors is None else [FieldError(field=f, detail=d) for f, d in errors],
    )
    return Response(
        document.model_dump_json(exclude_none=True),
        status_code=int(status),
        media_type=MEDIA_TYPE,
        headers=headers,
    )


async def _problem(_: Request, error: Exception) -> Response:
    problem = cast("Problem", error)
    return render(problem.status, problem.detail, problem.errors, problem.headers)


async def _invalid(_: Request, error: Exception) -> Response:
    found = cast("RequestValidationError", error).errors()
    errors = [
        (".".join(str(part) for part in e["loc"]), str(e["msg"]).removeprefix("Value error, "))
        for e in found
    ]
    return render(HTTPStatus.UNPROCESSABLE_ENTITY, "the request is not valid", errors)


async def _http(_: Request, error: Exception) -> Response:
    found = cast("HTTPException", error)
    return render(found.status_code, found.detail, headers=dict(found.headers or {}))


async def _database(_: Request, error: Exception) -> Response:
    problem = problem_of(error)
    # An error's own text may quote the row it is about.
    log.log(
        40 if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR else 30,
        "database_error",
        error=name_of(error),
        sqlstate=sqlstate_of(error),
        constraint=constraint_of(error) if isinstance(error, DBAPIError) else "",
        status=int(problem.status),
    )
    return render(problem.status, problem.detail, headers=problem.headers)


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)


async def unexpected(error: Exception) -> Response:
    """Answer 500 to what nobody foresaw, and log where it came from, without its values."""
    trail = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        trail.append(f"{code.co_filename}:{step.tb_lineno} {code.co_qualname}")
        step = step.tb_next
    log.error("request_failed", error=type(error).__name__, trail=trail[-12:])
    return render(HTTPStatus.INTERNAL_SERVER_ERROR, "the request failed; it is logged")


def install(app: FastAPI) -> None:
    """Make the application answer every error with a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in DATABASE_ERRORS:
        app.add_exception_handler(kind, _database)
    app.add_exception_handler(ClientDisconnect, _gone)
