"""A window of days: joined, rolled on, put on the grid, capped, and with days taken out."""

from __future__ import annotations

import pytest

from analyzer.baseline.baseline import MOST_PEERS, Baseline
from analyzer.baseline.samples import MOST

from . import FIRST, assert_same, days, frame, small


def hours(*rows: tuple[int, float]) -> dict[str, object]:
    return {
        "hours": frame(
            "hours",
            *(("10.0.0.1", day, 8, count, 0, 0, 0, 0, 0, 0, 0) for day, count in rows),
        )
    }


def test_an_empty_baseline() -> None:
    baseline = Baseline()
    assert (baseline.days, baseline.window, baseline.learned) == ([], 30, None)
    assert_same(baseline.joined({}), baseline)


def test_joining_makes_another() -> None:
    one = small()
    two = one.joined({"days": days(FIRST, FIRST + 1)}, learned=5.0)
    assert (one.days, two.days) == ([FIRST], [FIRST, FIRST + 1])
    assert two["days"].connections.tolist() == [2.0, 1.0]
    assert (one.learned, two.learned) == (FIRST * 86400.0, 5.0)
    assert two.joined({}).learned == 5.0


def test_days_that_are_over_are_on_the_grid() -> None:
    rows = frame(
        "hours",
        ("10.0.0.1", FIRST, 8, 1000.0, 3.0, 0, 0, 0, 0, 0, 0),
        ("10.0.0.1", FIRST + 1, 8, 1000.0, 3.0, 0, 0, 0, 0, 0, 0),
    )
    baseline = small(hours=rows).joined({"days": days(FIRST + 1)})
    assert baseline["hours"].connections.tolist() == [1024.0, 1000.0]
    assert baseline["hours"].failed.tolist() == [3.0, 3.0]


def test_the_latest_hours_stay_exact() -> None:
    rows = [("10.0.0.1", FIRST, hour, 1000.0, 0, 0, 0, 0, 0, 0, 0) for hour in (5, 6, 12)]
    baseline = small(hours=frame("hours", *rows))
    assert baseline["hours"].connections.tolist() == [1024.0, 1000.0, 1000.0]


def test_days_leave() -> None:
    peers = frame(
        "peers",
        ("10.0.0.1", "192.0.2.1", True, FIRST, FIRST),
        ("10.0.0.1", "192.0.2.2", True, FIRST, FIRST + 1),
    )
    pieces = frame("pieces", ("conn", FIRST * 24 + 23, 1, 1, 0.0, 0.0))
    full = Baseline(window=2).joined(
        {"days": days(FIRST, FIRST + 1), "peers": peers, "pieces": pieces}
    )
    assert (len(full["peers"]), len(full["pieces"])) == (2, 1)
    rolled = full.joined({"days": days(FIRST + 2)})
    assert rolled.days == [FIRST + 1, FIRST + 2]
    assert rolled["peers"].peer.tolist() == ["192.0.2.2"]
    assert rolled["pieces"].empty


def test_without() -> None:
    baseline = small(
        days=days(FIRST, FIRST + 1),
        peers=frame(
            "peers",
            ("10.0.0.1", "192.0.2.1", True, FIRST + 1, FIRST + 1),
            ("10.0.0.1", "192.0.2.2", True, FIRST, FIRST + 1),
        ),
    )
    less = baseline.without([FIRST + 1])
    assert less.days == [FIRST]
    assert less["peers"].peer.tolist() == ["192.0.2.2"]


def test_days_that_are_kept_together_go_together() -> None:
    begin = FIRST - FIRST % 6
    names = frame("names", ("10.0.0.1", "a.example", begin, 1.0))
    baseline = small(days=days(begin, begin + 20), names=names)
    assert baseline.fold == 6
    assert baseline.without([begin + 5])["names"].empty
    assert len(baseline.without([begin + 6])["names"]) == 1


@pytest.mark.parametrize(("window", "fold"), [(1, 1), (7, 1), (10, 2), (30, 6), (3660, 732)])
def test_folds(window: int, fold: int) -> None:
    assert Baseline(window=window).fold == fold


def test_what_could_grow_without_end_is_capped() -> None:
    rows = [
        ("10.0.0.1", f"192.0.{number >> 8}.{number & 255}", True, FIRST, FIRST + (number > 99))
        for number in range(MOST_PEERS + 50)
    ]
    inside = ("10.0.0.1", "10.0.0.2", False, FIRST, FIRST)
    windows = [
        (FIRST, "10.0.0.1", number % 288, 1, 0, 1, 1, 0, 0, number) for number in range(MOST + 9)
    ]
    baseline = small(
        days=days(FIRST + 1),
        peers=frame("peers", *rows, inside),
        windows=frame("windows", *windows).drop_duplicates("slot"),
    )
    peers = baseline["peers"]
    assert peers.outside.sum() == MOST_PEERS
    assert (~peers.outside).sum() == 1
    # Those met last stay.
    assert (peers.last_day == FIRST + 1).sum() == MOST_PEERS - 50
    samples = frame(
        "reference",
        *(
            (FIRST, f"10.0.0.{n % 256}", 0, "tcp", n, "", True, True, 0, 0, 0, 0, 1000 - n, "", 1)
            for n in range(MOST + 9)
        ),
    )
    kept = small(reference=samples)["reference"]
    assert len(kept) == MOST
    assert kept.mark.max() == 1000 - 9
