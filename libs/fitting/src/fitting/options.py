"""The options that both commands share: how a file of orders is to be read."""

from typing import Annotated

import typer

ClientColumn = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Column of client ids (default: by its usual names)."),
]
DateColumn = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Column of order dates (default: by its usual names)."),
]
ValueColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Column of amounts, or a product as 'Quantity*UnitPrice' (default: by usual names).",
    ),
]
DayFirst = Annotated[
    bool | None,
    typer.Option(
        "--day-first/--month-first", help="How to read 3/4/2011 (default: as the column shows)."
    ),
]
TimeZone = Annotated[
    str, typer.Option(metavar="ZONE", help="The shop's time zone: its days are the score's days.")
]
