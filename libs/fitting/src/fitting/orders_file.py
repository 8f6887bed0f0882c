"""Reads a shop's order file, whatever its quirks, and says what it left out and why."""

import codecs
import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from common.errors import Misconfigured
from fitting import cells
from fitting.columns import Columns, choose
from fitting.history import History, history_of

SEPARATORS = (",", ";", "\t", "|")
CHUNK = 1 << 22
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Asked(NamedTuple):
    """How the caller says the file is to be read; None: find out."""

    client: str | None = None
    date: str | None = None
    value: str | None = None
    day_first: bool | None = None
    zone: ZoneInfo = ZoneInfo("UTC")


class Notes(NamedTuple):
    """What was read, and what was left out: rows by the first reason that fits."""

    rows: int
    duplicates: int
    """Lines equal to another one in every column: one order, told twice."""
    missing_client: int
    unreadable_date: int
    unreadable_value: int
    negative: int
    """Refunds and cancellations: they do not count, and take nothing out."""
    zero: int
    counted: int
    remarks: tuple[str, ...]


REASONS = (
    "missing_client", "unreadable_date", "unreadable_value", "negative", "zero", "counted",
)  # fmt: skip


class Loaded(NamedTuple):
    """A history, and how it came out of its file."""

    orders: History
    notes: Notes


def load(path: Path, asked: Asked) -> Loaded:
    """Read a file of orders, one a line; raises Misconfigured with one clear line."""
    if not path.is_file():
        raise Misconfigured(f"{path}: there is no such file")
    try:
        with _as_utf8(path) as (readable, encoding):
            return _load(path, readable, encoding, asked)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror or error}") from None
    except pl.exceptions.PolarsError as error:
        first_line = str(error).strip().splitlines()[0]
        raise Misconfigured(f"{path} is no table of orders: {first_line}") from None


def _load(path: Path, readable: Path, encoding: str, asked: Asked) -> Loaded:
    separator, header = _header(path, readable)
    chosen = choose([name.strip() for name in header], asked.client, asked.date, asked.value)
    scan = pl.scan_csv(
        readable,
        separator=separator,
        infer_schema=False,
        with_column_names=lambda names: [name.strip() for name in names],
        truncate_ragged_lines=True,
        raise_if_empty=False,
        glob=False,
    )
    remarks = [f"read as {encoding}, separated by {separator!r}"] if encoding != "utf-8" else []
    rows = _unique(scan, chosen)
    texts = rows["date"].drop_nulls().unique()
    read = cells.days(texts, asked.zone, day_first=asked.day_first)
    if read.note:
        remarks.append(read.note)
    by_text = pl.DataFrame({"date": texts, "day": read.days})
    rows = rows.join(by_text, on="date", how="left").drop("date")
    rows = rows.with_columns(_value(rows, chosen, remarks)).drop(
        [f"value{i}" for i in range(len(chosen.value))]
    )
    reason = (
        pl.when(pl.col("client").is_null())
        .then(pl.lit("missing_client"))
        .when(pl.col("day").is_null())
        .then(pl.lit("unreadable_date"))
        .when(pl.col("cents").is_null())
        .then(pl.lit("unreadable_value"))
        .when(pl.col("cents") < 0)
        .then(pl.lit("negative"))
        .when(pl.col("cents") == 0)
        .then(pl.lit("zero"))
        .otherwise(pl.lit("counted"))
    )
    by_reason = dict(rows.group_by(reason.alias("reason")).len().iter_rows())
    total = int(rows["copies"].sum())
    counts = {name: int(by_reason.get(name, 0)) for name in REASONS}
    notes = Notes(rows=total, duplicates=total - rows.height, remarks=tuple(remarks), **counts)
    return Loaded(_history(path, rows, notes), notes)


def _unique(scan: pl.LazyFrame, chosen: Columns) -> pl.DataFrame:
    """Return the three columns of every different line, with how often it is there."""
    names = scan.collect_schema().names()
    line = pl.struct(pl.col(names)).hash().alias("line")
    values = [pl.col(name).alias(f"value{i}") for i, name in enumerate(chosen.value)]
    wanted = scan.select(
        cells.client_ids(chosen.client).alias("client"),
        pl.col(chosen.date).alias("date"),
        *values,
        line,
    )
    firsts = [pl.first(f"value{i}") for i in range(len(values))]
    grouped = wanted.group_by("line").agg(
        pl.first("client"), pl.first("date"), *firsts, pl.len().alias("copies")
    )
    return grouped.drop("line").collect(engine="streaming")


def _value(rows: pl.DataFrame, chosen: Columns, remarks: list[str]) -> pl.Expr:
    if len(chosen.value) == 1:
        comma = cells.decimal_comma(rows["value0"])
        if comma:
            remarks.append("amounts are written with a decimal comma")
        return cells.cents("value0", comma=comma).alias("cents")
    product = pl.lit(1.0)
    for i in range(len(chosen.value)):
        name = f"value{i}"
        product = product * cells.amounts(name, comma=cells.decimal_comma(rows[name]))
    valid = product.is_finite() & (product.abs() * 100 <= cells.CENTS_MAX)
    whole = (product * 100).round()
    return pl.when(valid).then(whole).otherwise(None).cast(pl.Int64).alias("cents")


def _history(path: Path, rows: pl.DataFrame, notes: Notes) -> History:
    if not notes.counted:
        left_out = ", ".join(
            f"{name.replace('_', ' ')} {count}"
            for name, count in zip(Notes._fields[1:7], notes[1:7], strict=True)
            if count
        )
        raise Misconfigured(f"{path}: no line is an order ({left_out or 'it has no lines'})")
    counted = (
        rows.lazy()
        .filter(
            pl.col("client").is_not_null() & pl.col("day").is_not_null() & (pl.col("cents") > 0)
        )
        .group_by("client", "day")
        .agg(pl.sum("cents"))
        .collect(engine="streaming")
    )
    clients = counted.select(pl.col("client").unique().sort()).to_series()
    index = pl.DataFrame({"client": clients, "owner": np.arange(clients.len())})
    counted = counted.join(index, on="client").drop("client")
    return history_of(
        clients.to_list(),
        counted["owner"].to_numpy(),
        counted["day"].to_numpy(),
        counted["cents"].to_numpy(),
    )


def _header(path: Path, readable: Path) -> tuple[str, list[str]]:
    with readable.open(encoding="utf-8", newline="") as file:
        line = file.readline(1 << 20)
    if not line.strip():
        raise Misconfigured(f"{path} is empty")
    separator = max(SEPARATORS, key=lambda mark: len(next(csv.reader([line], delimiter=mark))))
    return separator, next(csv.reader([line.rstrip("\r\n")], delimiter=separator))


@contextmanager
def _as_utf8(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file as UTF-8 without a byte order mark: itself, or a temporary copy."""
    encoding = _encoding(path)
    if encoding == "utf-8":
        yield path, encoding
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "orders.csv"
        with (
            path.open(encoding=encoding, newline="", errors="strict") as source,
            copy.open("w", encoding="utf-8", newline="") as target,
        ):
            while text := source.read(CHUNK):
                target.write(text)
        yield copy, encoding


def _encoding(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        chunk = file.read(CHUNK)
        for mark, name in BOMS:
            if chunk.startswith(mark):
                return name
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = file.read(CHUNK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8"
