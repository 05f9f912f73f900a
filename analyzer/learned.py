"""What became of records that a baseline was to learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.baseline.baseline import Baseline

if TYPE_CHECKING:
    from analyzer.parsers.account import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What became of records that a baseline was to learn.

    Attributes:
        path: the baseline's file.
        baseline: what it holds now.
        changed: whether it was written.
        account: what became of the input.
        days: days of which something was learned, since 1970.
        hosts: local hosts of which something was learned.
        records: records learned, by log.
        known: records that it knew already.
        partly: records left out as their hour is known in part, and it cannot be told which.
        outdated: records of days before the window.
        ahead: records of times still to come.
        flagged: records that findings are about.
        findings: of how many findings.
        gone: days that left the window.
        rising: source, measure, days and factor of what has grown all through the window
            (:mod:`analyzer.baseline.creep`): what is learned little by little is told at least.
        stages: seconds each stage took, in order.
    """

    path: Path
    baseline: Baseline
    changed: bool
    account: Account
    days: tuple[int, ...] = ()
    hosts: int = 0
    records: Mapping[str, int] = field(default_factory=dict)
    known: Mapping[str, int] = field(default_factory=dict)
    partly: Mapping[str, int] = field(default_factory=dict)
    outdated: Mapping[str, int] = field(default_factory=dict)
    ahead: Mapping[str, int] = field(default_factory=dict)
    flagged: Mapping[str, int] = field(default_factory=dict)
    findings: int = 0
    gone: tuple[int, ...] = ()
    rising: tuple[tuple[str, str, int, float], ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)
