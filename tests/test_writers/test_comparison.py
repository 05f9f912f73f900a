"""Records beside a baseline, at a terminal of 80 columns."""

from __future__ import annotations

import functools
import io

import pandas as pd
import pytest
from rich.console import Console

from analyzer.baseline.comparing import Compared, compare
from analyzer.parsers.account import Account
from analyzer.writers.comparison import render_comparison
from tests.test_baseline.known import DESK, PRINTER, known, summary


@functools.cache
def loud() -> Compared:
    return compare(known(10), summary([10], times=1000.0, port=4444))


def shown(compared: Compared, *hosts: str, width: int = 80, verbose: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width)
    render_comparison(compared, Account(), console, hosts=hosts, verbose=verbose)
    return stream.getvalue()


def test_the_network_and_who_is_off() -> None:
    told = shown(loud())
    assert told.startswith(
        """\
Compared 2026-01-29 with 10 days (2026-01-19 to 2026-01-28) of the baseline
Sigmas are robust; of several days the one furthest off is shown.

The network
"""
    )
    assert "  bytes sent " in told
    assert "over 2    8 d\n" in told
    assert "within 1  8 d\n" in told
    assert "  new port: 4444/tcp\n" in told
    assert "\n10.0.0.5 (workstation): " in told
    # Of a host that is one of many only what is over 2.
    desk = told[told.index("10.0.0.5 (workstation)") :]
    assert "over 2  host 8 d\n" in desk
    assert "within 1  host" not in desk
    assert "Not shown" not in desk
    assert "Nothing over 2 or new: 1 host\n" in told


def test_of_many_numbers_five_are_shown() -> None:
    records = summary([10], times=1000.0, port=4444)
    hours = records["hours"]
    busy = hours.assign(connections=hours.connections * 50, queries=hours.queries * 50)
    told = shown(compare(known(10), records | {"hours": busy}))
    desk = " ".join(told[told.index("10.0.0.5 (workstation)") :].split())
    # Of the other host two are over 2.
    assert desk.count("over 2 host 8 d") == 5 + 2
    assert "more numbers over 2; --host 10.0.0.5 shows all." in desk


def test_one_host_wholly() -> None:
    told = shown(loud(), PRINTER)
    assert "The network" not in told
    assert "10.0.0.9 (device): " in told
    assert "within 1  host 8 d" in told
    assert DESK not in told


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits(width: int) -> None:
    for told in (shown(loud(), width=width), shown(loud(), DESK, width=width)):
        assert max(map(len, told.splitlines())) <= width
        # Rows of numbers are not broken.
        assert sum(" sigmas " in line for line in told.splitlines()) >= 1
        assert not any(line.strip() in ("d", "8 d", "host 8 d") for line in told.splitlines())


def test_everything() -> None:
    told = shown(loud(), verbose=True)
    assert "within 1  host 8 d" in told
    assert "10.0.0.9 (device)" in told
    assert "Not shown" not in told


def test_what_is_compared_with_what_is_said() -> None:
    told = " ".join(shown(compare(known(10), summary([9]))).split())
    assert "Compared 2026-01-28 with 9 days (2026-01-19 to 2026-01-27) of the baseline" in told
    assert "Both have 2026-01-28: left out of the baseline" in told
    told = " ".join(shown(compare(known(10), summary([10], hours=range(8, 10)))).split())
    assert "Records cover 2026-01-29 in part: compared over the same hours" in told
    assert "Both have" not in told


def test_hosts_that_are_new_or_gone() -> None:
    records = summary([10])
    hours = records["hours"]
    renamed = hours.assign(source=hours.source.replace(DESK, "10.0.0.66"))
    told = shown(compare(known(10), records | {"hours": renamed}), verbose=True)
    assert "10.0.0.66 (device, not in the baseline)" in told
    assert "Known, but not in these records: 1 host\n  10.0.0.5\n" in told


def test_what_attackers_write_is_shown_as_it_is() -> None:
    records = summary([10])
    ports = records["ports"]
    evil = ports.assign(application=ports.application.replace("ssl", "\x1b[31m[bold]"))
    told = shown(compare(known(10), records | {"ports": evil}))
    assert "new protocol: \\x1b[31m[bold]" in told
    assert "\x1b" not in told
    assert isinstance(evil, pd.DataFrame)
