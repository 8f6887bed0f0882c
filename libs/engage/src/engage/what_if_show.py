"""A what-if as people read it: what changes, how good it is likely to be, what it costs."""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from common.clock import date_of
from common.score.sweep import STATES
from engage.what_if import Emails, Standing, WhatIf
from engage.what_if_backtest import TOO_FEW, Proportion
from engage.what_if_run import WhatIfResult


def shown(result: WhatIfResult) -> Group:
    """Return the whole answer as tables and lines."""
    found = result.what_if
    parts: list[RenderableType] = [
        _heading(found),
        _sides(found),
        Text(
            f"\nEnter at risk: {found.entering:,}. Leave: {found.leaving:,}. "
            f"Other states: {found.states_changed - found.entering - found.leaving:,}. "
            f"Scores that differ: {found.scores_changed:,} of {found.clients:,}."
        ),
    ]
    if found.states_changed:
        parts.append(_transitions(found))
    parts.append(Text(f"\n{_emails(found.emails)}"))
    if found.moved:
        parts.append(_moved(found))
    if found.moved_left_out:
        parts.append(Text(f"{found.moved_left_out:,} more clients change: --clients all"))
    parts.append(Text(f"\n{_read(result)}"))
    return Group(*parts)


def _heading(found: WhatIf) -> Text:
    if not found.changed_fields:
        return Text("The candidate is the present policy.")
    changes = ", ".join(
        f"{name} {was} → {becomes}" for name, (was, becomes) in found.changed_fields.items()
    )
    return Text(f"Policy {found.present.policy.version} with {changes}; as of {date_of(found.day)}")


def _sides(found: WhatIf) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("", "present", "candidate"):
        table.add_column(name, justify="left" if not name else "right")
    sides = (found.present, found.candidate)
    for state in STATES:
        table.add_row(state, *(f"{side.by_state[state]:,}" for side in sides))
    table.add_section()
    for name, cell in (
        ("expected precision at risk", _expected),
        (f"back-test{_window(found)}: precision", lambda s: _share(s.backtest.precision)),
        ("  without the call (base rate)", lambda s: _share(s.backtest.base_rate)),
        ("  lapses caught", lambda s: _share(s.backtest.lapses_caught)),
    ):
        table.add_row(name, *(cell(side) for side in sides))
    return table


def _window(found: WhatIf) -> str:
    """Name the back-test's window where both policies share it."""
    one, other = found.present.backtest, found.candidate.backtest
    if one.as_of_day is None or one.until_day is None or one.as_of_day != other.as_of_day:
        return ""
    return f" {date_of(one.as_of_day)}..{date_of(one.until_day)}"


def _expected(side: Standing) -> str:
    if side.expected_precision is None:
        return "nobody at risk"
    return f"{side.expected_precision:.1%}"


def _share(found: Proportion) -> str:
    if found.share is None or found.low is None or found.high is None:
        return f"too few ({found.n} < {TOO_FEW})"
    return f"{found.share:.1%} ({found.low:.1%}..{found.high:.1%}, n {found.n:,})"


def _transitions(found: WhatIf) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("present ↓  candidate →")
    for state in STATES:
        table.add_column(state, justify="right")
    for name, row in found.transitions.items():
        table.add_row(name, *(f"{row[to]:,}" if to in row else "" for to in STATES))
    return table


def _emails(emails: Emails) -> str:
    text = f"Emails: {emails.expected:,.1f} expected of the {emails.entering:,} who enter"
    if emails.held_for_a_person:
        text += (
            f"; {emails.held_for_a_person:,} of them crossed long ago and wait for a person "
            f"({emails.expected_if_all_released:,.1f} if all are released)"
        )
    if emails.expected_cost is None:
        return f"{text}. Their cost needs --cost-per-email."
    return f"{text}. Expected cost: {emails.expected_cost:,.2f}."


def _moved(found: WhatIf) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("client", "present", "score", "candidate", "score"):
        table.add_column(name, justify="right" if name in {"client", "score"} else "left")
    for one in found.moved:
        table.add_row(
            str(one.client_id),
            one.before,
            _score(one.score_before),
            one.after,
            _score(one.score_after),
        )
    return table


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.3f}"


def _read(result: WhatIfResult) -> str:
    text = (
        f"{result.events:,} events read in {result.seconds:.1f} s "
        f"({result.events_per_s:,.0f}/s); nothing was changed."
    )
    if not result.unreadable:
        return text
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in result.unreadable.items())
    return f"{text} Of no use, as to the scorer: {reasons}."
