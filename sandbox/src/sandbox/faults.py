"""The fault plan: which requests get something else than a good answer, as data set by a test."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal[
    "none",
    "status",
    "error_top",
    "error_choice",
    "refusal",
    "content_filter",
    "length",
    "empty",
    "tool_calls",
    "wrong_schema",
    "extra_key",
    "fenced_json",
    "not_json",
    "html",
    "text",
    "obey",
    "wrong_model",
    "canonical_model",
    "wrong_provider",
    "display_provider",
    "no_provider",
    "no_choices",
    "huge",
    "packed",
    "redirect",
    "trickle",
    "disconnect",
]
"""``text`` answers with ``subject`` and ``body`` as they are; ``obey`` lets the client's own text
into the email, as a model does that follows instructions it should not; ``none`` only delays and
adds ``headers``. ``display_provider`` names the provider as people know it, ``no_provider`` in the
router's metadata alone."""
Path = Literal["chat", "key", "models", "endpoints"]


class Fault(BaseModel):
    """One kind of trouble and the requests that it meets."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    path: Path = "chat"
    contains: str = ""
    """Only requests whose messages contain this text."""
    skip: Annotated[int, Field(ge=0)] = 0
    """Let so many matching requests pass first."""
    times: Annotated[int, Field(ge=1)] | None = None
    """Meet so many requests, then none; for ever without."""
    status: Annotated[int, Field(ge=200, le=599)] = 500
    message: str = "sandbox fault"
    metadata: dict[str, Any] | None = None
    """`error.metadata`, such as {"error_type": "rate_limit_exceeded"}."""
    availability: dict[str, Any] | None = None
    retry_after: float | None = None
    headers: dict[str, str] = {}
    """Further headers, word for word: they may be nonsense."""
    delay_ms: Annotated[int, Field(ge=0, le=600_000)] = 0
    """Added to the model's own delay."""
    location: str = "http://127.0.0.1:9/elsewhere"
    """Where a redirect points to."""
    subject: str = ""
    body: str = ""
    size_bytes: Annotated[int, Field(ge=1, le=200_000_000)] = 50_000_000

    def error(self, code: int) -> dict[str, Any]:
        """Return the error object in OpenRouter's form."""
        found: dict[str, Any] = {"code": code, "message": self.message}
        if self.metadata is not None:
            found["metadata"] = self.metadata
        if self.availability is not None:
            found["availability"] = self.availability
        return found


class Plan:
    """The faults in force, and how often each has met a request."""

    def __init__(self) -> None:
        """Begin without faults."""
        self._faults: list[Fault] = []
        self._seen: list[int] = []

    def replace(self, faults: list[Fault]) -> None:
        """Put another plan in force; counting begins anew."""
        self._faults = faults
        self._seen = [0] * len(faults)

    @property
    def state(self) -> list[dict[str, Any]]:
        """The faults with the number of requests that each has matched."""
        return [
            {**fault.model_dump(exclude_defaults=True), "matched": seen}
            for fault, seen in zip(self._faults, self._seen, strict=True)
        ]

    def meet(self, path: str, text: str) -> Fault | None:
        """Return the first fault in force for a request, and count the request."""
        for index, fault in enumerate(self._faults):
            if fault.path != path or fault.contains not in text:
                continue
            self._seen[index] += 1
            turn = self._seen[index] - fault.skip
            if turn >= 1 and (fault.times is None or turn <= fault.times):
                return fault
        return None
