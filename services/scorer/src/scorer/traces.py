"""In which trace each client's newest change stands, for a while: what follows goes on with it.

Ticks open episodes, and belong to no trace: an episode that opens soon after a change was the
change's doing, one that opens weeks later was time's. Known in memory alone: a worker that takes
a partition over begins without any.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from common import tracing

KEPT_S = 900.0
KEPT_MAX = 10_000
"""Clients: some megabytes at most."""

Headers = tuple[tuple[str, bytes], ...]


class Traces:
    """The traces of clients that were changed lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know none; ``clock`` counts seconds."""
        self._clock = clock
        self._known: OrderedDict[int, tuple[float, Headers]] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether any is known."""
        return bool(self._known)

    def take(
        self,
        client_id: int,
        headers: Sequence[tuple[str, bytes]],
        place: tracing.Place,
    ) -> tracing.Span | None:
        """Go on with the trace of a client's change, by the headers of the record at a place.

        Returns the span of working it in, to be ended when it is durable; None when nobody traces
        it, and then what follows is in no older change's trace either.
        """
        span = tracing.process(place, tracing.of_headers(headers))
        passed_on = None if span is None else tracing.sampled(span)
        if passed_on is None:
            self._known.pop(client_id, None)
            return None
        self._known[client_id] = self._clock(), ((tracing.HEADER, passed_on.encode()),)
        self._known.move_to_end(client_id)
        if len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)
        return span

    def headers(self, client_id: int) -> Headers:
        """Return what is told of a client carries on."""
        found = self._known.get(client_id)
        if found is None:
            return ()
        since, headers = found
        if self._clock() - since <= KEPT_S:
            return headers
        del self._known[client_id]
        return ()

    def forget(self) -> None:
        """Forget all of them."""
        self._known.clear()
