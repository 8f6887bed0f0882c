"""The adapters of authentication, made from the settings: issuer, keys, verifier, rates."""

from client_api.auth.issuer import Issuer, origin_of
from client_api.auth.keys import Keys
from client_api.auth.rates import Rates, Streams
from client_api.auth.rules import AccessRules
from client_api.auth.tokens import Expected
from client_api.auth.verifier import Verifier
from common.errors import Misconfigured


class Access:
    """Whom the server trusts, and how far. There is no server without."""

    def __init__(self, rules: AccessRules) -> None:
        """Make the adapters; raises Misconfigured."""
        if rules.audience == rules.client_id:
            raise Misconfigured(
                "AUTH_AUDIENCE must not be AUTH_CLIENT_ID: an ID token is no access token"
            )
        self.rules = rules
        self.origin = origin_of(rules.issuer)
        """The issuer's, to which the dashboard connects."""
        self._issuer = Issuer(rules.issuer, rules.jwks_url)
        self._keys = Keys(self._issuer.keys, interval_s=rules.jwks_interval_s)
        self.verifier = Verifier(self._keys, Expected(rules.issuer, rules.audience))
        self.rates = Rates(rules.requests_per_minute, rules.failures_per_minute)
        self.streams = Streams(rules.streams_per_subject)

    def begin(self) -> None:
        """Ask for the issuer's keys, ahead of the first token."""
        self._keys.begin()

    def checks(self) -> dict[str, str | None]:
        """Return what is wrong with the issuer, or None; asks it again while there are no keys."""
        if self._keys.trouble is not None:
            self._keys.begin()
        return {"issuer": self._keys.trouble}

    async def stop(self) -> None:
        """Break off what is under way."""
        await self._keys.stop()
        await self._issuer.stop()
