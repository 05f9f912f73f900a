"""Highest days: how far beyond, whose they are, and what a flood among them does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyzer.baseline.highs import Highs

NONE = pd.Series(dtype="str")


def samples(values: dict[str, list[float]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"source": source, "day": 100 + day, "value": value}
            for source, days in values.items()
            for day, value in enumerate(days)
        ]
    )


def judged(values: dict[str, list[float]], source: str, value: float) -> tuple[float, float, int]:
    judgement = Highs(samples(values), NONE).judge(
        pd.DataFrame({"source": [source], "value": [value]})
    )
    return float(judgement.reference[0]), float(judgement.chance[0]), int(judgement.days[0])


def test_no_more_than_the_highest_is_no_news() -> None:
    assert judged({"a": [10, 20, 30]}, "a", 30) == pytest.approx((30, 1.0, 3))


def test_a_little_more_has_the_chance_of_the_next_highest() -> None:
    _, chance, _ = judged({"a": [10, 20, 30]}, "a", 30.0001)
    assert chance == pytest.approx(1 / 4, rel=1e-3)


def test_two_days_say_nothing() -> None:
    reference, chance, days = judged({"a": [10, 20]}, "a", 1e9)
    assert np.isnan(reference)
    assert (chance, days) == (1.0, 0)


def test_unknown_hosts_are_not_judged() -> None:
    assert judged({"a": [10, 20, 30]}, "b", 1e9)[1:] == (1.0, 0)


def test_farther_is_less_likely() -> None:
    chances = [judged({"a": [10, 20, 30]}, "a", value)[1] for value in (31, 40, 100, 1e4)]
    assert chances == sorted(chances, reverse=True)
    assert chances[-1] < 1e-3


def test_a_host_without_spread_still_has_some() -> None:
    # One spread is a step of the grid that past days are kept on: a nineteenth more is no news.
    _, chance, _ = judged({"a": [100, 100, 100]}, "a", 119)
    assert chance == pytest.approx(np.exp(-1) / 4, rel=0.02)


def test_a_flood_among_many_days_does_not_hide_the_next() -> None:
    days = [100.0] * 29 + [1e6]
    reference, chance, _ = judged({"a": days}, "a", 1e6)
    assert reference == pytest.approx(100)
    assert chance < 1e-6


def test_a_weekly_copy_is_among_the_highest() -> None:
    days = ([1e3] * 6 + [1e9]) * 4
    _, chance, _ = judged({"a": days}, "a", 1e9)
    assert chance == 1.0


def test_hosts_that_double_every_day_make_doubling_likely() -> None:
    calm = {f"h{n}": [100.0, 101, 102, 103] for n in range(30)}
    wild = {f"h{n}": [100.0, 300, 900, 2700] for n in range(30)}
    assert judged(calm, "h0", 1000)[1] < 1e-4
    assert judged(wild, "h0", 27_000)[1] > 1e-2


def test_a_bursty_role_does_not_make_a_calm_one_likely() -> None:
    values = {f"s{n}": [100.0, 5000, 90, 800] for n in range(20)}
    values |= {f"w{n}": [100.0, 101, 100, 102] for n in range(20)}
    role = pd.Series({name: "server" if name[0] == "s" else "workstation" for name in values})
    both = Highs(samples(values), role).judge(
        pd.DataFrame({"source": ["s0", "w0"], "value": [50_000.0, 1020.0]})
    )
    assert both.chance[1] < both.chance[0] / 100


def test_realised_rate_is_no_more_than_asked_for() -> None:
    rng = np.random.default_rng(5)
    learned = {f"h{n}": rng.lognormal(8.0, 1.0, 5).tolist() for n in range(400)}
    today = pd.DataFrame({"source": list(learned), "value": rng.lognormal(8.0, 1.0, 400)})
    chance = Highs(samples(learned), NONE).judge(today).chance
    for asked in (0.1, 0.03, 0.01):
        assert (chance <= asked).mean() <= 2 * asked


def test_nothing_learned() -> None:
    judgement = Highs(samples({"a": []}).reindex(columns=["source", "day", "value"]), NONE).judge(
        pd.DataFrame({"source": ["a"], "value": [1.0]})
    )
    assert judgement.chance.tolist() == [1.0]
