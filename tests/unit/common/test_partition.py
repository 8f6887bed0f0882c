"""The partitioner agrees with Kafka's own."""

from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from common.partition import murmur2, partition_of


@given(st.binary(max_size=64))
def test_murmur2_is_kafkas(data):
    """Any key hashes as Java clients and Faust hash it."""
    assert murmur2(data) == reference(data) & 0xFFFFFFFF


@given(st.integers(1, 2**63 - 1), st.integers(1, 64))
def test_a_client_has_one_partition(client_id, partitions):
    """A client's partition is the default partitioner's for its id as key."""
    key = str(client_id).encode()
    assert partition_of(client_id, partitions) == (reference(key) & 0x7FFFFFFF) % partitions
