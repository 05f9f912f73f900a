"""Scores of connections and of sources' five minutes, prepared once for a baseline.

The statistical part is the smallest chance among a row's features, corrected for how many there are
(Sidak, "Rectangular confidence regions for the means of multivariate normal distributions", JASA
62, 1967): one feature that is far out is not made less of by ten that are ordinary. The models'
part is what they vote (:mod:`analyzer.baseline.ensemble`). Both are tail probabilities by rows of
days that had no part in what they were judged by: the days of the baseline are held aside in turn,
in up to four parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline import coding, habits, paces
from analyzer.baseline.calibration import (
    REPORTED,
    REPORTED_LESS,
    UNIFORM,
    Reference,
    Scale,
    equivalent,
    halfway,
    reference,
    scale_for,
)
from analyzer.baseline.ensemble import AGREEING, FEWEST, MEMBERS, Ensemble, Voting, voted
from analyzer.baseline.histograms import Codes, Floats
from analyzer.baseline.vectors import LEAST, vectors

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

Of = Literal["connections", "windows"]

FOLDS = 4
"""Parts of the days that are held aside in turn."""

# Smaller chances are one to a float64.
_SMALLEST = 1e-300
_CHUNK = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How to combine.

    Attributes:
        of: what is scored.
        statistical: weight of the statistical part; the models have the rest.
        voting: how the models decide together.
        rate: share of ordinary rows that may be reported.
    """

    of: Of = "connections"
    statistical: float = 0.6
    voting: Voting = "majority"
    rate: float = 1e-4


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is scored: its sample in a baseline, its features, and its vectors."""

    table: str
    prepare: Callable[[Baseline], Any]
    features: tuple[str, ...]
    coded: Callable[[Any, Any], Any]
    taken: Callable[[Any, Codes], Any]
    vectors: Callable[[Any, Any], Floats]
    least: Floats


def _as_it_is(known: Any, rows: pd.DataFrame) -> pd.DataFrame:  # noqa: ANN401 - of any kind
    del known
    return rows


def _rows_at(rows: pd.DataFrame, places: Codes) -> pd.DataFrame:
    return rows.iloc[places]


_KINDS: dict[Of, _Kind] = {
    "connections": _Kind(
        "reference",
        habits.Habits,
        habits.FEATURES,
        habits.Habits.coded,
        coding.Coded.taken,
        vectors,
        LEAST,
    ),
    "windows": _Kind(
        "windows",
        paces.Paces,
        paces.FEATURES,
        _as_it_is,
        _rows_at,
        paces.Paces.vectors,
        paces.LEAST,
    ),
}


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of rows; arrays of one length.

    Attributes:
        score: in [0, 1]; from 0.7, which the combined score has to reach, by the tail probability
            of the combined score.
        combined: the weighted mean of both parts' scores. Where no model could make it 0.7, the
            statistical part's share of it alone.
        statistical: score of the statistical part.
        model: score of the models; nan where they were not asked.
        surprise: minus the decimal logarithm of the statistical part's tail probability.
        votes: the same of each model, (rows, models); nan where they were not asked.
        chances: of each feature, (rows, features).
        tail: minus the decimal logarithm of the combined score's tail probability; nan where it is
            below 0.7.
    """

    score: Floats
    combined: Floats
    statistical: Floats
    model: Floats
    surprise: Floats
    votes: Floats
    chances: Floats
    tail: Floats


class TooLittleLearnedError(ValueError):
    """A baseline that is too small to score by."""


@dataclass(frozen=True, slots=True)
class _Fold:
    """Days that were held aside, and what the others say of them."""

    days: list[int]
    known: Any
    models: Ensemble
    raw: Floats
    anomalies: Floats


def _folds(baseline: Baseline, kind: _Kind) -> list[_Fold]:
    """The days of a baseline, held aside in turn.

    Raises:
        TooLittleLearnedError: there are less than two, or next to nothing in them.
    """
    days, sample = baseline.days, baseline[kind.table]
    if len(days) < 2:  # noqa: PLR2004 - one to judge, one to judge by
        raise TooLittleLearnedError(f"{len(days)} days are too few to score by")
    folds = []
    # Neighbours together: what was first seen on one of them and last on another was there between.
    for part in np.array_split(days, min(FOLDS, len(days))):
        aside = [int(day) for day in part]
        rows = sample[sample.day.isin(aside)]
        others = baseline.without(aside)
        if len(others[kind.table]) < FEWEST:
            continue
        known = kind.prepare(others)
        models = _fitted(kind, known, others[kind.table])
        coded = kind.coded(known, rows)
        raw = corrected(known.chances(coded))
        folds.append(_Fold(aside, known, models, raw, models.anomalies(kind.vectors(known, coded))))
    if sum(len(fold.raw) for fold in folds) < FEWEST:
        raise TooLittleLearnedError(f"{len(sample)} samples are too few to score by")
    return folds


def _fitted(kind: _Kind, known: Any, sample: pd.DataFrame) -> Ensemble:  # noqa: ANN401 - either
    ordered = sample.sort_values(["mark", "source", "day"], kind="stable")
    return Ensemble(kind.vectors(known, kind.coded(known, ordered)), kind.least)


@dataclass(frozen=True, slots=True)
class _Calibration:
    """What raw scores, models and combined scores of ordinary rows are like."""

    raw: Reference
    members: list[Reference]
    voted: Reference
    combined: Reference
    scale: Scale

    @classmethod
    def of(cls, folds: list[_Fold], scoring: Scoring) -> _Calibration:
        """By rows that were held aside."""
        raw = np.concatenate([fold.raw for fold in folds])
        anomalies = np.concatenate([fold.anomalies for fold in folds])
        statistics = reference(raw, least_scale=UNIFORM, most_scale=UNIFORM)
        members = [reference(anomalies[:, member]) for member in range(len(MEMBERS))]
        votes = voted(_votes(members, anomalies), scoring.voting)
        least = halfway(1.0 / AGREEING)
        voice = reference(votes, least_scale=least, most_scale=least)
        scale, combined = scale_for(
            statistics.surprise(raw),
            voice.surprise(votes),
            weights=(scoring.statistical, 1.0 - scoring.statistical),
            rate=scoring.rate,
        )
        return cls(statistics, members, voice, combined, scale)


def _votes(members: list[Reference], anomalies: Floats) -> Floats:
    return np.column_stack(
        [member.surprise(anomalies[:, place]) for place, member in enumerate(members)]
    )


class Scorer:
    """Scores by a baseline, prepared once; see :func:`scorer` and :func:`held_aside_scorers`.

    Attributes:
        scoring: how it combines.
        known: what is usual, :class:`analyzer.baseline.habits.Habits` of connections or
            :class:`analyzer.baseline.paces.Paces` of windows.
        scale: what turns surprises into scores.
    """

    def __init__(
        self,
        scoring: Scoring,
        known: Any,  # noqa: ANN401 - either kind
        models: Ensemble,
        calibration: _Calibration,
    ) -> None:
        self.scoring = scoring
        self.known = known
        self.scale = calibration.scale
        self._kind = _KINDS[scoring.of]
        self._models = models
        self._calibration = calibration

    def score(self, rows: pd.DataFrame, *, every: bool = False) -> Scores:
        """Score rows.

        Args:
            rows: with the columns of :data:`analyzer.baseline.coding.ROW`, or of
                :data:`analyzer.baseline.paces.ROW` for five minutes.
            every: ask the models about rows, too, that they cannot make a finding.
        """
        parts = [
            self._score(
                self._kind.coded(self.known, rows.iloc[begin : begin + _CHUNK]), every=every
            )
            for begin in range(0, max(len(rows), 1), _CHUNK)
        ]
        if len(parts) == 1:
            return parts[0]
        return Scores(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in Scores.__slots__)
        )

    def score_columns(self, columns: Mapping[str, npt.NDArray[Any]]) -> Scores:
        """Score a few connections, given as columns: a data frame costs more than a score."""
        return self._score(self._kind.coded(self.known, columns), every=False)

    def _score(self, rows: Any, *, every: bool) -> Scores:  # noqa: ANN401 - as the kind has them
        chances = self.known.chances(rows)
        surprise = self._calibration.raw.surprise(corrected(chances))
        statistical = self.scale.score(surprise)
        weight = self.scoring.statistical
        model = np.full(len(rows), np.nan)
        votes = np.full((len(rows), len(MEMBERS)), np.nan)
        asked = np.flatnonzero((surprise >= self.scale.least * (1 - 1e-12)) | every)
        if asked.size:
            some = rows if asked.size == len(rows) else self._kind.taken(rows, asked)
            vector = self._kind.vectors(self.known, some)
            votes[asked] = _votes(self._calibration.members, self._models.anomalies(vector))
            model[asked] = self.scale.score(
                self._calibration.voted.surprise(voted(votes[asked], self.scoring.voting))
            )
        combined = weight * statistical + (1.0 - weight) * np.nan_to_num(model)
        tail = np.full(len(rows), np.nan)
        score = np.minimum(combined, REPORTED_LESS)
        loud = np.flatnonzero(combined >= REPORTED)
        if loud.size:
            voice = self._calibration.voted.surprise(voted(votes[loud], self.scoring.voting))
            tail[loud] = self._calibration.combined.surprise(
                equivalent(surprise[loud], voice, self.scale.weights)
            )
            score[loud] = self.scale.loudness(tail[loud] + np.log10(self.scoring.rate))
        return Scores(score, combined, statistical, model, surprise, votes, chances, tail)

    @property
    def least_chance(self) -> float:
        """The chance that a feature must be below for its row to be a finding."""
        least = self.scale.least
        low, high = 0.0, 300.0
        for _ in range(60):
            middle = (low + high) / 2.0
            enough = float(self._calibration.raw.surprise(np.array([middle]))[0]) >= least
            low, high = (low, middle) if enough else (middle, high)
        # Sidak's correction the other way round.
        return float(-np.expm1(np.log1p(-min(10.0**-low, 1.0 - 1e-16)) / len(self._kind.features)))


def scorer(baseline: Baseline, scoring: Scoring) -> Scorer:
    """What scores by a baseline.

    Raises:
        TooLittleLearnedError: it holds less than two days, or next to no connections.
    """
    kind = _KINDS[scoring.of]
    calibration = _Calibration.of(_folds(baseline, kind), scoring)
    known = kind.prepare(baseline)
    return Scorer(scoring, known, _fitted(kind, known, baseline[kind.table]), calibration)


def held_aside_scorers(whole: Baseline, scoring: Scoring) -> list[tuple[list[int], Scorer]]:
    """What scores each of a baseline's days by the others: days, and their scorer.

    Raises:
        TooLittleLearnedError: it holds less than two days, or next to no connections.
    """
    folds = _folds(whole, _KINDS[scoring.of])
    calibration = _Calibration.of(folds, scoring)
    return [(fold.days, Scorer(scoring, fold.known, fold.models, calibration)) for fold in folds]


def corrected(chances: Floats) -> Floats:
    """Minus the decimal logarithm of the smallest chance, corrected for how many there are."""
    least = np.clip(chances.min(axis=1), _SMALLEST, 1.0 - 1e-16)
    # log(1 - (1 - p)^k), to all digits of small p.
    result: Floats = -np.log10(-np.expm1(chances.shape[1] * np.log1p(-least)))
    return result
