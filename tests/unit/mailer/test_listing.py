"""What OpenRouter lists is read strictly: names and prices are found, or there are none."""

import json

import pytest

from mailer.model.listing import Endpoint, Price, Unlisted, canonical_slug, endpoint


def listed(data):
    """A list as OpenRouter answers."""
    return json.dumps({"data": data}).encode()


def at(tag, name="Maker Cloud", prompt="0.000002", **pricing):
    """One endpoint of a model."""
    found = {"prompt": prompt, "completion": "0.000004", **pricing}
    return {"tag": tag, "provider_name": name, "pricing": found}


def test_the_canonical_slug_is_found():
    """A model's canonical slug is read from the list of models, if it is there."""
    models = listed([{"id": "a/b", "canonical_slug": "a/b-1"}, {"id": "c/d"}])
    assert canonical_slug(models, "a/b") == "a/b-1"
    assert canonical_slug(models, "c/d") is None
    assert canonical_slug(models, "e/f") is None


@pytest.mark.parametrize("odd", [b"junk", b"{}", b'{"data": {}}', b"[" * 100_000, b"null"])
def test_what_is_no_list_is_refused(odd):
    """A list that cannot be read says nothing, not even that a name is missing."""
    with pytest.raises(Unlisted):
        canonical_slug(odd, "a/b")
    with pytest.raises(Unlisted):
        endpoint(odd, "maker")


def test_a_provider_is_found_by_its_slug():
    """A display name may have nothing in common with the slug; a variant is one endpoint."""
    every = listed({"endpoints": [at("google-vertex", "Google"), at("maker/fp8"), at("maker")]})
    assert endpoint(every, "google-vertex") == Endpoint("Google", Price(2e-6, 4e-6, 0.0))
    assert endpoint(every, "maker/fp8").provider_name == "Maker Cloud"
    assert endpoint(every, "other") == Endpoint(None, None)


def test_the_dearest_endpoint_of_a_provider_counts():
    """Where any endpoint of a provider may answer, its highest price is what a call may cost."""
    every = listed({"endpoints": [at("maker/a"), at("maker/b", prompt="0.1", request="0.5")]})
    assert endpoint(every, "maker").price == Price(0.1, 4e-6, 0.5)
    assert endpoint(every, "maker/a").price == Price(2e-6, 4e-6, 0.0)


@pytest.mark.parametrize("odd", ["-1", "nan", "inf", "free", None, "1e9", 10**400])
def test_a_price_that_is_none_is_not_known(odd):
    """A price that is no sum of money is no price, rather than one of nothing."""
    assert endpoint(listed({"endpoints": [at("maker", prompt=odd)]}), "maker").price is None
