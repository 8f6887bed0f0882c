"""Fits the score on a history and measures it: offline, from data alone."""
