"""A partition's database: it finds what is there, whoever wrote it and wherever it lies."""

import pytest
from faust.stores.rocksdb import RocksDBOptions

from scorer.shims.database import open_database

KEYS = [b"%d" % n for n in range(0, 4_000, 2)]
ABSENT = [b"%d" % n for n in range(1, 4_000, 2)]


@pytest.mark.parametrize("flushed", [False, True])
def test_rows_are_found_in_memory_and_in_files(tmp_path, flushed):
    """Filters hide no row that is there, and rows that are not there are not found."""
    database = open_database(tmp_path / "db")
    for key in KEYS:
        database.put(key, b"old")
    if flushed:
        database.flush()
    for key in KEYS[::3]:
        database.put(key, b"new of " + key)
    for key in KEYS[1::3]:
        database.delete(key)
    wanted = dict.fromkeys(KEYS[2::3], b"old") | {key: b"new of " + key for key in KEYS[::3]}
    assert database.get(KEYS) == [wanted.get(key) for key in KEYS]
    assert database.get(ABSENT) == [None] * len(ABSENT)
    assert dict(database.items()) == wanted
    assert [key for key, _ in database.items(from_key=b"5")] == sorted(
        k for k in wanted if k >= b"5"
    )
    database.close()
    again = open_database(tmp_path / "db")
    assert dict(again.items()) == wanted
    again.close()


def test_a_database_as_faust_sets_it_goes_on(tmp_path):
    """Rows from before these settings, in compressed blocks, are read and written on."""
    faust = RocksDBOptions(use_rocksdict=True)
    before = faust.open(tmp_path / "db")
    for key in KEYS:
        before.put(key, b"row " * 50)
    before.flush()
    before.close()
    database = open_database(tmp_path / "db")
    assert database.get([*KEYS[:3], b"1"]) == [b"row " * 50] * 3 + [None]
    database.put(KEYS[0], b"more")
    database.flush()
    assert database.get(KEYS[:2]) == [b"more", b"row " * 50]
    database.close()
