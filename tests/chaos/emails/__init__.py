"""Chaos for emails: faults on a running stack, and a checker that knows nothing of the mailer."""
