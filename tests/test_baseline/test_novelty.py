"""How likely news is, by what was new on single days."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.baseline.novelty import COMMON, LEVELS, News, by_level, chances

ROLES = np.zeros(2, dtype=np.int64)


def test_one_event_at_the_rate_of_its_role() -> None:
    # Of each thousand connections of the one ten are news, the other has none.
    found = chances(np.array([[10.0], [0.0]]), np.array([1000.0, 1000.0]), ROLES)
    everyone = 0.005
    wider = (2 * 0.005 + everyone) / 3
    assert found.of(np.array([0, 1, -1])).tolist() == pytest.approx(
        [11 / (1000 + 1 / wider), 1 / (1000 + 1 / wider), everyone]
    )


def test_nothing_learned_claims_nothing() -> None:
    assert chances(np.zeros((1, 2)), np.zeros(1), ROLES[:1]).table.tolist() == [[1, 1], [1, 1]]


def test_what_never_was_news_may_be() -> None:
    found = chances(np.zeros((1, 1)), np.array([99.0]), ROLES[:1])
    assert found.table[1, 0] == pytest.approx(0.01)


def test_levels_add_up() -> None:
    source, level = np.array([0, 0, 1]), np.array([0, 2, COMMON])
    found = by_level(source, level, np.array([1.0, 2.0, 4.0]), 2)
    assert found.tolist() == [[1, 1, 3, 3, 3], [0, 0, 0, 0, 4]]
    assert found.shape[1] == LEVELS


def test_what_a_source_had_is_no_news_and_what_others_know_is_less() -> None:
    # Both have key 5 every day; on day 2 the first has key 8 in ten of a hundred connections.
    source = np.array([0, 0, 1, 1, 0])
    key = np.array([5, 5, 5, 5, 8])
    day = np.array([1, 2, 1, 2, 2])
    news = News(source, key, day, np.array([45.0, 45.0, 50.0, 50.0, 10.0]), ROLES)
    known = news.chances(np.array([100.0, 100.0]))
    asked = np.array([0, 0, 1, 1])
    result = news.judge(asked, np.array([5, 9, 8, 9]), known, np.array([True, True, False]))
    assert result[0] == 1.0
    assert result[1] == known.of(np.array([0]), 0)[0]
    assert result[2] == known.of(np.array([1]), 1)[0]
    assert result[3] < result[1]
    assert news.users(np.array([5, 8, 9])).tolist() == [2, 1, 0]


def test_of_strangers_only_what_nobody_has_is_news() -> None:
    news = News(
        np.array([0, 0]), np.array([5, 5]), np.array([1, 2]), np.array([9.0, 9.0]), ROLES[:1]
    )
    known = news.chances(np.array([18.0]))
    result = news.judge(np.array([-1, -1]), np.array([5, 9]), known, np.array([True, False]))
    assert result.tolist() == [1.0, known.table[-1, 0]]
