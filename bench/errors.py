"""What ends a benchmark: one line that says what did not happen."""


class BenchFailed(Exception):
    """A benchmark could not be carried out, or its contenders did not do the same work."""
