"""What hosts did in their quiet hours, and how likely that is."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.quiet import QuietHours
from analyzer.baseline.tables import LAYOUTS
from analyzer.detectors.off_hours_trials import PRESENCE, Trials, done, present

from . import Row, connection
from .learned import HOUR, baseline_of, days, usual_day

HOSTS, LEARNED = 8, 8
ROLES = pd.Series({f"10.0.1.{n}": "device" for n in range(1, HOSTS + 1)})
HOST = "10.0.1.5"


def share(hour: float, host: str = HOST, port: int = 445, **columns: Any) -> Row:  # noqa: ANN401
    return connection(
        hour * HOUR + 1500, host, "10.0.0.9", port, orig_bytes=5000, resp_bytes=9000, **columns
    )


def known(extra: list[Row] | None = None) -> tuple[Baseline, QuietHours]:
    baseline = baseline_of([*days(LEARNED, usual_day(HOSTS)), *(extra or [])])
    return baseline, QuietHours(baseline["hours"], baseline.days)


def chance(extra: list[Row], host: str, span: int, port: int = 445) -> pd.Series:
    baseline, quiet = known(extra)
    trials = Trials(done(baseline.tables, quiet), quiet, ROLES)
    row = {"source": host, "day": baseline.days[-1] + 1, "span": span, "proto": "tcp", "port": port}
    return trials.judged(pd.DataFrame([row])).iloc[0]


def test_work_by_day_is_not_what_hosts_do_in_quiet_hours() -> None:
    baseline, quiet = known()
    assert done(baseline.tables, quiet).empty


def test_a_night_on_the_file_server_is() -> None:
    baseline, quiet = known(days(1, [share(3)]))
    (row,) = done(baseline.tables, quiet).to_dict("records")
    assert (row["source"], row["proto"], row["port"], row["span"]) == (HOST, "tcp", 445, 1)
    assert row["day"] == baseline.days[-1]


@pytest.mark.parametrize(
    "row",
    [
        share(3, port=123, proto="udp"),
        share(3, port=50_123),
        share(3, conn_state="S0", history="S", resp_pkts=0),
        connection(3 * HOUR, HOST, "203.0.113.1", 22),
    ],
)
def test_what_machines_do_by_themselves_silence_and_the_outside_are_not(row: Row) -> None:
    baseline, quiet = known(days(1, [row]))
    assert done(baseline.tables, quiet).empty


def test_presence_is_as_many_hosts_as_at_work() -> None:
    night = [connection(3 * HOUR + k, HOST, f"203.0.113.{k + 1}", 443) for k in range(20)]
    baseline, quiet = known(days(1, night))
    (row,) = done(baseline.tables, quiet).to_dict("records")
    assert (row["proto"], row["port"], row["span"]) == (PRESENCE, 0, 1)
    used = present(baseline["hours"], quiet)
    assert (used.hour[used.day == baseline.days[-1]] == 3).sum() == 1
    assert (used.hour == 12).sum() == LEARNED * HOSTS


def test_what_nobody_did_has_the_chance_of_something_new() -> None:
    row = chance([], HOST, 1)
    # Hours 0 to 6 and 18 to 23 are quiet: three spans in the morning, three at night.
    trials = LEARNED * 6 * HOSTS
    rate = 1 / (trials + 1)
    novelty = 10 * rate / (LEARNED * HOSTS + 10)
    expected = LEARNED * 6 * novelty
    assert row.chance == pytest.approx(novelty / (1 + expected))
    assert (row.own_trials, row.own_times) == (LEARNED, 0.0)
    assert (row.role_trials, row.role_times) == (LEARNED * (HOSTS - 1), 0.0)


def test_what_others_do_is_likelier_the_more_of_them_do_it() -> None:
    some = [row for n in (1, 2) for row in days(LEARNED, [share(3, f"10.0.1.{n}")])]
    row = chance(some, HOST, 1)
    assert row.role_times == 2 * LEARNED
    assert row.chance == pytest.approx(10 * (2 / 7) / (LEARNED + 10))


def test_what_the_host_does_itself_is_likely() -> None:
    own = chance(days(LEARNED, [share(3)]), HOST, 1)
    assert own.chance == pytest.approx(LEARNED / (LEARNED + 10))


def test_the_evening_says_nothing_of_the_small_hours() -> None:
    late = [row for n in range(1, 8) for row in days(LEARNED, [share(21, f"10.0.1.{n}")])]
    assert chance(late, "10.0.1.8", 10).chance > 0.1
    assert chance(late, "10.0.1.8", 1).chance < 0.01


def test_a_session_on_several_ports_is_one_event() -> None:
    one = chance(days(1, [share(3, "10.0.1.1", 445)]), HOST, 1, port=22)
    three = days(1, [share(3, "10.0.1.1", port) for port in (88, 389, 445)])
    assert chance(three, HOST, 1, port=22).chance == pytest.approx(one.chance)
    assert one.chance > chance([], HOST, 1, port=22).chance


def test_a_host_that_often_does_something_new_is_likelier_to() -> None:
    odd = [
        days(back, [share(3, "10.0.1.1", port)])[0]
        for back, port in enumerate((21, 22, 25), start=1)
    ]
    assert chance(odd, "10.0.1.1", 1).chance > chance(odd, HOST, 1).chance


def test_hours_of_the_halves_of_a_day_are_those_of_the_day() -> None:
    layout = LAYOUTS["port_hours"]
    whole = baseline_of([share(3), share(9), share(21)])["port_hours"]
    first, second = (
        baseline_of(rows)["port_hours"] for rows in ([share(3), share(9)], [share(21)])
    )
    assert whole.hours.tolist() == [2**1 + 2**4 + 2**10]
    assert layout.joined(pd.concat([first, second, first])).equals(whole)
