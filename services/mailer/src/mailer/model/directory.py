"""Looks up what OpenRouter lists of our model, when it is needed, and remembers it."""

import asyncio
import time
from dataclasses import replace

import httpx

from mailer.model.door import Door, Unreadable
from mailer.model.listing import Endpoint, Price, Unlisted, canonical_slug, endpoint
from mailer.model.verdicts import OK, Asked

MODELS_BYTES_MAX = 32 << 20
ENDPOINTS_BYTES_MAX = 1 << 20
PRICE_GOOD_FOR_S = 3600.0
DEADLINE_S = 15.0


class LookUpFailed(Exception):
    """A list could not be had; its text says which and why, for people."""


class Directory:
    """The names and the price of one model at one provider. One event loop owns it."""

    def __init__(self, door: Door, model: str, provider: str) -> None:
        """Know nothing yet but what is asked for."""
        self._door = door
        self._model = model
        self._asked = Asked(frozenset({model}), provider)
        self._models_known = False
        self._endpoint: Endpoint | None = None
        self._endpoint_at = 0.0
        self._one_at_a_time = asyncio.Lock()

    @property
    def asked(self) -> Asked:
        """Whom we ask, by all names that we know."""
        return self._asked

    def forget(self) -> None:
        """Look names up anew: a model may get another canonical name."""
        self._models_known = False
        self._endpoint = None

    async def learn_names(self, model: str | None, provider: str | None) -> None:
        """Look up the names that a reply used and we do not know. Raises LookUpFailed.

        A reply may call the model by its canonical slug and the provider by any display name.
        """
        async with self._one_at_a_time:
            if not self._asked.is_model(model) and not self._models_known:
                listed = await self._get("/models", MODELS_BYTES_MAX)
                try:
                    canonical = canonical_slug(listed, self._model)
                except Unlisted:
                    raise LookUpFailed("the list of models cannot be read") from None
                self._models_known = True
                names = {self._model} | ({canonical} if canonical else set())
                self._asked = replace(self._asked, models=frozenset(names))
            if not self._asked.is_provider(provider) and self._endpoint is None:
                await self._look_at_endpoint()

    async def price(self) -> Price:
        """Return what our model costs at our provider. Raises LookUpFailed."""
        async with self._one_at_a_time:
            old = time.monotonic() - self._endpoint_at > PRICE_GOOD_FOR_S
            if self._endpoint is None or self._endpoint.price is None or old:
                await self._look_at_endpoint()
            if self._endpoint is None or self._endpoint.price is None:
                raise LookUpFailed("no price is listed for the model at the provider")
            return self._endpoint.price

    async def _look_at_endpoint(self) -> None:
        listed = await self._get(f"/models/{self._model}/endpoints", ENDPOINTS_BYTES_MAX)
        try:
            self._endpoint = endpoint(listed, self._asked.provider)
        except Unlisted:
            raise LookUpFailed("the list of the model's providers cannot be read") from None
        self._endpoint_at = time.monotonic()
        self._asked = replace(self._asked, provider_name=self._endpoint.provider_name)

    async def _get(self, path: str, bytes_max: int) -> bytes:
        try:
            async with asyncio.timeout(DEADLINE_S):
                response = await self._door.get(path, bytes_max)
        except (httpx.HTTPError, TimeoutError, Unreadable) as error:
            raise LookUpFailed(f"a list cannot be had ({type(error).__name__})") from None
        if response.status != OK:
            raise LookUpFailed(f"a list cannot be had ({response.status})")
        return response.body
