"""A transaction on its way: it is committed in a thread of its own while the loop reads on.

The client's calls wait for the broker outside of Python's lock, so reading and translating the next
batch cost no time beside them.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait

from cdc_relay.draft import Draft


class Flight:
    """The one transaction that is being committed, and the batch that it carries."""

    def __init__(self, draft: Draft, commit: Callable[[], None]) -> None:
        """Start ``commit`` at once. Its thread holds up nobody's end, should it hang."""
        self.draft = draft
        self.seconds = 0.0
        """How long it was on its way, once it has landed."""
        self._commit = commit
        self._began = time.monotonic()
        self._landed: Future[None] = Future()
        threading.Thread(target=self._fly, name="flight", daemon=True).start()

    def over(self, seconds: float) -> bool:
        """Wait for up to ``seconds``; tell whether it has landed, well or not."""
        return bool(wait([self._landed], seconds).done)

    def land(self) -> Draft:
        """Wait until it has landed and return what is committed now; raises what went wrong."""
        self._landed.result()
        return self.draft

    def _fly(self) -> None:
        try:
            self._commit()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is asked for
            self._landed.set_exception(error)
        else:
            self.seconds = time.monotonic() - self._began
            self._landed.set_result(None)
