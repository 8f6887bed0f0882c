"""The table: rows are written for a named partition, changelog first, and only where owned.

The holes, in ``faust/tables`` and ``faust/stores/rocksdb.py``:

- ``table[key] = value`` goes to the partition of the event at hand, whatever the key: a row in the
  wrong partition is written without a word, and lost to whoever owns the right one.
- The row reaches RocksDB before the changelog record is even sent; a failed send is only logged
  (``Topic._on_published``). After a crash the local row is then ahead of the changelog, the event
  comes again, is no news any more, and the changelog never learns of it.
- Values and the offset that they stand for are written apart.
- Recovery hands over row by row, and an error on the way is only logged: see ``recovery``.
- Its databases are set for few large rows: up to 2 GiB of cache in each partition (``database``).
- ``_db_for_partition`` opens whatever partition it is asked for, owned or not, and a revoked one is
  closed by the garbage collector, some day.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import faust
import rocksdict
from faust.stores import rocksdb
from faust.types import TP
from faust.types.tables import CollectionT

from scorer.shims.database import open_database


class NotOwned(Exception):
    """A row was asked for in a partition that is not this worker's."""


class RowStore(rocksdb.Store):
    """RocksDB, one database a partition; written only through ``write`` and by recovery."""

    def read(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return stored values in the order of their keys. Raises NotOwned."""
        found: list[bytes | None] = self._owned(partition).get(list(keys))
        return found

    def write(self, partition: int, rows: Mapping[bytes, bytes | None], offset: int) -> None:
        """Store rows together with the changelog offset up to which they stand; None deletes.

        Raises NotOwned.
        """
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in rows.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(self.offset_key, str(offset).encode())
        self._owned(partition).write(batch)

    def scan(self, partition: int, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the rows of an owned partition by key, from ``start`` on."""
        for key, value in self._owned(partition).items(from_key=start):
            if key != self.offset_key:
                yield key, value

    def offset(self, partition: int) -> int | None:
        """Return the changelog offset up to which the rows stand. Raises NotOwned."""
        found: bytes | None = self._owned(partition).get(self.offset_key)
        return None if found is None else int(found)

    def apply_changelog_batch(self, *_: Any, **__: Any) -> None:
        """Do nothing: Faust's own recovery finds nothing left to do."""

    def revoke_partitions(self, table: CollectionT, tps: set[TP]) -> None:
        """Close the databases of revoked partitions now."""
        for tp in tps:
            if tp.topic in table.changelog_topic.topics:
                closing = self._dbs.pop(tp.partition, None)
                if closing is not None:
                    closing.close()

    async def stop(self) -> None:
        """Close all databases."""
        for db in self._dbs.values():
            db.close()
        self._dbs.clear()

    def _open_for_partition(self, partition: int) -> Any:
        return open_database(self.partition_path(partition))

    def _owned(self, partition: int) -> Any:
        db = self._dbs.get(partition)
        if db is None:
            raise NotOwned(f"partition {partition} is not this worker's")
        return db

    def _set(self, key: bytes, value: bytes | None) -> None:
        raise NotImplementedError("rows are written for a named partition, by write()")

    def _del(self, key: bytes) -> None:
        raise NotImplementedError("rows are kept for ever")


class RowTable(faust.Table[bytes, bytes]):
    """A Faust table for its changelog and its recovery; its rows are the store's."""

    def _new_store(self) -> Any:
        return RowStore(
            self._store or self.app.conf.store,
            self.app,
            self,
            table_name=self.name,
            key_type=bytes,
            key_serializer="raw",
            value_type=bytes,
            value_serializer="raw",
            loop=self.loop,
            options={"driver": "rocksdict"},
        )
