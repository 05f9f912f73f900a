"""Amounts in words, and tables that drop columns before they break."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from analyzer.baseline.profile import Profiles
from analyzer.writers.page import Page
from analyzer.writers.profile import amount, render_profile
from tests.test_baseline.known import DESK, known


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0125, "s", "12.5 ms"),
        (0.0, "s", "0 s"),
        (1.0, "s", "1 s"),
        (90.0, "s", "90 s"),
        (4.2e6, "B", "4.2 MB"),
        (0.5, "", "0.5"),
    ],
)
def test_amounts(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


@pytest.mark.parametrize(
    ("width", "head"),
    [
        (80, ["centre", "spread", "5%", "25%", "75%", "95%", "99%"]),
        (70, ["centre", "spread", "25%", "75%", "95%", "99%"]),
        (54, ["centre", "spread", "75%", "95%"]),
    ],
)
def test_quantiles_as_many_as_there_is_room_for(width: int, head: list[str]) -> None:
    stream = io.StringIO()
    page = Page(Console(file=stream, width=width), verbose=False)
    render_profile(page, Profiles(known(3)).host(DESK))
    lines = stream.getvalue().splitlines()
    assert lines[lines.index("One connection") + 1].split() == head
    assert lines[lines.index("One connection") + 2].split()[:2] == ["bytes", "sent"]
