"""What may be proposed for a rule: cuts of its scores, and thresholds of what it measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analyzer.findings import Finding, quantity


@dataclass(frozen=True, slots=True)
class Cut:
    """Reporting a rule's findings from some score on, and what that gives.

    Attributes:
        score: the lowest score that is reported.
        reported: how many findings are.
        true: how many of those are true.
        precision: their share.
        recall: the share of all true findings that is reported.
        f1: the harmonic mean of both.
    """

    score: float
    reported: int
    true: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """A measure with a threshold of its own, and where it could be.

    Attributes:
        name: the evidence's name.
        unit: its unit.
        now: the threshold.
        proposed: the threshold to try.
        kept: how many findings would still reach it.
    """

    name: str
    unit: str
    now: float
    proposed: float
    kept: int

    def __str__(self) -> str:
        now, proposed = quantity(self.now, self.unit), quantity(self.proposed, self.unit)
        return f"{self.name}: {proposed} instead of {now} keeps {self.kept:,}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What tuning one rule would change.

    Attributes:
        rule: its id.
        findings: how many findings it made, reported or not.
        judged: how many of them labels speak of; 0 without labels.
        true: how many of those are true.
        now: the cut as it is; None without labels.
        best: the cut of the best F1; None where labels do not tell cuts apart.
        precise: the lowest cut that reaches the precision asked for; None if none does.
        tail: score above which the tail of the findings lies; None with labels or too few findings.
        thresholds: measures with a threshold of their own, and where that would be for `best`, or
            for what stands out.
        words: all that as sentences.
    """

    rule: str
    findings: int
    judged: int = 0
    true: int = 0
    now: Cut | None = None
    best: Cut | None = None
    precise: Cut | None = None
    tail: float | None = None
    thresholds: tuple[Threshold, ...] = ()
    words: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Everything above as plain values, ready for JSON."""
        return asdict(self)


def observed(findings: Sequence[Finding]) -> dict[tuple[str, str, float], npt.NDArray[np.float64]]:
    """The values of each measure that findings must reach, by its name, unit and threshold."""
    values: dict[tuple[str, str, float], list[float]] = {}
    for finding in findings:
        for item in finding.evidence:
            if item.threshold is not None and not isinstance(item.observed, str):
                key = (item.name, item.unit, float(item.threshold))
                values.setdefault(key, []).append(float(item.observed))
    # A measure that some findings lack, or that counts from above, is not one to be reached.
    return {
        key: np.array(every)
        for key, every in values.items()
        if len(every) == len(findings) and min(every) >= key[2] and math.isfinite(max(every))
    }


def thresholds_of(kept: Sequence[Finding]) -> tuple[Threshold, ...]:
    """Where each measure could be cut so that the findings that are kept still reach it."""
    return tuple(
        Threshold(name, unit, now, float(values.min()), len(kept))
        for (name, unit, now), values in observed(kept).items()
        if values.min() > now
    )
