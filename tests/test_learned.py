"""What became of records that a baseline was to learn."""

from __future__ import annotations

from pathlib import Path

from analyzer.baseline.baseline import Baseline
from analyzer.learned import Learned
from analyzer.parsers.account import Account


def test_nothing_is_counted_unless_said() -> None:
    learned = Learned(path=Path("x"), baseline=Baseline(), changed=False, account=Account())
    assert (learned.days, learned.gone, learned.hosts, learned.findings) == ((), (), 0, 0)
    for counts in (learned.records, learned.known, learned.partly, learned.flagged):
        assert counts == {}
