"""Where a rule's scores could be cut instead, and what that would change; nothing is changed here.

With labels, a finding is true if at least half of the labelled connections it covers are attacks.
The precision-recall curve over the scores of all findings of a rule, those below low included,
gives the score of the best F1 and the lowest score that reaches a precision. Recall is of the
rule's true findings: what it never scored, no threshold brings back.

Without labels nobody knows what is true; what stands out can be told from what does not. Two cuts
are given: the score above which only the loudest tail of the findings lies (an alert budget), and,
for each measure with a threshold of its own, the median plus 3.5 scaled median absolute deviations
of its logarithm over all findings (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from analyzer.findings import Finding, Severity
from analyzer.proposals import Cut, Proposal, Threshold, observed, thresholds_of

ENOUGH = 8
"""Findings below which no statistic of them says anything."""

TAIL = 0.05
"""The share of a rule's findings that an analyst may look at, where no labels say more."""

PRECISION = 0.95
"""The share of true findings to reach, by default."""

_TRUE_SHARE = 0.5
# A median absolute deviation of normal values is 1/1.4826 of their standard deviation.
_SCALED, _OUTLIER = 1.4826, 3.5


def tune_by_labels(
    findings: Sequence[Finding],
    shares: Mapping[int, float],
    *,
    minimum: Severity = Severity.LOW,
    precision: float = PRECISION,
) -> tuple[Proposal, ...]:
    """Propose a cut for each rule.

    Args:
        findings: all findings, those below low included.
        shares: of the labelled connections that a finding covers, the share that are attacks; by
            the finding's index. Findings that cover none are left out.
        minimum: the severity from which findings are reported now.
        precision: the share of true findings to reach.
    """
    return tuple(
        _by_labels(rule, [findings[i] for i in every], _truths(every, shares), minimum, precision)
        for rule, every in _by_rule(findings).items()
    )


def tune_by_tail(findings: Sequence[Finding], *, tail: float = TAIL) -> tuple[Proposal, ...]:
    """Propose cuts for each rule from its findings alone.

    Args:
        findings: all findings, those below low included.
        tail: the share of findings to keep.
    """
    return tuple(
        _by_tail(rule, [findings[i] for i in every], tail)
        for rule, every in _by_rule(findings).items()
    )


def _by_rule(findings: Sequence[Finding]) -> dict[str, list[int]]:
    rules: dict[str, list[int]] = {}
    for index, finding in enumerate(findings):
        rules.setdefault(finding.rule, []).append(index)
    return dict(sorted(rules.items()))


def _truths(indexes: Sequence[int], shares: Mapping[int, float]) -> list[bool | None]:
    return [shares[i] >= _TRUE_SHARE if i in shares else None for i in indexes]


def _by_labels(
    rule: str,
    findings: Sequence[Finding],
    truths: Sequence[bool | None],
    minimum: Severity,
    precision: float,
) -> Proposal:
    known = [(f, truth) for f, truth in zip(findings, truths, strict=True) if truth is not None]
    scores = np.array([finding.score for finding, _ in known])
    true = np.array([truth for _, truth in known], dtype=bool)
    judged, right = len(known), int(true.sum())
    if not judged:
        words: tuple[str, ...] = ("no finding covers a labelled connection",)
        return Proposal(rule, len(findings), words=words)
    now = _cut(scores, true, minimum.bound)
    if right in (0, judged):
        words = _undecided(now, right, judged, scores)
        return Proposal(rule, len(findings), judged, right, now=now, words=words)
    from sklearn.metrics import precision_recall_curve  # noqa: PLC0415 - a second of import

    precisions, _, cuts = precision_recall_curve(true, scores)
    every = [_cut(scores, true, float(score)) for score in cuts]
    best = max(every, key=lambda cut: (round(cut.f1, 9), -cut.score))
    reaching = zip(every, precisions, strict=False)
    precise = next((cut for cut, reached in reaching if reached >= precision), None)
    thresholds = thresholds_of([f for f, _ in known if f.score >= best.score])
    return Proposal(
        rule,
        len(findings),
        judged,
        right,
        now=now,
        best=best,
        precise=precise,
        thresholds=thresholds,
        words=_by_labels_in_words(now, best, precise, precision, thresholds),
    )


def _cut(scores: npt.NDArray[np.float64], true: npt.NDArray[np.bool_], score: float) -> Cut:
    reported = scores >= score
    number, right, every = int(reported.sum()), int((reported & true).sum()), int(true.sum())
    return Cut(
        score=score,
        reported=number,
        true=right,
        precision=right / number if number else 0.0,
        recall=right / every if every else 0.0,
        f1=2 * right / (number + every) if number + every else 0.0,
    )


def _undecided(
    now: Cut, right: int, judged: int, scores: npt.NDArray[np.float64]
) -> tuple[str, ...]:
    if right:
        said = f"all {judged:,} labelled findings are true"
        if now.reported == judged:
            return (f"{said}, and all are reported: nothing to change",)
        lowest = float(scores.min())
        more = judged - now.reported
        return (f"{said}: reporting from {_score(lowest)} would add {more:,} true ones",)
    said = f"none of {judged:,} labelled findings is true"
    if not now.reported:
        return (f"{said}, and none is reported: nothing to change",)
    above = math.nextafter(float(scores.max()), math.inf)
    return (f"{said}: only a score above {_score(above)} or --ignore would silence it",)


def _by_labels_in_words(
    now: Cut,
    best: Cut,
    precise: Cut | None,
    precision: float,
    thresholds: Sequence[Threshold],
) -> tuple[str, ...]:
    words = [
        f"now, from {_score(now.score)}: {_rates(now)}",
        f"best F1, from {_score(best.score)}: {_rates(best)}; {_difference(now, best)}",
    ]
    if precise is None:
        words.append(f"no score reaches a precision of {_share(precision)}")
    elif precise != best:
        words.append(
            f"lowest for a precision of {_share(precision)}, from {_score(precise.score)}: "
            f"{_rates(precise)}; {_difference(now, precise)}"
        )
    words += [f"what that keeps has {threshold}" for threshold in thresholds]
    return tuple(words)


def _difference(now: Cut, then: Cut) -> str:
    false = (then.reported - then.true) - (now.reported - now.true)
    true = then.true - now.true
    changes = [
        f"{abs(change):,} {kind} {'more' if change > 0 else 'fewer'}"
        for change, kind in ((false, "false"), (true, "true"))
        if change
    ]
    return " and ".join(changes) or "the same findings"


def _rates(cut: Cut) -> str:
    return (
        f"{cut.true:,} of {cut.reported:,} true (precision {_share(cut.precision)}, "
        f"recall {_share(cut.recall)}, F1 {_share(cut.f1)})"
    )


def _by_tail(rule: str, findings: Sequence[Finding], tail: float) -> Proposal:
    number = len(findings)
    if number < ENOUGH:
        words: tuple[str, ...] = (
            f"{number:,} findings are too few to tell what stands out (at least {ENOUGH})",
        )
        return Proposal(rule, number, words=words)
    scores = np.sort(np.array([finding.score for finding in findings]))
    score = float(np.quantile(scores, 1.0 - tail, method="lower"))
    kept = int((scores >= score).sum())
    median = float(np.median(scores))
    now = int((scores >= Severity.LOW.bound).sum())
    said = f"scores {_score(scores[0])} to {_score(scores[-1])}, median {_score(median)}"
    change = f"from {_score(score)} it would report {kept:,} instead of {now:,}"
    thresholds = _outlying(findings)
    words = (f"{said}; {change}", *map(str, thresholds))
    return Proposal(rule, number, tail=score, thresholds=thresholds, words=words)


def _outlying(findings: Sequence[Finding]) -> tuple[Threshold, ...]:
    thresholds = []
    for (name, unit, now), values in observed(findings).items():
        if now < 0:
            continue
        logs = np.log1p(values)
        median = float(np.median(logs))
        spread = float(np.median(np.abs(logs - median)))
        proposed = math.expm1(median + _OUTLIER * _SCALED * spread)
        if spread and proposed > now:
            kept = int((values >= proposed).sum())
            thresholds.append(Threshold(name, unit, now, proposed, kept))
    return tuple(thresholds)


def _score(score: float) -> str:
    return f"{score:.3f}"


def _share(share: float) -> str:
    return f"{share:.3g}"
