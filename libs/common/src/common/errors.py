"""The errors, named by what a loop must do about them. Anything else is a bug: crash."""


class PoisonMessage(Exception):
    """This record can never be used: park it with its reason and go on."""

    def __init__(self, reason: str, detail: str) -> None:
        """``reason`` is a short constant for metrics; ``detail`` is for people, never personal."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Transient(Exception):
    """This will probably pass: retry, a bounded number of times, with backoff and jitter."""


class Misconfigured(Exception):
    """The service cannot work as it is set up: say so in one line and exit."""
