"""When calls begin: evenly over the time that one takes, so that replies come evenly, too."""

SPREAD = 0.8
"""All slots begin within this part of a call's usual time: the rest is left for catching up."""
SMOOTHING = 0.1
"""The weight of the newest call in what is usual."""


class Pace:
    """Gives each beginning its turn.

    Calls that begin at one moment end at one moment, and their replies then wait for each other
    and for one processor; what they make room for begins at one moment again.
    """

    def __init__(self, concurrency: int) -> None:
        """Spread ``concurrency`` beginnings; before the first call ended, nothing waits."""
        self._concurrency = concurrency
        self._usual_s = 0.0
        self._next_at = 0.0

    def took(self, seconds: float) -> None:
        """Note how long a call took."""
        self._usual_s += SMOOTHING * (seconds - self._usual_s)

    def wait_s(self, now: float) -> float:
        """Take the next turn; return how long it is from ``now``, in seconds of one clock."""
        turn = max(now, self._next_at)
        self._next_at = turn + SPREAD * self._usual_s / self._concurrency
        return turn - now
