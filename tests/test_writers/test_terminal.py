"""The summary at a terminal, character by character."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from analyzer.allowlist import parse_allowlist
from analyzer.baseline.state import state_of
from analyzer.findings import Evidence, Finding, Severity
from analyzer.hosts import rank_hosts
from analyzer.mitre import technique
from analyzer.parsers.account import Account, FileAccount
from analyzer.report import Report
from analyzer.writers.terminal import render
from tests.test_baseline.known import known

from . import FIRST, make_finding


def _show(report: Report, width: int = 80, *, verbose: bool = False, color: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=color)
    render(report, console, verbose=verbose)
    return stream.getvalue()


def _report(*findings: Finding) -> Report:
    return Report(
        all_findings=findings,
        records={"conn": 12345, "dns": 2345},
        first=FIRST,
        last=FIRST + 86400,
        hosts=rank_hosts(f for f in findings if f.severity >= Severity.LOW),
        stages={"read": 1.2, "detect": 0.351},
    )


def _account() -> Account:
    conn = FileAccount("conn.log", read=Counter(conn=12345))
    for line in (12, 15, 19, 1022):
        conn.skip("ts is not a number", line)
    conn.skip("too few columns", None)
    files = FileAccount("files.log", note="a Zeek files log, which is not used")
    broken = FileAccount("bad.log.gz", note="ends in the middle of a block", failed=True)
    cut = FileAccount("dns.log", read=Counter(dns=2345), note="has no #close yet")
    return Account([conn, files, broken, cut])


BEACON = make_finding(
    rule="beacon",
    source="10.0.0.7",
    destination="203.0.113.9",
    score=0.971,
    techniques=(technique("T1071.004"), technique("T1046")),
    message="10.0.0.7 called 203.0.113.9 every 60 s for 24 h, day and night, with 2 kB each time",
    first=FIRST,
    last=FIRST,
    connections=1,
    evidence=(
        Evidence("interval", 60.0, unit="s"),
        Evidence("bytes", 4_200_000_000.0, expected=1e6, threshold=1e9, unit="B"),
    ),
)

AT_80 = """\
Analysed 12,345 conn and 2,345 dns records
2023-11-14 22:13:20 to 2023-11-15 22:13:20 UTC (24 h)

Findings by rule
  Rule          critical  high  total
  beacon               1     0      1
  address-scan         0     1      1
  all                  1     1      2

Findings, loudest first
  CRITICAL 0.97  10.0.0.7 called 203.0.113.9 every 60 s for 24 h, day and night,
                 with 2 kB each time
    T1071.004 Application Layer Protocol: DNS, T1046 Network Service Discovery
    2023-11-14 22:13:20 UTC, 1 connection
    interval    60 s
    bytes     4.2 GB  expected 1 MB  threshold 1 GB
  HIGH     0.93  10.0.0.5 tried 254 hosts on 22/tcp, 250 of them in vain
    T1046 Network Service Discovery
    2023-11-14 22:13:20 to 2023-11-14 22:20:00 UTC (6.67 min), 254 connections
    failed hosts       250  expected 1.2  threshold 20
    share failed     0.984                threshold 0.8
    length        6.67 min
  Not shown: 1 weaker finding, below severity low.

Hosts, most suspicious first
  Host      Score  Findings  Rules, tactics
  10.0.0.7   0.97         1  beacon
                             Command and Control
  10.0.0.5   0.93         1  address-scan
                             Discovery

Seconds
  read 1.20, detect 0.35, all 1.55
"""


def test_at_80_and_120_columns() -> None:
    report = _report(BEACON, make_finding(), make_finding(score=0.5))
    assert _show(report) == AT_80
    unwrapped = "day and night, with 2 kB each time\n"
    wrapped = f"day and night,\n{' ' * 17}with 2 kB each time\n"
    assert _show(report, 120) == AT_80.replace(wrapped, unwrapped)


def test_problems_reading() -> None:
    report = Report(all_findings=(), records={"conn": 1}, account=_account())
    lines = _show(report).splitlines()
    assert lines[0] == "Analysed 1 conn record from 4 files; 5 lines skipped"
    assert lines[lines.index("Problems reading") :] == [
        "Problems reading",
        "  4 lines skipped: ts is not a number",
        "    conn.log:12, conn.log:15, conn.log:19",
        "  1 line skipped: too few columns",
        "  failed: bad.log.gz: ends in the middle of a block",
        "  ignored: files.log: a Zeek files log, which is not used",
        "  note: dns.log: has no #close yet",
    ]


def test_nothing_found_is_said_with_what_was_looked_at() -> None:
    assert _show(_report(make_finding(score=0.5))).splitlines()[2:6] == [
        "",
        "Nothing found at severity low or above",
        "  Looked at 12,345 conn and 2,345 dns records over 24 h.",
        "  Not shown: 1 weaker finding, below severity low.",
    ]
    assert _show(Report(all_findings=())) == (
        "Analysed no records\n\nNothing found at severity low or above\n  Looked at no records.\n"
    )


def test_only_the_loudest_unless_verbose() -> None:
    findings = [make_finding(source=f"10.0.1.{i}", message=f"finding {i}.") for i in range(25)]
    report = _report(*findings)
    brief, full = _show(report), _show(report, verbose=True)
    assert "finding 19." in brief
    assert "finding 20." not in brief
    assert "  Not shown: 5 more findings; -v shows all.\n" in brief
    assert "  Not shown: 5 more hosts; -v shows all.\n" in brief
    assert "id " not in brief
    assert all(f"finding {i}." in full for i in range(25))
    assert "Not shown" not in full
    assert f"    id {findings[0].identifier}, uid CHhAvVGS1DHFjwGM9, C2\n" in full


def test_verbose_shows_every_place() -> None:
    account = Account([FileAccount("x.log", keep_all=True)])
    for line in range(1, 6):
        account.files[0].skip("bad", line)
    report = Report(all_findings=(), account=account)
    assert "    x.log:1, x.log:2, x.log:3\n" in _show(report)
    assert "    x.log:1, x.log:2, x.log:3, x.log:4, x.log:5\n" in _show(report, verbose=True)


def test_control_characters_and_markup_are_text() -> None:
    hostile = "\x1b[31m[red]x[/red]\r\n\x9b2J\u202e:smile:\udcff"
    finding = make_finding(
        message=hostile,
        source=hostile.replace("\udcff", ""),
        rule="[bold]",
        evidence=(Evidence("[blink]", "\x1b]0;title\x07"),),
    )
    report = _report(finding)
    for text in (_show(report, 200), _show(report, 200, color=True)):
        assert r"\x1b[31m[red]x[/red]\r\n\x9b2J\u202e:smile:\xff" in text
        assert r"\x1b]0;title\x07" in text
        assert "[bold]" in text
        assert "[blink]" in text
        assert not set(text) & {"\r", "\x07", "\x9b", "\u202e"}
    assert "\x1b" not in _show(report)


@given(st.text(st.characters(exclude_categories=[])), st.integers(20, 120))
def test_no_text_forges_a_line_or_leaves_the_width(text: str, width: int) -> None:
    finding = make_finding(message=f"{text}.", evidence=(Evidence(text, text),), uids=(text,))
    lines = _show(_report(finding), width, verbose=True).split("\n")
    assert all(line.isprintable() and line == line.rstrip() for line in lines)
    assert all(cell_len(line) <= width for line in lines)
    assert sum(line.startswith("Findings by rule") for line in lines) == 1


@pytest.mark.parametrize("width", range(60, 130, 7))
def test_no_line_is_too_long_and_no_number_is_broken(width: int) -> None:
    address = "2001:db8:1111:2222:3333:4444:5555:6666"
    report = _report(BEACON, make_finding(source=address, connections=123456789))
    text = _show(report, width)
    assert max(map(len, text.splitlines())) <= width
    words = text.split()
    for word in (address, "123,456,789", "0.984", "2023-11-14", "22:13:20", "0.97", "1.55"):
        assert word in [each.strip("(),") for each in words]


def test_colour_adds_nothing_but_colour() -> None:
    report = _report(BEACON, make_finding())
    stream = io.StringIO()
    coloured = Console(
        file=stream, width=80, force_terminal=True, no_color=False, color_system="truecolor"
    )
    with coloured.capture() as capture:
        render(report, coloured)
    assert "\x1b[1;37;41mCRITICAL 0.97" in capture.get()
    stripped = "".join(
        part.partition("m")[2] if index else part
        for index, part in enumerate(capture.get().split("\x1b["))
    )
    assert stripped == _show(report)


def test_an_encoding_without_a_character_shows_its_escape() -> None:
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, encoding="ascii")
    render(_report(make_finding(message="caffè 東")), Console(file=stream, width=80))
    stream.flush()
    assert rb"caff\xe8 \u6771" in content.getvalue()


def test_times_beyond_the_calendar_are_shown_as_seconds() -> None:
    text = _show(Report(all_findings=(), records={"conn": 2}, first=FIRST, last=1e18))
    assert "2023-11-14 22:13:20 to 1000000000000000000 s after 1970 UTC" in text


def test_an_empty_message_and_a_finding_without_anything() -> None:
    bare = make_finding(message="", techniques=(), evidence=(), connections=0, uids=(), best=None)
    assert "  HIGH     0.93\n" in _show(_report(bare))


def test_hosts_outside_are_marked_and_what_adds_up_has_a_timeline() -> None:
    tunnel = make_finding(
        rule="dns_tunnel",
        score=0.85,
        first=FIRST + 60,
        techniques=(technique("T1071.004"),),
        subject="example.com",
        port=53,
        message="10.0.0.5 asked for \x1b[2J below example.com",
    )
    outside = make_finding(source="203.0.113.9", score=0.96)
    findings = (outside, make_finding(), tunnel)
    report = Report(all_findings=findings, hosts=rank_hosts(findings, {"203.0.113.9"}))
    lines = _show(report).splitlines()
    assert lines[lines.index("Hosts, most suspicious first") :] == [
        "Hosts, most suspicious first",
        "  Host         Score  Findings  Rules, tactics",
        "  10.0.0.5      0.98         2  address-scan, dns_tunnel",
        "                                Discovery, Command and Control",
        "  203.0.113.9   0.96         1  address-scan",
        "  (outside)                     Discovery",
        "",
        "Timeline of 10.0.0.5, 2 independent pieces of evidence in its worst day",
        "  2023-11-14 22:13:20  high    10.0.0.5 tried 254 hosts on 22/tcp, 250 of them",
        "                               in vain",
        "  2023-11-14 22:14:20  medium  10.0.0.5 asked for \\x1b[2J below example.com",
    ]


def test_a_timeline_says_what_it_leaves_out() -> None:
    findings = [make_finding(port=port, first=FIRST + port) for port in range(1, 12)]
    text = _show(Report(all_findings=tuple(findings), hosts=rank_hosts(findings)))
    assert "Timeline of 10.0.0.5, 1 independent piece of evidence in its worst day" in text
    assert "Not shown: 3 quieter findings." in text


ALLOWED = """\

Allowed, not reported: 2 findings
  1 by ours:1: 203.0.113.9 rule:beac*
  1 by ours:3: 10.0.0.5
"""


def test_what_is_allowed_and_by_which_entry() -> None:
    report = _report(BEACON, make_finding(), make_finding(score=0.5))
    entries = "203.0.113.9 rule:beac* # ours\n10.0.0.99\n10.0.0.5\n"
    allowing = report.allowing(parse_allowlist(entries, "ours"))
    shown = _show(allowing)
    assert ALLOWED in shown
    assert "Nothing found at severity low or above" in shown
    assert "10.0.0.99" not in shown
    assert "beacon: " not in shown
    verbose = _show(allowing, 200, verbose=True)
    assert "  1 by ours:3: 10.0.0.5\n    high address-scan: 10.0.0.5 tried 254 hosts" in verbose
    assert "Allowlist entries that allow nothing of this\n  ours:2: 10.0.0.99\n" in verbose


def test_what_was_listed() -> None:
    file = FileAccount("intel.dat", lines=5, read=Counter(address=1, domain=1200))
    file.skip("Intel::ADDR: not an IPv4 or IPv6 address", 7)
    other = FileAccount("README", note="no indicator: empty")
    account = Account([file, other], passed_over=Counter({"Intel::EMAIL": 3}))
    shown = _show(replace(_report(), intelligence=account))
    assert (
        "Looked for 1 address, 1,200 domains listed in 1 file; 1 line skipped\n"
        "  Indicators that logs of connections and names do not show: Intel::EMAIL 3\n"
    ) in shown
    assert (
        "Problems reading intelligence\n"
        "  1 line skipped: Intel::ADDR: not an IPv4 or IPv6 address\n"
        "    intel.dat:7\n"
        "  ignored: README: no indicator: empty\n"
    ) in shown


def test_the_baseline_that_records_were_judged_by() -> None:
    report = replace(_report(), baseline=state_of(known(9)))
    told = _show(report)
    assert (
        """
Judged by a baseline
  Holds 9 days (2026-01-19 to 2026-01-27), of a window of 30 days
"""
        in told
    )
    assert "  Last learned: 2026-02-28 00:00:00 UTC\n" in told
    assert "  Drift: steady" in told
    assert "  Alert rate: nothing was scored yet\n" in told
    assert "Judged by a baseline" not in _show(_report())
