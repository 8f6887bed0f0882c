"""Writes the report of an evaluation: one HTML file that asks nothing of anyone else."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from common.clock import date_of
from common.errors import Misconfigured
from common.score.policy import Policy
from fitting import charts
from fitting.at_risk import RuleQuality, quality
from fitting.evaluation import Evaluation
from fitting.orders_file import Loaded

NOTHING = "the data cannot tell"
FIGURES = (
    ("auc_all", "AUC, all clients", "chance that a leaver is ranked riskier than one who orders"),
    ("auc_repeat", "AUC, repeat clients", "the same, of clients with two or more order-days"),
    ("pr_auc", "PR-AUC", "average precision for those who do not order"),
    ("brier", "Brier score", "mean squared error of the chance; lower is better"),
    ("ece", "Calibration error", "expected, in ten bins of equal size; lower is better"),
    ("lift_top_decile", "Lift of the top decile", "churn of the riskiest tenth over that of all"),
    ("spend_top_20", "Spend of the top 20 %", "share of later spend made by the best-scored fifth"),
)
REASONS = (
    ("rows", "lines in the file", ""),
    ("duplicates", "duplicates left out", "equal to another line in every column"),
    ("missing_client", "without a client", "empty, nan, None and the like"),
    ("unreadable_date", "without a readable date", ""),
    ("unreadable_value", "without a readable amount", ""),
    ("negative", "refunds and negative amounts", "they do not count as orders"),
    ("zero", "amounts of zero", "they do not count as orders"),
    ("counted", "orders counted", ""),
)


def write(target: Path, name: str, loaded: Loaded, found: Evaluation) -> None:
    """Write the report; raises Misconfigured where the file cannot be written."""
    policy = found.fitted.policy(Policy())
    first, last = found.split + 1, found.split + found.horizon_days
    rule = quality(loaded.orders, first, last, policy)
    environment = Environment(
        loader=PackageLoader("fitting", "."), autoescape=True, undefined=StrictUndefined
    )
    text = environment.get_template("report.html.j2").render(
        name=name,
        split=date_of(found.split),
        fit_day=date_of(found.fitted.day),
        fit_n=f"{found.fitted.n:,}",
        horizon=found.horizon_days,
        cards=_cards(found),
        # matplotlib drew them; its texts are ours, not the file's.
        calibration=Markup(charts.calibration(found.judged)),  # noqa: S704
        lift=Markup(charts.lift(found.judged)),  # noqa: S704
        figures=_figures(found),
        policy=policy,
        rule=_rule(rule, found.horizon_days, policy),
        rule_first=date_of(first),
        rule_last=date_of(last),
        weights=_weights(found),
        quality=[(label, hint, f"{getattr(loaded.notes, key):,}") for key, label, hint in REASONS],
        remarks=[*loaded.notes.remarks, *found.remarks],
    )
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Misconfigured(f"{target} cannot be written: {error.strerror}") from None


def _cards(found: Evaluation) -> list[tuple[str, str]]:
    judged = found.judged
    repeats = int((judged.of.columns.n > 1).sum())
    return [
        (f"{judged.chance.size:,}", f"clients, {repeats:,} with two or more order-days"),
        (f"{1 - judged.seen.ordered.mean():.1%}", "did not order within the horizon"),
        (_number(judged.score.auc_all), "AUC, all clients"),
        (_number(judged.score.auc_repeat), "AUC, repeat clients"),
        (_number(judged.score.ece), "calibration error"),
    ]


def _figures(found: Evaluation) -> list[tuple[str, str, str, str]]:
    judged = found.judged
    return [
        (label, hint, _number(getattr(judged.score, key)), _number(getattr(judged.recency, key)))
        for key, label, hint in FIGURES
    ]


def _rule(rule: RuleQuality, horizon: int, policy: Policy) -> list[tuple[str, str]]:
    return [
        ("order-days looked at", f"{rule.order_days:,}"),
        (f"no order within {horizon} days after them (base rate)", _share(rule.silent)),
        ("warnings whose outcome is known", f"{rule.warnings:,}"),
        (f"precision: no order within {horizon} days of the warning", _share(rule.precision)),
        (f"lapses: silent for more than {policy.lapse_days} days", f"{rule.lapses:,}"),
        ("lapses that a warning came before", _share(rule.caught)),
        ("… by the score alone, without the silence rule", _share(rule.caught_by_score)),
    ]


def _weights(found: Evaluation) -> list[tuple[str, str]]:
    names = ("intercept", "frequency", "value", "recency")
    rows: list[tuple[str, Any]] = list(zip(names, found.fitted.weights, strict=True))
    rows += [
        ("usual gap of the shop, days", found.fitted.gap_prior_days),
        ("half-life, days", found.fitted.half_life_days),
    ]
    return [(name, f"{value:.4g}") for name, value in rows]


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1%}"
