"""Archived logs as a living Zeek would write them, for tests and demonstrations."""

from analyzer.replay.playing import Replay, replay

__all__ = ["Replay", "replay"]
