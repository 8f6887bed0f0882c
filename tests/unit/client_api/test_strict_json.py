"""Bodies mean what JSON Schema says of them."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from client_api.shapes.requests import OrderIn, Strict
from client_api.shapes.strict_json import read

ids = st.integers(1, 2**53 - 1)
body: TypeAdapter[OrderIn] = TypeAdapter(Strict[OrderIn])


@given(ids)
def test_a_number_with_an_empty_fraction_is_an_integer(client: int) -> None:
    """As JSON Schema has it: 7.0 is an integer, and the same one as 7."""
    order = read(OrderIn, b'{"client_id":%d.0,"amount":"1.50"}' % client)
    assert order == read(OrderIn, b'{"client_id":%d,"amount":"1.50"}' % client)
    assert order == body.validate_python({"client_id": float(client), "amount": "1.50"})


@pytest.mark.parametrize("client", [b'"7"', b"true", b"7.5", b"1e300", b"-7.0", b"NaN", b"[7.0]"])
def test_what_is_no_integer_stays_none(client: bytes) -> None:
    """Nothing else is taken for one, nor one beyond the bounds."""
    with pytest.raises(ValidationError):
        read(OrderIn, b'{"client_id":%s,"amount":"1.50"}' % client)


@pytest.mark.parametrize("depth", [100, 253, 254, 300, 900])
def test_a_body_nested_deeply_is_not_valid(depth: int) -> None:
    """However deep it is, it is refused as a body that is not valid, and nothing breaks."""
    deep = orjson.loads(b'{"client_id":1.0,"amount":' + b"[" * depth + b"]" * depth + b"}")
    with pytest.raises(ValidationError):
        body.validate_python(deep)
