"""How a partition's database is set: for many small rows, read and written at random.

What Faust sets (``RocksDBOptions`` in ``faust/stores/rocksdb.py``) costs more a row the more rows
there are: blocks are compressed, and fetched by a system call each; and its filter of 3 bits a key
lets one in five looks through to a file that does not have the key.
"""

from pathlib import Path

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    ReadOptions,
)

WRITE_BUFFER_BYTES = 32 * 1024**2
WRITE_BUFFERS = 2
CACHE_BYTES = 32 * 1024**2
FILTER_BITS = 10
"""A key: one look in a hundred is in vain."""
BUFFER_FILTER_SHARE = 0.05
"""Of a write buffer's memory: most rows are not in it, and to find that out without a filter takes
a walk through a list of a hundred thousand."""


def open_database(path: Path) -> Rdict:
    """Open a partition's database, or make it; whatever wrote it before, it can be read.

    Files are mapped, not read: a block that lies in the page cache costs neither a system call nor
    a copy. That is so only for blocks that are not compressed. The pages count as the process's
    memory while they are there, and the kernel takes them back when it needs them.
    """
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(WRITE_BUFFERS)
    options.set_memtable_prefix_bloom_ratio(BUFFER_FILTER_SHARE)
    options.set_memtable_whole_key_filtering(True)
    options.set_compression_type(DBCompressionType.none())
    options.set_allow_mmap_reads(True)
    blocks = BlockBasedOptions()
    blocks.set_bloom_filter(FILTER_BITS, block_based=False)
    blocks.set_block_cache(Cache(CACHE_BYTES))
    options.set_block_based_table_factory(blocks)
    database = Rdict(str(path), options=options, access_type=AccessType.read_write())
    database.set_read_options(ReadOptions())
    return database
