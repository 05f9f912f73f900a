"""How what people said of findings moves the scores of later ones that are alike.

A finding is *the same* as one that was judged if rule, source, destination, port, protocol and
subject agree, and *like* it if either the destination (and subject) or the source differs, and
nothing else. Only the latest verdict on a finding counts; of several, the one nearest to it, and
the latest of those.

- *Benign*: the same sinks to 0.6, which is kept but not reported; the like sinks half as far. That
  holds for findings no louder than the one judged. From 0.02 above it on less, from 0.05 above it
  on nothing is taken off: somebody who called 50 MB harmless has not spoken of 10 GB, whose score
  is higher as it is less likely by orders of magnitude. Where the one judged was so loud that
  scores do not tell larger ones apart (0.99), the same sinks to low at most, and stays reported.
- *Malicious*: the same rises to 0.96, critical; the like half as far.

So one verdict never silences a rule, a host or a service, and nothing is silenced that is far from
what somebody has looked at.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from analyzer.findings import Evidence, Severity

HARMLESS = 0.6
"""Score that what was called benign sinks to."""

CONFIRMED = 0.96
"""Score that what was called malicious rises to."""

LIKE = 0.5
"""How much of a verdict holds for what is like the one judged."""

# How much louder than the one judged still is what was meant, and from where on it is not.
_MEANT, _BEYOND = 0.02, 0.05
# From here on a score does not say how far out something is.
_SATURATED = 0.99
_NOT_FAR = 1e-9


class FindingLike(Protocol):
    """What of a finding decides whether it is like another."""

    @property
    def rule(self) -> str:
        """Id of its rule."""

    @property
    def source(self) -> str:
        """The host it is about."""

    @property
    def destination(self) -> str | None:
        """The other side, if it is one host."""

    @property
    def port(self) -> int | None:
        """Responder port, if it is one."""

    @property
    def proto(self) -> str | None:
        """Transport protocol, if it is one."""

    @property
    def subject(self) -> str:
        """What else it is about."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A score with what people said taken into account.

    Attributes:
        score: the new score.
        evidence: who said what when; none where nobody said anything of the like.
    """

    score: float
    evidence: tuple[Evidence, ...] = ()


def moved(score: float, finding: FindingLike, verdicts: pd.DataFrame) -> Moved:
    """The score of a finding after what was said of the like.

    Args:
        score: its score.
        finding: the finding.
        verdicts: the table ``verdicts`` of a baseline.
    """
    if not len(verdicts):
        return Moved(score)
    said = verdicts[verdicts.rule == finding.rule]
    said = said.sort_values("said", kind="stable").drop_duplicates("finding", keep="last")
    near = _nearness(finding, said)
    if not near.size or near.max() <= 0:
        return Moved(score)
    place = int(np.flatnonzero(near == near.max())[-1])
    verdict, nearness = said.iloc[place], float(near[place])
    new = (
        _lowered(score, float(verdict.score), nearness)
        if verdict.benign
        else score + nearness * max(CONFIRMED - score, 0.0)
    )
    if abs(new - score) < _NOT_FAR:
        return Moved(score)
    return Moved(new, _evidence(verdict, nearness, score))


def _nearness(finding: FindingLike, said: pd.DataFrame) -> np.ndarray:
    port = -1 if finding.port is None else finding.port
    service = ((said.port == port) & (said.proto == (finding.proto or ""))).to_numpy()
    source = (said.source == finding.source).to_numpy()
    place = (
        (said.destination == (finding.destination or "")) & (said.subject == finding.subject)
    ).to_numpy()
    alike: np.ndarray = np.where(source & place, 1.0, np.where(source | place, LIKE, 0.0))
    # What names neither a place nor a service is like nothing but itself.
    vague = not finding.destination and not finding.subject
    return np.where(service & (source | (not vague)), alike, 0.0)


def _lowered(score: float, judged: float, nearness: float) -> float:
    louder = score - judged
    meant = float(np.interp(louder, (_MEANT, _BEYOND), (1.0, 0.0)))
    target = Severity.LOW.highest if judged >= _SATURATED else HARMLESS
    return score - nearness * meant * max(score - target, 0.0)


def _evidence(verdict: pd.Series, nearness: float, score: float) -> tuple[Evidence, ...]:
    word = "benign" if verdict.benign else "malicious"
    what = "this" if nearness >= 1.0 else "the like"
    day = dt.datetime.fromtimestamp(float(verdict.said), dt.UTC).strftime("%Y-%m-%d")
    return (
        Evidence(
            f"{what} was said to be {word}",
            f"by {verdict.by} on {day}, at a score of {float(verdict.score):.2f}",
        ),
        Evidence("score without that", round(score, 3)),
    )
