"""The work queue: claims, calls and their results."""
