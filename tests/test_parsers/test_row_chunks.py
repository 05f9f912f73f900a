"""A file of separated values, chunk by chunk as Arrow columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analyzer.parsers import row_chunks
from analyzer.parsers.row_chunks import Layout, OverlongLineError, chunks
from analyzer.parsers.row_loops import NULL
from analyzer.records import columns

NAMES = ("ts", "uid", "resp_p", "proto", "orig_bytes", "local_orig")
LAYOUT = Layout(
    columns=dict(enumerate(columns("conn", NAMES))),
    width=7,
    separator="\t",
    unset="-",
    empty="(empty)",
)
ROW = "1.5\tC1\t80\ttcp\t7\tT\tignored\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "rows"


def test_columns_of_a_chunk(log: Path) -> None:
    log.write_text("#x\n" + ROW + "2.25\t-\t-\tudp\t-\t-\té\n" + "bad\n")
    (chunk,) = chunks(log, 3, LAYOUT)
    assert (chunk.rows, chunk.line_count) == (2, 3)
    assert chunk.odd_lines() == [(2, b"bad\n")]
    assert {name: chunk.column(name).to_pylist() for name in NAMES} == {
        "ts": [1.5, 2.25],
        "uid": ["C1", None],
        "resp_p": [80, None],
        "proto": ["tcp", "udp"],
        "local_orig": [True, None],
        "orig_bytes": [7, None],
    }
    assert chunk.number("resp_pkts").tolist() == [NULL] * 2
    assert chunk.lines(np.array([0], np.int32)) == [ROW.removesuffix("\n")]
    assert chunk.texts(("uid", "service"), np.array([1, 0], np.int32)) == [
        [None, b"C1"],
        [None, None],
    ]


def test_rows_of_one_kind(log: Path) -> None:
    log.write_text(ROW + ROW.replace("tcp", "udp") + ROW)
    (chunk,) = chunks(log, 0, LAYOUT)
    kinds, examples = chunk.distinct(("proto", "history"), np.zeros(3, np.int64))
    assert (kinds.tolist(), examples.tolist()) == ([0, 1, 0], [0, 1])


@pytest.mark.parametrize("size", [40, 64, 1000])
def test_chunks_hold_whole_lines(log: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_chunks, "CHUNK", size)
    log.write_text((ROW * 9).removesuffix("\n"))
    assert sum(chunk.rows for chunk in chunks(log, 0, LAYOUT)) == 9


def test_a_line_that_never_ends(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_chunks, "LINE_LIMIT", 100)
    monkeypatch.setattr(row_chunks, "CHUNK", 64)
    log.write_text(ROW + "x" * 300 + "\n" + ROW)
    with pytest.raises(OverlongLineError):
        list(chunks(log, 0, LAYOUT))
