"""The features behind a policy's preview, read once for everybody who moves a slider."""

import asyncio
import time

from sqlalchemy.ext.asyncio import AsyncEngine

from client_api.operations.trial import Difference, beyond_features, compare
from client_api.problems import Invalid
from client_api.store import features
from client_api.store.features import Stock
from common.clock import number_of
from common.score.policy import Policy
from engage.frame import BadInput
from engage.what_if_policy import laid_over

SEEN_MAX = 100_000
"""Of more clients a sample of so many is looked at."""
KEPT_S = 30.0


class Previews:
    """Tries policies; the features it goes by are some seconds old at most."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Read with the server's engine."""
        self._engine = engine
        self._reading = asyncio.Lock()
        self._stock: Stock | None = None
        self._read_at = float("-inf")

    async def compare(self, present: Policy, over: dict[str, object]) -> tuple[Stock, Difference]:
        """Compare the present policy with what is laid over it.

        Raises Invalid for what is no policy, or needs the whole history; NotFound before the first
        day is served.
        """
        try:
            candidate = laid_over(present, ("policy", over))
        except BadInput as error:
            raise Invalid(str(error)) from None
        beyond = beyond_features(present, candidate)
        if beyond:
            why = "the stored features depend on it: start a what-if run"
            raise Invalid(
                "only the whole history can tell", [(f"policy.{field}", why) for field in beyond]
            )
        stock = await self._fresh()
        day = number_of(stock.as_of)
        found = await asyncio.to_thread(compare, stock.columns, day, present, candidate)
        return stock, found

    async def _fresh(self) -> Stock:
        async with self._reading:
            if self._stock is None or time.monotonic() - self._read_at > KEPT_S:
                async with self._engine.connect() as db:
                    self._stock = await features.read(db, SEEN_MAX)
                self._read_at = time.monotonic()
            return self._stock
