"""The steps of a walk; what walks find is in the tests of the detector."""

from __future__ import annotations

import pytest

from analyzer.detectors.detection import Shared, shared_contacts
from analyzer.detectors.scan_walks import Scan, Shape, Walk, first_tries, walks

from . import START, connection, holding

WALK = Walk.of(0.8, 0.2, 6.2e-5)


def test_steps() -> None:
    # log10 of 4 up and down; a bound of log10 of 1 / 6.2e-5.
    assert Walk(up=602_060, down=-602_060, bound=4_207_608) == WALK
    assert WALK.least_steps == 7
    assert WALK.evidence == 4.207608


@pytest.mark.parametrize(
    ("chances", "steps"), [((0.9, 0.2, 1e-3), 4), ((0.9, 0.1, 1e-3), 4), ((0.6, 0.4, 1e-3), 18)]
)
def test_fewest_steps(chances: tuple[float, float, float], steps: int) -> None:
    assert Walk.of(*chances).least_steps == steps


@pytest.mark.parametrize(("shape", "found"), [("address", 1), ("port", 0), ("block", 1)])
def test_ten_failures_after_three_answers(shape: Shape, found: int) -> None:
    rows = [connection(60 * k, "10.0.0.5", f"10.0.1.{k}", 22, answered=k < 3) for k in range(13)]
    with holding(rows) as records:
        tries = first_tries(shared_contacts(records, Shared()), records, WALK)
        scans = walks(tries, shape, records, WALK)
    assert len(scans) == found
    # The walk begins where it leaves the floor.
    assert all(_told(scan) == (10, 0, START + 180, START + 720) for scan in scans)
    assert all(scan.evidence == pytest.approx(6.0206) for scan in scans)


def _told(scan: Scan) -> tuple[int, int, float, float]:
    return scan.failed, scan.answered, scan.first, scan.last
