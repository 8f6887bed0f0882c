"""The report's two charts as SVG text: calibration and lift."""

import io
import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.score.sweep import Floats
from fitting.metrics import bins, lift_curve
from fitting.window import Judged

INK, SCORE, YARDSTICK, GRID = "#1f2933", "#0b6e75", "#c2703d", "#d9dee3"
POINTS = 400
SIZE = (5.4, 4.6)


def calibration(judged: Judged) -> str:
    """Draw the share that ordered against the predicted chance, in ten bins of equal size."""
    figure, axes = _canvas("predicted chance of an order", "share that ordered")
    top = 0.0
    for chance, name, colour in _both(judged):
        found = bins(chance, judged.seen.ordered)
        x, y = [b.predicted for b in found], [b.ordered for b in found]
        top = max(top, *x, *y)
        axes.plot(x, y, "o-", color=colour, label=name, markersize=5, linewidth=1.6)
    edge = min(1.0, top * 1.06 + 0.01)
    axes.plot([0, edge], [0, edge], "--", color=INK, linewidth=0.9, label="as predicted")
    axes.set_xlim(0, edge)
    axes.set_ylim(0, edge)
    axes.legend(frameon=False, loc="upper left")
    return _svg(figure)


def lift(judged: Judged) -> str:
    """Draw the share of those who did not order, among the clients taken riskiest first."""
    figure, axes = _canvas("share of clients, riskiest first", "share of all who did not order")
    for chance, name, colour in _both(judged):
        share, found = lift_curve(chance, judged.seen.ordered)
        rows = np.unique(np.linspace(0, share.size - 1, min(POINTS, share.size)).astype(int))
        axes.plot(
            np.r_[0, share[rows]],
            np.r_[0, found[rows]],
            color=colour,
            label=name,
            linewidth=1.8,
        )
    churn = float(1 - judged.seen.ordered.mean())
    axes.plot([0, churn, 1], [0, 1, 1], ":", color=INK, linewidth=1, label="perfect")
    axes.plot([0, 1], [0, 1], "--", color=INK, linewidth=0.9, label="by chance")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False, loc="lower right")
    return _svg(figure)


def _both(judged: Judged) -> list[tuple[Floats, str, str]]:
    return [
        (judged.chance, "score", SCORE),
        (judged.recency_chance, "recency alone", YARDSTICK),
    ]


def _canvas(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    """Return the drawing as one SVG element; its prologue names addresses, so it goes."""
    target = io.StringIO()
    figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    text = target.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return text[text.index("<svg") :]
