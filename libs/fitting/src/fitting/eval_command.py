"""``score-eval``: how good the score is on a shop's own orders."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from fitting import evaluation, report
from fitting.frame import day_of_text, run, zone_of
from fitting.options import ClientColumn, DateColumn, DayFirst, TimeZone, ValueColumn
from fitting.orders_file import Asked, load

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def evaluate(  # noqa: PLR0917 - the options of a command line
    orders: Annotated[
        Path, typer.Option(help="A file of orders, one a line: client, date, value.")
    ],
    split: Annotated[str, typer.Option(metavar="DATE", help="The day to stand on, as 1998-03-31.")],
    horizon: Annotated[int, typer.Option(min=1, max=3650, help="Days to look ahead.")] = 90,
    out: Annotated[
        Path | None, typer.Option(help="Also write a report: one HTML file, complete in itself.")
    ] = None,
    client_column: ClientColumn = None,
    date_column: DateColumn = None,
    value_column: ValueColumn = None,
    day_first: DayFirst = None,
    time_zone: TimeZone = "UTC",
) -> None:
    """Measure the engagement score on a shop's own orders.

    The score is fitted on what was known before the split (features HORIZON days before it, labels
    up to it) and then foretells who orders in the HORIZON days after it. Nothing after the split is
    read into weights or features. One JSON object on stdout tells how good that was, beside a
    score of recency alone.

    AUC, PR-AUC and lift are for "does not order"; ece has ten bins of equal size; spend_top_20 is
    the share of spend after the split made by the best-scored fifth. A figure that the data cannot
    tell is null.

    Files may be separated by comma, semicolon, tab or |; dates may be ISO, 19970101 or 12/31/2010
    8:26. Lines equal in every column are one order. Refunds and orders of zero do not count.

    Exit codes: 0 done; 2 the file or the question is wrong, said in one line.

    Example:  score-eval --orders orders.csv --split 1997-12-31 --horizon 90 --out report.html
    """
    day = day_of_text(split, "--split")
    asked = Asked(client_column, date_column, value_column, day_first, zone_of(time_zone))
    loaded = load(orders, asked)
    found = evaluation.evaluate(loaded.orders, day, horizon)
    for remark in (*loaded.notes.remarks, *found.remarks):
        sys.stderr.write(f"note: {remark}\n")
    if out is not None:
        report.write(out, orders.name, loaded, found)
    print(json.dumps(evaluation.document(found), allow_nan=False))  # noqa: T201 - the answer


def main() -> None:
    """Run the command line."""
    run(app)
