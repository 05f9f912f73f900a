"""What could not be read, at a terminal."""

from __future__ import annotations

import io
from collections import Counter

from rich.console import Console

from analyzer.parsers.account import Account, FileAccount
from analyzer.writers.page import Page
from analyzer.writers.problems import render_problems


def shown(account: Account, *, verbose: bool = False) -> str:
    stream = io.StringIO()
    render_problems(Page(Console(file=stream, width=100), verbose=verbose), account)
    return stream.getvalue()


def test_nothing_is_said_where_all_is_well() -> None:
    assert shown(Account([FileAccount("conn.log", read=Counter(conn=1))])) == ""


def test_reasons_places_and_files() -> None:
    log = FileAccount("conn.log", packets=7, read=Counter(conn=1), keep_all=True)
    for line in range(5):
        log.skip("too few columns", line + 1)
    broken = FileAccount("a.gz", note="ends in the middle of a block", failed=True)
    other = FileAccount("b.log", note="a Zeek files log")
    account = Account([log, other, broken], passed_over=Counter({"not IP": 2}))
    lines = [
        "",
        "Problems reading",
        "  5 lines skipped: too few columns",
        "    conn.log:1, conn.log:2, conn.log:3",
        "  2 packets passed over: not IP",
        "  failed: a.gz: ends in the middle of a block",
        "  ignored: b.log: a Zeek files log",
    ]
    assert shown(account).splitlines() == lines
    lines[3] += ", conn.log:4, conn.log:5"
    assert shown(account, verbose=True).splitlines() == lines
