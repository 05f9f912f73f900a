"""The rows of one source."""

from __future__ import annotations

from analyzer.baseline.by_source import BySource

from .known import DESK, PRINTER, known


def test_rows_of_a_source() -> None:
    baseline = known(2)
    rows = BySource(baseline.tables)
    found = rows.of(DESK, ["ports", "offered"])
    assert list(found) == ["ports", "offered"]
    assert set(found["ports"].source) == {DESK}
    assert len(found["ports"]) == 2
    assert found["offered"].empty
    # Asked again, of another.
    assert set(rows.of(PRINTER, ["ports"])["ports"].port) == {123}
    assert rows.of("nobody", ["hours"])["hours"].empty
