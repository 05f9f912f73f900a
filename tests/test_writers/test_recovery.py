"""What is left of a log that was cut at any byte."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from analyzer.writers.notice import columns, notice_row
from analyzer.writers.recovery import is_closed, is_tsv, opening_time, without_torn_line
from analyzer.zeek_format import footer, header

from . import FIRST, make_finding

HEADER = header("notice", columns(), FIRST).encode()
ROW = notice_row(make_finding()).encode()
DOCUMENT = notice_row(make_finding(), format="json").encode()


@pytest.fixture
def log() -> Iterator[int]:
    descriptor = os.memfd_create("log")
    yield descriptor
    os.close(descriptor)


def put(log: int, content: bytes) -> None:
    os.ftruncate(log, 0)
    os.pwrite(log, content, 0)


def test_a_cut_log_keeps_whole_rows_below_a_whole_header(log: int) -> None:
    content = HEADER + ROW + ROW
    for end in range(len(content) + 1):
        put(log, content[:end])
        kept = without_torn_line(log)
        rows = max(0, end - len(HEADER)) // len(ROW)
        expected = HEADER + ROW * rows if end >= len(HEADER) else b""
        assert os.pread(log, len(content), 0) == expected
        assert kept == len(expected)


def test_a_cut_log_of_json_keeps_whole_lines(log: int) -> None:
    content = DOCUMENT * 2
    for end in range(len(content) + 1):
        put(log, content[:end])
        assert without_torn_line(log) == end // len(DOCUMENT) * len(DOCUMENT)


def test_what_a_log_says_of_itself(log: int) -> None:
    for content, tsv, opened, closed in (
        (b"", False, None, False),
        (HEADER, True, FIRST, False),
        (HEADER + ROW + footer(FIRST).encode(), True, FIRST, True),
        (b"#open\tyesterday\n", True, None, False),
        (b"#separator\n", True, None, False),
        (DOCUMENT, False, None, False),
    ):
        put(log, content)
        assert (is_tsv(log), opening_time(log), is_closed(log)) == (tsv, opened, closed)
