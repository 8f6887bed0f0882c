"""``score-fit``: the weights from a shop's own orders, written to a file or put in force."""

import json
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from common import settings
from common.clock import day_of
from common.cluster import KafkaSecurity
from common.errors import Misconfigured
from common.score.policy import Policy
from fitting import fit, held_out, postgres_orders, publish, topic_orders
from fitting.frame import Refused, day_of_text, run, zone_of
from fitting.history import History
from fitting.options import ClientColumn, DateColumn, DayFirst, TimeZone, ValueColumn
from fitting.orders_file import Asked, load
from fitting.parameters import Parameters

app = typer.Typer(add_completion=False, rich_markup_mode="rich")
DEFAULT = Policy()


@app.command()
def fit_score(  # noqa: PLR0917 - the options of a command line
    orders: Annotated[
        Path | None, typer.Option(help="Read a file of orders: client, date, value.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="SCORE_FIT_DATABASE_URL",
            show_envvar=True,
            help="Read the table orders of this Postgres, by a role that may read it.",
        ),
    ] = None,
    kafka: Annotated[
        str | None,
        typer.Option(
            metavar="SERVERS",
            help="Read both lanes of client.events, start to end. TLS is set up by the services' "
            "variables: KAFKA_SECURITY_PROTOCOL, KAFKA_SSL_….",
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Last day of the labels (default: of the last order)."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The parameter file to write.")] = Path(
        "score-parameters.json"
    ),
    publish_to: Annotated[
        str | None,
        typer.Option(
            "--publish",
            metavar="API_URL",
            help="Also put it in force: a new policy. Needs an access token in CLIENT_API_TOKEN.",
        ),
    ] = None,
    horizon: Annotated[int, typer.Option(min=1, max=3650, help="Days.")] = DEFAULT.horizon_days,
    half_life: Annotated[float, typer.Option(help="Days.")] = DEFAULT.half_life_days,
    rho: Annotated[float, typer.Option(help="Of the at-risk rule.")] = DEFAULT.rho,
    theta: Annotated[float, typer.Option(help="Of the at-risk rule.")] = DEFAULT.theta,
    max_ece: Annotated[float, typer.Option(help="Refuse a larger calibration error.")] = 0.03,
    held: Annotated[
        str | None,
        typer.Option(
            "--held-out",
            metavar="FILE|draw",
            help="Fit on these clients where there are 1,000, and report how the score does on "
            "them: ids in a file, or the mailer's own draw (with its HOLDOUT_SALT).",
        ),
    ] = None,
    holdout_percent: Annotated[
        float, typer.Option(help="Of the draw, as in the policy.")
    ] = DEFAULT.holdout_percent,
    client_column: ClientColumn = None,
    date_column: DateColumn = None,
    value_column: ValueColumn = None,
    day_first: DayFirst = None,
    time_zone: TimeZone = "UTC",
) -> None:
    """Fit the engagement score on a shop's own orders.

    Takes the last matured window: features as they stood HORIZON days before --as-of, and who has
    ordered since. Weights are fitted under their signs and written to a parameter file, with the
    window and its quality; the file's "policy" object is what a policy takes up.

    A fit is refused, and nothing is written, when its AUC is not above that of recency alone, its
    calibration error is above --max-ece, its window has under 1,000 clients, or a weight would
    have the wrong sign. Where the history is long enough, AUC and calibration are out of time:
    weights of one horizon earlier, judged on this window.

    Name one source: --orders, --database or --kafka. Nothing is put in force without --publish.

    Exit codes: 0 done; 1 refused or broken off; 2 the source or the question is wrong.

    Example:  score-fit --database "$URL" --time-zone Europe/Berlin --out parameters.json
    """
    zone = zone_of(time_zone)
    if sum(source is not None for source in (orders, database, kafka)) != 1:
        raise Misconfigured("name one source: --orders FILE, --database URL or --kafka SERVERS")
    try:
        base = Policy(horizon_days=horizon, half_life_days=half_life, rho=rho, theta=theta)
    except ValidationError as error:
        raise Misconfigured(f"{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}") from None
    put_in_force = None
    if publish_to is not None:
        put_in_force = partial(publish.publish, publish_to, publish.token())
    asked = Asked(client_column, date_column, value_column, day_first, zone)
    history, source = _read(orders, database, kafka, asked, zone)
    out_ids = None
    if held is not None:
        out_ids = held_out.clients_of(held, holdout_percent, history.clients)
    today = day_of(datetime.now(UTC), zone)
    end = _last_day(history, today) if as_of is None else day_of_text(as_of, "--as-of")
    found = fit.fit(history, fit.Ask(source, end, str(zone), base, out_ids))
    reasons = fit.against(found, max_ece)
    if reasons:
        raise Refused("\n".join(f"refused: {reason}" for reason in reasons))
    found.save(out)
    _tell(found, out, None if put_in_force is None else put_in_force(found))


def main() -> None:
    """Run the command line."""
    run(app)


def _read(
    orders: Path | None, database: str | None, kafka: str | None, asked: Asked, zone: ZoneInfo
) -> tuple[History, str]:
    if orders is not None:
        loaded = load(orders, asked)
        for remark in loaded.notes.remarks:
            sys.stderr.write(f"note: {remark}\n")
        return loaded.orders, f"file {orders.name}"
    if database is not None:
        return postgres_orders.read(database, zone), "Postgres, table orders"
    history, unreadable = topic_orders.read(settings.load(KafkaSecurity).cluster(kafka or ""), zone)
    if unreadable:
        sys.stderr.write(f"note: {unreadable} records are no events and were left out\n")
    return history, "Kafka, " + " and ".join(topic_orders.LANES)


def _last_day(history: History, today: int) -> int:
    """Return the day of the last order that is not in the future: a typo must not set the clock."""
    past = history.day[history.day <= today]
    if not past.size:
        raise Misconfigured("all orders are dated in the future: name the last day with --as-of")
    return int(past.max())


def _tell(found: Parameters, out: Path, version: int | None) -> None:
    document = {
        "file": str(out),
        "policy_version": version,
        **found.model_dump(mode="json", include={"policy", "window", "quality", "held_out"}),
    }
    print(json.dumps(document, allow_nan=False))  # noqa: T201 - the answer
