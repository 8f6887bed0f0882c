"""What a cell says: client ids, days and amounts from text as shops' exports write them."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

MISSING = ("", "nan", "none", "null", "n/a", "na", "<na>", "nil", "nat", "\\n", "-")
"""Texts that stand for nothing, in any case."""

ISO = r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:\D.*)?$"
COMPACT = r"^(\d{4})(\d{2})(\d{2})(?:\.0+|[T ].*)?$"
PARTED = r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?:[T ,].*)?$"
CLOCK = r"[T ](\d{1,2}):(\d{2})"
ZONE = r"[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)? ?(Z|UTC|[+-]\d{2}(?::?\d{2})?)$"

CENTS_MAX = 1e15
"""Amounts beyond ten trillion are no amounts."""


class Days(NamedTuple):
    """Dates read, and how days and months were told apart."""

    days: pl.Series
    """Days since 1970-01-01 in the shop's zone; null where the text is no date."""
    note: str | None


def client_ids(column: str) -> pl.Expr:
    """Return ids as trimmed text, ``12345.0`` as ``12345``; null where there is none."""
    text = pl.col(column).str.strip_chars().str.replace(r"^(-?\d+)\.0+$", "${1}")
    return pl.when(text.str.to_lowercase().is_in(MISSING)).then(None).otherwise(text)


def days(texts: pl.Series, zone: ZoneInfo, *, day_first: bool | None) -> Days:
    """Read dates in ISO, compact and parted form, with or without a time of day and a zone.

    A time with a zone is moved into ``zone``; one without is the shop's own. Whether 3/4/2011 is in
    March or April is decided for the whole column: by what no month can be, else month first.
    """
    text = texts.str.strip_chars()
    parted = text.str.extract_groups(PARTED).struct
    one, two = parted.field("1").cast(pl.Int64), parted.field("2").cast(pl.Int64)
    note = None
    if day_first is None:
        beyond_one, beyond_two = (one > 12).any(), (two > 12).any()  # noqa: PLR2004 - months
        day_first = bool(beyond_one and not beyond_two)
        if one.drop_nulls().len() and beyond_one == beyond_two:
            note = "days and months could not be told apart: read month first (see --day-first)"
    month, day = (two, one) if day_first else (one, two)
    year = parted.field("3")
    year = year.zip_with(year.str.len_chars() == 4, "20" + year)  # noqa: PLR2004 - digits
    whole = (
        text.str.extract_groups(ISO).struct,
        text.str.extract_groups(COMPACT).struct,
    )
    frame = pl.DataFrame({"text": text})
    dates = [
        _date(form.field("1"), form.field("2").cast(pl.Int64), form.field("3").cast(pl.Int64))
        for form in whole
    ]
    dates.append(_date(year, month, day))
    frame = frame.with_columns(pl.coalesce(*dates).alias("date"))
    return Days(_in_zone(frame, zone), note)


def _date(year: pl.Series, month: pl.Series, day: pl.Series) -> pl.Series:
    text = pl.DataFrame({"y": year, "m": month, "d": day}).select(
        pl.format("{}-{}-{}", "y", "m", "d")
    )
    return text.to_series().str.to_date("%Y-%m-%d", strict=False)


def _in_zone(frame: pl.DataFrame, zone: ZoneInfo) -> pl.Series:
    """Move dates whose time names a zone into the shop's; return day numbers."""
    text, date = pl.col("text"), pl.col("date")
    named = text.str.extract(ZONE, 1)
    offset = (
        pl.when(named.is_in(["Z", "UTC"]))
        .then(0)
        .otherwise(
            (named.str.slice(1, 2).cast(pl.Int64, strict=False) * 60
            + named.str.extract(r"^[+-]\d{2}:?(\d{2})$", 1).cast(pl.Int64).fill_null(0))
            * pl.when(named.str.starts_with("-")).then(-1).otherwise(1)
        )
    )  # fmt: skip
    clock = text.str.extract_groups(CLOCK)
    minutes = clock.struct.field("1").cast(pl.Int64) * 60 + clock.struct.field("2").cast(pl.Int64)
    moment = date.cast(pl.Datetime("ms")) + pl.duration(minutes=minutes - offset)
    there = moment.dt.replace_time_zone("UTC").dt.convert_time_zone(str(zone)).dt.date()
    day = pl.when(named.is_not_null()).then(there).otherwise(date)
    return frame.select(day.cast(pl.Int32).cast(pl.Int64)).to_series()


def decimal_comma(texts: pl.Series) -> bool:
    """Tell whether a column writes 12,50 for twelve and a half: by the ends of its numbers."""
    ends = texts.str.strip_chars(" \u00a0€$£¥)").str
    commas = ends.contains(r",\d{1,2}$").sum() or 0
    points = ends.contains(r"\.(\d{1,2}|\d{4,})$").sum() or 0
    return bool(commas > points)


def cents(column: str, *, comma: bool) -> pl.Expr:
    """Return amounts in hundredths, rounded; null where the text is no amount.

    Currency signs and codes, spaces and marks of thousands are let pass; (12.50) is negative.
    """
    number = amounts(column, comma=comma)
    valid = number.is_finite() & (number.abs() * 100 <= CENTS_MAX)
    return pl.when(valid).then((number * 100).round()).otherwise(None).cast(pl.Int64)


def amounts(column: str, *, comma: bool) -> pl.Expr:
    """Return amounts as floats; null where the text is none."""
    mark, point = (".", ",") if comma else (",", ".")
    text = pl.col(column).str.strip_chars()
    bare = text.str.replace_all(r"[\s\u00a0'\u2019]|[A-Z]{3}|[€$£¥]|kr\.?|zł", "")
    bare = bare.str.replace(r"^\((.*)\)$", "-${1}").str.replace(r"^(.+)-$", "-${1}")
    bare = bare.str.replace_all(mark, "", literal=True).str.replace(point, ".", literal=True)
    read = bare.cast(pl.Float64, strict=False)
    if comma:
        return read
    return pl.coalesce(text.cast(pl.Float64, strict=False), read)
