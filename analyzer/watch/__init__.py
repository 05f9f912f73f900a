"""Beside a living sensor: follow its logs, judge what is recent, say what is new, once."""
