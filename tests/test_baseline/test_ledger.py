"""What of records is news to a baseline, whatever they come with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.ledger import News, news
from analyzer.baseline.pieces import settled
from analyzer.engine import Engine

from . import FIRST, days

DAY = FIRST * 86400.0
Row = dict[str, Any]


def row(at: float, port: int = 443, **values: object) -> Row:
    """A connection so many seconds after midnight."""
    return {
        "ts": DAY + at,
        "orig_h": "10.0.0.1",
        "orig_p": 40_000 + int(at) % 20_000,
        "resp_h": "192.0.2.1",
        "resp_p": port,
        "proto": "tcp",
        **values,
    }


def rows(begin: float, end: float, step: float = 10.0, port: int = 443) -> list[Row]:
    return [row(begin + i * step, port) for i in range(int((end - begin) / step))]


def learned(
    baseline: Baseline, conn: Sequence[Row], dns: Sequence[Row] = ()
) -> tuple[Baseline, News, int]:
    """The baseline that knows some rows, what was news, and how many rows its tables hold."""
    with Engine() as engine:
        engine.insert("conn", conn)
        engine.insert("dns", dns)
        found = news(engine.records(), baseline)
        left = found.records.conn.count().execute() + found.records.dns.count().execute()
    assert left == found.count
    joined = baseline.joined({"days": days(FIRST), **found.tables})
    return settled(joined), found, left


def counts(found: News) -> tuple[int, int, int]:
    """Records that are news, known, and left out as it cannot be told."""
    return found.count, sum(found.known.values()), sum(found.partly.values())


HOUR = rows(0, 3600)


def test_all_is_news_at_first() -> None:
    baseline, found, _ = learned(Baseline(), HOUR, [row(5.0, 53)])
    assert counts(found) == (361, 0, 0)
    assert (found.records.first, found.records.last) == (DAY, DAY + 3590.0)
    pieces = baseline["pieces"]
    assert list(zip(pieces.log, pieces.hour, pieces.records, strict=True)) == [
        ("conn", FIRST * 24, 360),
        ("dns", FIRST * 24, 1),
    ]
    assert len(baseline["traces"]) == 16 + 1


def test_the_same_again_is_known() -> None:
    once, _, _ = learned(Baseline(), HOUR)
    twice, found, _ = learned(once, HOUR[::-1])
    assert counts(found) == (0, 360, 0)
    assert twice["pieces"].equals(once["pieces"])


def test_other_forms_of_the_same_are_known() -> None:
    once, _, _ = learned(Baseline(), [row(7.123456, local_orig=True, uid="C1")])
    # Zeek's JSON may have milliseconds, cut off, and an open connection other bytes.
    _, found, _ = learned(once, [row(7.123, orig_bytes=7, duration=3.0)])
    assert counts(found) == (0, 1, 0)


def test_another_log_of_the_same_hour_is_news() -> None:
    once, _, _ = learned(Baseline(), HOUR)
    _, found, _ = learned(once, [], [row(5.0, 53)])
    assert counts(found) == (1, 0, 0)


def test_late_rows_are_news_and_then_the_whole_day_is_known() -> None:
    late = rows(5, 3600, 100.0)
    one, _, _ = learned(Baseline(), HOUR)
    both, found, _ = learned(one, [*late, *rows(3600, 7200)])
    assert counts(found) == (36 - 1 + 360, 0, 0)
    for again in ([*HOUR, *late, *rows(3600, 7200)], [*late, *rows(3600, 7200)], HOUR, late):
        _, found, _ = learned(both, again)
        assert counts(found) == (0, len(again), 0)


def test_a_live_log_again_later() -> None:
    noon, _, _ = learned(Baseline(), rows(0, 1800))
    # A connection that began before noon and ended after it cannot be told from those known.
    whole = [*HOUR, row(1001.5), *rows(3600, 7200)]
    evening, found, left = learned(noon, whole)
    assert counts(found) == (180 + 360, 180, 1)
    assert left == 540
    _, found, _ = learned(evening, whole)
    assert counts(found) == (0, len(whole), 0)


def test_an_earlier_part_of_an_hour_is_news() -> None:
    late, _, _ = learned(Baseline(), rows(1800, 3600))
    both, found, _ = learned(late, HOUR)
    assert counts(found) == (180, 180, 0)
    _, found, _ = learned(both, HOUR)
    assert counts(found) == (0, 360, 0)


def test_a_part_of_what_is_known_is_known() -> None:
    once, _, _ = learned(Baseline(), HOUR)
    _, found, _ = learned(once, rows(600, 3000))
    assert counts(found) == (0, 240, 0)


def test_two_sensors_of_one_hour_are_both_news() -> None:
    one, _, _ = learned(Baseline(), HOUR)
    _, found, _ = learned(one, rows(5, 3600))
    assert counts(found) == (359, 0, 0)


def test_pieces_of_days_that_are_over_become_one() -> None:
    baseline, _, _ = learned(Baseline(), HOUR)
    baseline, _, _ = learned(baseline, rows(5, 3600, 100.0))
    assert len(baseline["pieces"]) == 2
    later = [row(86400.0 + at) for at in range(10)]
    baseline, _, _ = learned(baseline, later)
    assert list(baseline["pieces"].records) == [360 + 35, 10]
    assert list(baseline["traces"].groupby("hour").size()) == [16, 10]
    for again in (HOUR, [*HOUR, *rows(5, 3600, 100.0)], later):
        _, found, _ = learned(baseline, again)
        assert found.count == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_order_of_files_does_not_matter(order: tuple[int, ...]) -> None:
    files = [rows(0, 3600), rows(3, 3600, 20.0), rows(3600, 5000)]
    baseline, total = Baseline(), 0
    for index in order:
        baseline, found, left = learned(baseline, files[index])
        total += left
        assert counts(found)[1:] == (0, 0)
    assert total == sum(map(len, files))
    _, found, _ = learned(baseline, [each for file in files for each in file])
    assert counts(found) == (0, total, 0)
