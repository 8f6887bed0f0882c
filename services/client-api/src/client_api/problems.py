"""What can go wrong in a request, each with its HTTP status: RFC 9457 problems."""

from http import HTTPStatus


class Problem(Exception):
    """A request that cannot be done; its text is for the caller and never personal."""

    status: HTTPStatus = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(
        self,
        detail: str,
        errors: list[tuple[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """``errors`` are pairs of a field and what is wrong with it."""
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers = headers


class Invalid(Problem):
    """The request makes no sense to us."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class NotFound(Problem):
    """What the request names does not exist."""

    status = HTTPStatus.NOT_FOUND


class Conflict(Problem):
    """What the request wants to create is there already."""

    status = HTTPStatus.CONFLICT


class Gone(Problem):
    """What the request goes on from was there once, and will not be again."""

    status = HTTPStatus.GONE


class VersionMismatch(Problem):
    """The row has changed since the caller saw it (If-Match)."""

    status = HTTPStatus.PRECONDITION_FAILED


class WrongMediaType(Problem):
    """The body is of another kind than the route takes."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class TooLarge(Problem):
    """The body is longer than what we take."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Unavailable(Problem):
    """Something that we depend on does not answer; trying again later may help."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str) -> None:
        """Tell the caller to wait a second."""
        super().__init__(detail, headers={"Retry-After": "1"})
