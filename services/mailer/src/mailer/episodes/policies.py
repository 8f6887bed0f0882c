"""The shop's rules as the mailer reads them: versions are rows that never change."""

from pydantic import ValidationError

from common.errors import Misconfigured, PoisonMessage
from common.policy import ShopPolicy
from mailer.database import Source


class Policies:
    """Policies by version, each read once."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[int, ShopPolicy] = {}

    async def version(self, conn: Source, version: int) -> ShopPolicy:
        """Return one version; raises PoisonMessage when there is no such policy here.

        A caller in a transaction passes its own connection: taking a second one from the pool
        while holding the first is how pools lock up.
        """
        if version not in self._known:
            document = await conn.fetchval("SELECT document FROM policies WHERE id = $1", version)
            if document is None:
                raise PoisonMessage("unknown_policy", f"there is no policy {version}")
            self._known[version] = read(document)
        return self._known[version]

    async def current(self, conn: Source) -> ShopPolicy:
        """Return the newest policy: it decides what becomes final, and when."""
        return await self.version(conn, await conn.fetchval("SELECT max(id) FROM policies"))


def read(document: str) -> ShopPolicy:
    """Read a policy's document; raises Misconfigured when this program is too old for it."""
    try:
        return ShopPolicy.model_validate_json(document)
    except ValidationError as error:
        raise Misconfigured(f"a policy cannot be read: {error.error_count()} problems") from None
