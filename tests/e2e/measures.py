"""How good scores are, measured in plain loops: nothing of the project's own measures is used."""

from collections.abc import Sequence

BINS = 10


def auc(scores: Sequence[float], happened: Sequence[bool]) -> float:
    """Return the chance that one to whom it happened scores above one to whom not; ties half."""
    ranked = sorted(zip(scores, happened, strict=True))
    above = ranks = 0.0
    start = 0
    while start < len(ranked):
        end = start
        while end < len(ranked) and ranked[end][0] == ranked[start][0]:
            end += 1
        hits = sum(hit for _, hit in ranked[start:end])
        ranks += hits * (start + end + 1) / 2
        above += hits
        start = end
    below = len(ranked) - above
    return (ranks - above * (above + 1) / 2) / (above * below)


def calibration_error(chances: Sequence[float], happened: Sequence[bool]) -> float:
    """Return the mean distance of chance and frequency over ten bins of equal mass (ECE)."""
    ranked = sorted(zip(chances, happened, strict=True))
    error = 0.0
    for number in range(BINS):
        some = ranked[len(ranked) * number // BINS : len(ranked) * (number + 1) // BINS]
        error += abs(sum(chance for chance, _ in some) - sum(hit for _, hit in some))
    return error / len(ranked)
