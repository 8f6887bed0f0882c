"""Pure: which clients a tick has work for, by day; one index a partition, kept in memory."""

STALE_MIN = 1_000
"""Below this many outdated entries the lists are not worth cleaning."""


class DueIndex:
    """The next day that matters, per client. A million entries take about 130 MB.

    A client's newest day counts; where an older one lies in a list it is skipped when met.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._day_of: dict[int, int] = {}
        self._clients_on: dict[int, list[int]] = {}
        self._stale = 0

    def __len__(self) -> int:
        """Return the number of clients with a day."""
        return len(self._day_of)

    def put(self, client_id: int, day: int | None) -> None:
        """Set the next day that matters for a client; None when none does."""
        known = self._day_of.get(client_id)
        if known == day:
            return
        if known is not None:
            self._stale += 1
        if day is None:
            del self._day_of[client_id]
        else:
            self._day_of[client_id] = day
            self._clients_on.setdefault(day, []).append(client_id)
        if self._stale > max(STALE_MIN, len(self._day_of)):
            self._clean()

    def until(self, day: int, limit: int) -> list[int]:
        """Return up to ``limit`` clients due on ``day`` or before, earliest day first.

        They stay due until ``put`` says otherwise, so that work broken off is taken up again.
        """
        found: dict[int, None] = {}
        for when in sorted(d for d in self._clients_on if d <= day):
            clients = self._clients_on[when]
            # From the tail: what was worked off lies there, and is dropped for good.
            while clients and self._day_of.get(clients[-1]) != when:
                clients.pop()
                self._stale -= 1
            if not clients:
                del self._clients_on[when]
            for client_id in reversed(clients):
                if self._day_of.get(client_id) == when:
                    found[client_id] = None
                    if len(found) >= limit:
                        return list(found)
        return list(found)

    def _clean(self) -> None:
        self._clients_on, self._stale = {}, 0
        for client_id, day in self._day_of.items():
            self._clients_on.setdefault(day, []).append(client_id)
