"""Both parts of a score, what they are held against, and what is not asked of models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.batches import connection_rows
from analyzer.baseline.online import learn
from analyzer.baseline.scoring import (
    Scorer,
    Scoring,
    TooLittleLearnedError,
    corrected,
    held_aside_scorers,
    scorer,
)
from analyzer.networks import LocalNetworks

from .rows import DAY, batch, connection, learned, steady, work

RATE = 1e-3


@pytest.fixture(scope="module")
def prepared() -> Scorer:
    return scorer(learned(), Scoring(rate=RATE))


def rows(*columns: dict[str, Any]) -> pd.DataFrame:
    made = [connection(4 * DAY + 43_200.0, **each) for each in columns]
    return connection_rows(batch(made), LocalNetworks())


def test_the_worst_feature_counts_corrected_for_how_many_there_are() -> None:
    chances = np.array([[1e-9, *[1.0] * 9], [1e-9, *[0.5] * 9], [0.5] * 10, [1.0] * 10])
    found = corrected(chances)
    assert found[0] == found[1] == pytest.approx(8.0, abs=0.001)
    assert found[2] == pytest.approx(-np.log10(1 - 0.5**10))
    assert found[3] == pytest.approx(0.0)


def test_models_are_asked_only_about_what_could_be_reported(prepared: Scorer) -> None:
    scores = prepared.score(rows({}, {"orig_bytes": 10**10, "orig_pkts": 10**7}))
    assert np.isnan(scores.model).tolist() == [True, False]
    assert scores.statistical[0] < 0.5 < scores.statistical[1]
    assert scores.combined[1] == pytest.approx(0.6 * scores.statistical[1] + 0.4 * scores.model[1])
    assert np.isnan(scores.tail).tolist() == [True, False]
    every = prepared.score(rows({}, {"orig_bytes": 10**10, "orig_pkts": 10**7}), every=True)
    assert not np.isnan(every.model).any()
    assert (every.score >= 0.7).tolist() == (scores.score >= 0.7).tolist() == [False, True]


def test_a_row_with_less_than_the_least_chance_is_not_reported(prepared: Scorer) -> None:
    day = connection_rows(batch(steady(1, 4) + work(1, 4)), LocalNetworks())
    scores = prepared.score(day, every=True)
    possible = scores.chances.min(axis=1) <= prepared.least_chance * (1 + 1e-9)
    asked = scores.surprise >= prepared.scale.least
    assert (possible == asked).all()
    assert not (scores.combined[~possible] >= 0.7).any()


def test_about_as_many_are_reported_as_asked_for() -> None:
    some = scorer(learned(), Scoring(rate=0.05))
    day = connection_rows(batch(work(1, 4)), LocalNetworks())
    assert 0.01 <= (some.score(day).score >= 0.7).mean() <= 0.12


def test_the_same_baseline_gives_the_same_scores(prepared: Scorer) -> None:
    again = scorer(learned(), Scoring(rate=RATE))
    asked = rows({"orig_bytes": 10**8}, {"resp_p": 8443})
    assert prepared.score(asked).combined.tolist() == again.score(asked).combined.tolist()


def test_days_held_aside_are_scored_by_the_others() -> None:
    folds = held_aside_scorers(learned(), Scoring(rate=RATE))
    days = learned().days
    assert [aside for aside, _ in folds] == [[day] for day in days]
    for aside, fold in folds:
        assert fold.known.days == len(days) - len(aside)
        assert fold.score(rows({"orig_bytes": 10**10})).score[0] >= 0.7


def test_what_is_known_from_the_first_day_to_the_last_is_no_news_when_both_are_held_aside() -> None:
    whole = learn(Baseline(), batch([*steady(5), *work(5)]))
    (aside, first), *_ = held_aside_scorers(whole, Scoring(rate=RATE))
    assert aside == whole.days[:2]
    assert first.known.customs.peer_news(first.known.coded(rows({})))[0] == 1.0


def test_chunks_do_not_show(prepared: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    day = connection_rows(batch(work(1, 4)[:50]), LocalNetworks())
    whole = prepared.score(day)
    monkeypatch.setattr("analyzer.baseline.scoring._CHUNK", 7)
    assert prepared.score(day).surprise.tolist() == whole.surprise.tolist()
    assert len(prepared.score(day.iloc[:0]).score) == 0


def test_windows_are_scored_too() -> None:
    by_window = scorer(learned(), Scoring(of="windows", rate=RATE))
    sample = learned()["windows"]
    flood = sample.iloc[:1].assign(connections=5000.0, day=sample.day.max() + 1)
    assert by_window.score(flood).score[0] >= 0.7


@pytest.mark.parametrize("days", [0, 1])
def test_a_day_cannot_be_scored_by_itself(days: int) -> None:
    baseline = learned().without(learned().days[days:])
    with pytest.raises(TooLittleLearnedError, match=f"{days} days are too few"):
        scorer(baseline, Scoring())
