"""Past days kept together: what is added up, when it is rounded, and what stays exact."""

from __future__ import annotations

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.folding import folded

from . import FIRST, assert_same, days, frame

BEGIN = FIRST - FIRST % 6


def names(*rows: tuple[int, float]) -> dict[str, object]:
    return {"names": frame("names", *(("10.0.0.1", "a.example", *row) for row in rows))}


def learned(count: int, queries: float = 100.0) -> Baseline:
    """So many days of a fold and after, one at a time."""
    baseline = Baseline()
    for day in range(BEGIN, BEGIN + count):
        summary = {"days": days(day), **names((day, queries))}
        baseline = folded(baseline.joined(summary))  # type: ignore[arg-type]
    return baseline


def said(baseline: Baseline) -> list[tuple[int, float]]:
    rows = baseline["names"]
    return [(day - BEGIN, count) for day, count in zip(rows.day, rows.queries, strict=True)]


def test_the_latest_two_days_stay_apart() -> None:
    assert said(learned(1)) == [(0, 100.0)]
    # 100 with four binary digits is 96.
    assert said(learned(2)) == [(0, 96.0), (1, 100.0)]
    assert said(learned(3)) == [(0, 96.0), (1, 96.0), (2, 100.0)]


def test_folds_add_up() -> None:
    assert said(learned(6)) == [(0, 384.0), (4, 96.0), (5, 100.0)]
    assert said(learned(7)) == [(0, 480.0), (5, 96.0), (6, 100.0)]
    # Over: two digits.
    assert said(learned(8)) == [(0, 512.0), (6, 96.0), (7, 100.0)]
    assert [day for day, _ in said(learned(15))] == [0, 6, 12, 13, 14]


def test_folding_again_changes_nothing() -> None:
    for count in range(1, 15):
        baseline = learned(count)
        assert_same(folded(baseline), baseline)


def test_peers() -> None:
    rows = [
        ("192.0.2.1", BEGIN + 1, BEGIN + 1),
        ("192.0.2.2", BEGIN + 1, BEGIN + 2),
        ("192.0.2.3", BEGIN + 7, BEGIN + 19),
        ("192.0.2.4", BEGIN + 18, BEGIN + 20),
        ("192.0.2.5", BEGIN + 19, BEGIN + 20),
    ]
    peers = frame("peers", *(("10.0.0.1", peer, True, *seen) for peer, *seen in rows))
    baseline = Baseline().joined({"days": days(BEGIN, BEGIN + 20), "peers": peers})
    kept = folded(baseline)["peers"]
    seen = zip(kept.first_day - BEGIN, kept.last_day - BEGIN, strict=True)
    assert list(seen) == [(1, 1), (0, 5), (6, 20), (18, 20), (19, 20)]


def test_short_windows_and_nothing() -> None:
    assert_same(folded(Baseline()), Baseline())
    summary = {
        "days": days(*range(BEGIN, BEGIN + 5)),
        **names(*((BEGIN + i, 5.0) for i in range(5))),
    }
    baseline = folded(Baseline(window=7).joined(summary))  # type: ignore[arg-type]
    assert said(baseline) == [(0, 4.0), (1, 4.0), (2, 4.0), (3, 5.0), (4, 5.0)]
