"""Names of logs, and what stands in each."""

from __future__ import annotations

import pytest

from analyzer.writers.ecs import ecs_lines
from analyzer.writers.jsonl import finding_lines
from analyzer.writers.log_kinds import LogKind, log_header, log_line, log_name
from analyzer.writers.notice import COLUMNS, columns, notice_row
from analyzer.zeek_format import header

from . import FIRST, make_finding

FINDING = make_finding()


@pytest.mark.parametrize(
    ("kind", "name", "line"),
    [
        ("tsv", "notice.log", notice_row(FINDING)),
        ("json", "notice.log", notice_row(FINDING, format="json")),
        ("ecs", "notice.ecs.ndjson", "".join(ecs_lines([FINDING]))),
        ("findings", "findings.jsonl", "".join(finding_lines([FINDING]))),
    ],
)
def test_each_has_its_name_and_its_lines(kind: LogKind, name: str, line: str) -> None:
    assert (log_name(kind), log_line(kind, FINDING)) == (name, line)
    head = header("notice", columns(), FIRST) if kind == "tsv" else ""
    assert log_header(kind, FIRST) == head


def test_strict_is_zeeks_columns_alone() -> None:
    assert log_header("tsv", FIRST, strict=True) == header("notice", COLUMNS, FIRST)
    assert log_line("tsv", FINDING, strict=True) == notice_row(FINDING, strict=True)
    assert log_line("json", FINDING, strict=True) == notice_row(FINDING, format="json", strict=True)
    assert log_line("ecs", FINDING, strict=True) == log_line("ecs", FINDING)
