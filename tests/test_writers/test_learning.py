"""What became of records that a baseline was to learn, printed."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from analyzer.learned import Learned
from analyzer.parsers.account import Account
from analyzer.writers.learning import render_learned
from tests.test_baseline import FIRST, days, small

BASELINE = small(days=days(FIRST, FIRST + 1))


def said(learned: Learned) -> str:
    stream = io.StringIO()
    render_learned(learned, Console(file=stream, width=200))
    return stream.getvalue()


LEARNED = Learned(
    path=Path("b\x1b[2J"),
    baseline=BASELINE,
    changed=True,
    account=Account(),
    days=(FIRST, FIRST + 1),
    hosts=1,
    records={"conn": 1200, "dns": 3},
    known={"conn": 1, "dns": 0},
    partly={"conn": 2, "dns": 0},
    outdated={"conn": 3, "dns": 0},
    ahead={"conn": 4, "dns": 0},
    flagged={"conn": 5, "dns": 6},
    findings=1,
    gone=(FIRST - 9, FIRST - 8),
    rising=(("10.0.0.5", "bytes_out", 20, 8.04),),
)


def test_everything_is_said() -> None:
    assert said(LEARNED).splitlines() == [
        "Learned 1,200 conn, 3 dns records of 1 local host and 2 days",
        "  Left out: 1 conn, 0 dns records were known already",
        "  Left out: 2 conn, 0 dns records cannot be told from known records of their hour",
        "  Left out: 3 conn, 0 dns records are of days before the window",
        "  Left out: 4 conn, 0 dns records are of times still to come",
        "  Left out: 5 conn, 6 dns records are what 1 finding found wrong",
        "  2 days (2026-01-10 to 2026-01-11) left the window",
        "  Rising day by day: bytes out of 10.0.0.5, 8.0 times in 20 days",
        "b\\x1b[2J holds 2 days (2026-01-19 to 2026-01-20), of a window of 30 days",
    ]


def test_nothing_new() -> None:
    nothing = Learned(path=Path("b"), baseline=BASELINE, changed=False, account=Account())
    assert said(nothing).splitlines() == [
        "Learned nothing new",
        "b is as it was and holds 2 days (2026-01-19 to 2026-01-20), of a window of 30 days",
    ]
    empty = replace(nothing, baseline=BASELINE.without([FIRST, FIRST + 1]))
    assert "holds no day yet" in said(empty)
