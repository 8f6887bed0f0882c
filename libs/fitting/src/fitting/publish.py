"""Puts fitted parameters in force: a new policy version through client-api."""

import os

import httpx
from pydantic import ValidationError

from common.errors import Misconfigured, Transient
from common.policy import ShopPolicy
from common.score.policy import Policy
from fitting.frame import Refused
from fitting.parameters import Parameters

LIMIT_S = 15.0
TOKEN = "CLIENT_API_TOKEN"  # noqa: S105 - the name of a variable


def token() -> str:
    """Return the access token that the environment holds; raises Misconfigured without one."""
    found = os.environ.get(TOKEN, "").strip()
    if not found:
        raise Misconfigured(
            f"--publish needs an access token with policy:write in the environment as {TOKEN}"
        )
    return found


def publish(api: str, bearer: str, found: Parameters) -> int:
    """Post the policy in force with the fitted fields replaced; return the new version.

    Not retried: an answer that was lost may mean that the version is there. Raises Misconfigured,
    Transient, or Refused where the API finds fault with the policy.
    """
    try:
        headers = {"Authorization": f"Bearer {bearer}"}
        with httpx.Client(base_url=api, timeout=LIMIT_S, headers=headers) as http:
            policy = found.to_policy(_in_force(http))
            note = f"fitted on {found.window.n} clients, {found.window.features_on} and after"
            body = {"document": policy.model_dump(mode="json"), "note": note}
            answer = http.post("/api/policies", json=body)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.ConnectError) as error:
        raise Misconfigured(f"no API answers at {api}: {error}") from None
    except httpx.TransportError as error:
        raise Transient(
            f"the API at {api} broke off: {error!r}; look before trying again"
        ) from None
    except ValidationError as error:
        raise Refused(f"the fitted values make no policy: {error.errors()[0]['msg']}") from None
    if answer.status_code != httpx.codes.CREATED:
        raise Refused(f"the API refused the policy ({answer.status_code}): {answer.text[:300]}")
    return int(answer.json()["version"])


def _in_force(http: httpx.Client) -> Policy:
    answer = http.get("/api/policies/current")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return Policy()
    if answer.status_code != httpx.codes.OK:
        raise Refused(f"the policy in force cannot be read ({answer.status_code})")
    return ShopPolicy.model_validate(answer.json()["document"]).scoring
