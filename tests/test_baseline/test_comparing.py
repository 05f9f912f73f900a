"""Records beside a baseline: the furthest off first, and nothing judged by itself."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.comparing import BANDS, Compared, band_of, compare, deviations_of
from analyzer.baseline.daily import METRICS
from analyzer.baseline.judged_days import JUDGED
from analyzer.baseline.tables import LAYOUTS

from . import FIRST, assert_same, frame
from .known import DESK, PRINTER, known, summary


@pytest.mark.parametrize(
    ("sigmas", "band"),
    [(0.0, 0), (1.0, 0), (-1.0, 0), (1.01, 1), (-2.0, 1), (2.0, 1), (2.01, 2), (-9.0, 2)],
)
def test_bands(sigmas: float, band: int) -> None:
    assert band_of(sigmas) == BANDS[band]


def test_another_day_of_the_same() -> None:
    found = compare(known(10), summary([10]))
    assert found.days == ("2026-01-29",)
    assert (found.usual_days[0], len(found.usual_days)) == ("2026-01-19", 10)
    assert (found.left_out, found.partial, found.silent) == ((), (), ())
    assert {one.host for one in found.hosts} == {DESK, PRINTER}
    everyone = (found.network, *found.hosts)
    assert {each.band for one in everyone for each in one.deviations} == {"within 1"}
    assert all(one.known for one in found.hosts)
    assert found.network.host is None


def test_the_furthest_off_comes_first() -> None:
    found = compare(known(10), summary([10], times=1000.0, port=4444))
    desk, printer = found.hosts
    assert (desk.host, printer.host) == (DESK, PRINTER)
    assert desk.furthest > 10
    assert printer.furthest < 1
    sigmas = [abs(each.sigmas) for each in desk.deviations]
    assert sigmas == sorted(sigmas, reverse=True)
    assert desk.deviations[0].metric in ("bytes_out", "most_bytes_out", "bytes_out_95")
    (sent,) = (each for each in desk.deviations if each.metric == "bytes_out")
    assert (sent.observed, sent.band, sent.judged_by, sent.samples) == (
        6e8,
        "over 2",
        "this host",
        8,
    )
    assert [(day.day, day.observed) for day in sent.days] == [("2026-01-29", 6e8)]
    assert (desk.new_ports, printer.new_ports) == (("4444/tcp",), ())
    assert found.network.new_ports == ("4444/tcp",)
    assert {each.judged_by for each in found.network.deviations} == {"the network"}


def test_of_several_days_the_one_furthest_off_is_told() -> None:
    quiet, loud = summary([10]), summary([11], times=1000.0)
    both = {
        name: LAYOUTS[name].joined(pd.concat([quiet[name], loud[name]], ignore_index=True))
        for name in quiet
    }
    found = compare(known(10), both)
    (sent,) = (each for each in found.hosts[0].deviations if each.metric == "bytes_out")
    assert sent.observed == pytest.approx(6e8)
    assert [day.day for day in sent.days] == ["2026-01-29", "2026-01-30"]
    assert sent.days[0].observed == pytest.approx(6e5)
    assert abs(sent.days[0].sigmas) < 1


def test_days_that_both_have_are_left_out_of_the_baseline() -> None:
    # A flood that was learned must not be what it is judged by.
    baseline = known(10).joined(summary([10], times=1000.0))
    before = Baseline(**{name: getattr(baseline, name) for name in ("tables", "window", "learned")})
    found = compare(baseline, summary([10], times=1000.0))
    assert found.left_out == ("2026-01-29",)
    assert found.days[0] not in found.usual_days
    (sent,) = (each for each in found.hosts[0].deviations if each.metric == "bytes_out")
    assert sent.sigmas > 10
    # Nothing of the baseline changes.
    assert_same(baseline, before)


def test_all_days_in_common_leave_nothing_to_compare_with() -> None:
    found = compare(known(3), summary([0, 1, 2]))
    assert found.usual_days == ()
    assert len(found.left_out) == 3
    assert all(not one.deviations for one in (found.network, *found.hosts))
    assert found.network.furthest == 0.0


def test_a_host_that_is_new_is_judged_by_hosts_like_it() -> None:
    records = summary([10])
    hours = records["hours"]
    copied = hours[hours.source == DESK].assign(source="10.0.0.66")
    asked = records["lookups"].assign(source="10.0.0.66")
    found = compare(
        known(10),
        records
        | {
            "hours": pd.concat([hours, copied], ignore_index=True),
            "lookups": pd.concat([records["lookups"], asked], ignore_index=True),
        },
    )
    (new,) = (one for one in found.hosts if one.host == "10.0.0.66")
    assert (new.known, new.role) == (False, "workstation")
    (begun,) = (each for each in new.deviations if each.metric == "connections")
    assert begun.judged_by == "hosts of its role"
    assert abs(begun.sigmas) < 1


def test_hosts_that_are_gone_are_named() -> None:
    records = summary([10])
    hours = records["hours"]
    found = compare(known(10), records | {"hours": hours[hours.source == PRINTER]})
    assert found.silent == (DESK,)
    assert [one.host for one in found.hosts] == [PRINTER]


def test_records_before_what_was_learned() -> None:
    usual = Baseline().joined(summary(range(40, 50)))
    found = compare(usual, summary([1], times=1000.0))
    assert found.hosts[0].furthest > 10
    assert found.hosts[0].role == "workstation"


def test_records_without_a_day() -> None:
    empty = {name: table.iloc[:0] for name, table in summary([0]).items()}
    found = compare(known(3), empty)
    assert (found.days, found.hosts) == ((), ())
    assert isinstance(found, Compared)


def test_order_of_deviations() -> None:
    rows = pd.DataFrame(
        [
            ("a", "names", 1, 1.0, 1.0, 0.5, 2, 3),
            ("a", "connections", 1, 1.0, 1.0, -0.5, 2, 3),
            ("a", "ports", 1, 1.0, 1.0, -3.0, 3, 3),
            ("", "ports", 1, 1.0, 1.0, 1.5, 2, 3),
        ],
        columns=list(JUDGED),
    )
    found = deviations_of(rows)
    # As far off as another is what is told earlier.
    assert [each.metric for each in found["a"]] == ["ports", "connections", "names"]
    assert [each.judged_by for each in found["a"]] == [
        "hosts of its role",
        "this host",
        "this host",
    ]
    assert found[""][0].judged_by == "the network"
    assert list(METRICS).index("connections") < list(METRICS).index("names")
    assert frame("hours").empty
    assert FIRST
