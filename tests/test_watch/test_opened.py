"""What the service works with: where it begins to read, what it says of a state not whole."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.errors import AnalyzerError
from analyzer.watch.opened import Opened, open_all
from analyzer.watch.options import Options, Start

from .test_following import header, row

NOW = 1_000_000.0


@contextlib.contextmanager
def opened(options: Options, said: list[str]) -> Iterator[Opened]:
    with contextlib.ExitStack() as stack:
        yield open_all(options, stack, complain=said.append, clock=lambda: NOW)


def read(options: Options, said: list[str]) -> int:
    """How many rows are taken in at the first look."""
    with opened(options, said) as held:
        held.follower.look(NOW)
        rows = held.intake.step(NOW) or 0
        held.intake.keep_known()
        held.state.set_fact("begun", "yes")
        return rows


@pytest.fixture
def logs(options: Options) -> Path:
    """An old log of two rows and a new one of three."""
    (top,) = options.tops
    for name, numbers, age in (("old", (1, 2), 2 * 86_400.0), ("new", (3, 4, 5), 100.0)):
        path = top / f"conn.{name}.log"
        path.write_text(header(numbers[0]) + "".join(map(row, numbers)))
        os.utime(path, (NOW - age, NOW - age))
    return top


@pytest.mark.parametrize(("start", "rows"), [("beginning", 5), ("stopped", 3), ("end", 0)])
def test_where_it_starts(options: Options, logs: Path, start: Start, rows: int) -> None:
    said: list[str] = []
    assert read(replace(options, start=start), said) == rows
    # Where it stopped, there is nothing more; from the beginning there is.
    assert read(replace(options, start="stopped"), said) == 0
    path = logs / "conn.later.log"
    path.write_text(header(9) + row(9))
    os.utime(path, (NOW - 9 * 86_400.0, NOW - 9 * 86_400.0))
    assert read(replace(options, start="stopped"), said) == 1
    assert read(replace(options, start="beginning"), said) == 6
    assert said == []


def test_only_one_has_it(options: Options) -> None:
    said: list[str] = []
    with (
        opened(options, said),
        pytest.raises(AnalyzerError, match="another zeek-analyzer is writing it"),
        opened(options, said),
    ):
        pass


@pytest.mark.usefixtures("logs")
def test_what_is_not_whole_is_told(options: Options) -> None:
    said: list[str] = []
    assert read(options, said) == 5
    for file in (options.state / "window").iterdir():
        file.unlink()
    again = replace(options, start="stopped")
    with opened(again, said) as held:
        held.state.put_out(["what is this"])
    assert said == [f"5 rows of the window are gone from {options.state}"]
    said.clear()
    with opened(again, said):
        pass
    assert said == ["1 findings that another version meant to write are lost"]


@pytest.mark.usefixtures("logs")
def test_rows_of_another_layout_are_read_again(options: Options) -> None:
    said: list[str] = []
    assert read(options, said) == 5
    again = replace(options, start="stopped")
    with opened(again, said) as held:
        held.state.set_fact("layout", "of an earlier version")
    assert read(again, said) == 5
    assert said == ["another version has written the window; logs are read again"]
