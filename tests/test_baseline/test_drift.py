"""How far the last days of a network are from those before."""

from __future__ import annotations

from analyzer.baseline.drift import Drift, drift_of
from analyzer.baseline.folding import folded
from analyzer.baseline.shifts import HAS_DRIFTED, HAS_MOVED, STEADY, Shift

from .known import known, summary


def test_too_few_days() -> None:
    assert drift_of(known(3)) is None
    assert drift_of(known(1)) is None


def test_days_that_are_alike() -> None:
    found = drift_of(known(9))
    assert found is not None
    assert found.days == ("2026-01-25", "2026-01-26", "2026-01-27")
    assert len(found.before) == 6
    assert found.state == STEADY
    assert found.distance < 0.05
    assert {each.band for each in found.totals} == {"within 1"}
    assert {each.judged_by for each in found.totals} == {"the network"}


def test_another_port_and_a_hundred_times_as_much() -> None:
    baseline = folded(known(9).joined(summary([9, 10, 11], port=4444, times=100.0)))
    found = drift_of(baseline)
    assert found is not None
    assert found.state == HAS_DRIFTED
    assert found.distance > 0.5
    assert found.shifts[0].distance == found.distance
    off = {each.metric for each in found.totals if each.sigmas > 2}
    assert {"bytes_out", "most_bytes_out", "port_mix"} <= off
    assert "connections" not in off


def test_in_one_number_the_furthest_counts() -> None:
    shifts = (Shift("ports", 0.15, 0.0), Shift("hours", 0.3, 0.29))
    found = Drift(days=(), before=(), shifts=shifts, totals=())
    assert (found.distance, found.state) == (0.3, HAS_MOVED)
    assert (Drift((), (), (), ()).distance, Drift((), (), (), ()).state) == (0.0, STEADY)
