"""All that a baseline knows, at a terminal of 80 columns without colour."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.overview import overview
from analyzer.writers.baseline import render_overview
from tests.test_baseline import FIRST, frame
from tests.test_baseline.known import DESK, LEARNED, PRINTER, known

EVIL = "\x1b[31m[bold]evil"


def shown(baseline: Baseline, *hosts: str, width: int = 80, verbose: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width)
    told = overview(baseline, list(hosts))
    render_overview(told, "office.baseline", console, now=LEARNED + 7200, verbose=verbose)
    return stream.getvalue()


def test_the_network() -> None:
    told = shown(known(9))
    assert told.startswith(
        """\
Baseline office.baseline
  Holds 9 days (2026-01-19 to 2026-01-27), of a window of 30 days
  5,616 connections and 180 DNS transactions of 2 hosts; 0 records left out,
    as findings are about them
  Last learned: 2026-02-28 00:00:00 UTC (2 h ago)
"""
    )
    for words in (
        "Roles of hosts: device 1, workstation 1",
        "Hosts judged, for most of their hours, by: this host 2",
        "One connection",
        "One hour, of hours with any record",
        "Connections by hour of the day (UTC); the highest is 9.8%",
        "Connections by day of the week",
        "transport: tcp 95.6%, udp 4.4%",
        "spoken: ssl 95.6%, ntp 4.4%",
        "Outside hosts met: 2, those first seen last first",
        "Local hosts met: 1, those first seen last first",
        "Services offered",
        "Hosts, top talkers first",
        "Reference sample for models",
        "nothing yet",
    ):
        assert words in told, words


def test_a_host() -> None:
    told = shown(known(9), DESK)
    assert "Host 10.0.0.5\n  workstation, seen on 9 days (2026-01-19 to 2026-01-27)\n" in told
    assert "  most of its hours are judged by: this host\n" in told
    assert "  drift: steady" in told
    assert (
        """
                          ## ## ## ## ## ## ## ## ## ##
                          ## ## ## ## ## ## ## ## ## ##
                          ## ## ## ## ## ## ## ## ## ##
                          ## ## ## ## ## ## ## ## ## ##
                          ## ## ## ## ## ## ## ## ## ##
  00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23
"""
        in told
    )
    assert "  Mon  |        @@@@@@@@@@      |" in told
    assert "Hosts, top talkers first" not in told
    assert "  443/tcp  ssl     100.0%" in told
    assert "example.com" in told


def test_days_never_covered_are_told_so() -> None:
    told = shown(known(5), PRINTER)
    assert "  Sat  never covered\n" in told
    assert "  Sat  |????????????????????????|" in told
    assert "9100/tcp" in told


@pytest.mark.parametrize("hosts", [(), (DESK,), (PRINTER,)])
def test_it_fits_eighty_columns_of_plain_ascii(hosts: tuple[str, ...]) -> None:
    told = shown(known(9), *hosts)
    assert told.isascii()
    assert max(map(len, told.splitlines())) <= 80
    assert all(line == line.rstrip() for line in told.splitlines())


def test_an_empty_baseline() -> None:
    told = shown(Baseline())
    assert "Holds no day yet, of a window of 30 days" in told
    assert "Last learned: never" in told
    assert "Nothing is known." in told


def test_verdicts() -> None:
    said = frame(
        "verdicts",
        (LEARNED, "ann", "f1", True, "new_port", DESK, "198.51.100.7", "tcp", 4444, "", 0.8),
        (LEARNED + 1, EVIL, "f2", False, "volume", EVIL, "", "", -1, EVIL, 0.95),
    )
    told = shown(known(2).joined({"verdicts": said}), width=200)
    assert "ann" in told
    assert "benign      0.80  new_port 10.0.0.5 to 198.51.100.7 4444/tcp" in told
    assert "\x1b" not in told
    assert "\\x1b[31m[bold]evil" in told
    assert told.index("malicious") < told.index("benign")


def test_long_lists_say_how_much_is_not_shown() -> None:
    names = frame("names", *((DESK, f"n{k:02}.example", FIRST, 100.0 - k) for k in range(13)))
    baseline = known(2).joined({"names": names})
    told, everything = shown(baseline, DESK), shown(baseline, DESK, verbose=True)
    assert "Not shown: 5 more domains; -v shows all." in told
    assert "n12.example" not in told
    assert "n12.example" in everything
    assert "Not shown" not in everything
