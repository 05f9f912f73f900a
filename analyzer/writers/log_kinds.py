"""The logs that hold findings: their names, and what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from analyzer.writers.ecs import ecs_lines
from analyzer.writers.jsonl import finding_lines
from analyzer.writers.notice import columns, notice_row
from analyzer.zeek_format import header

if TYPE_CHECKING:
    from analyzer.findings import Finding

OutputFormat = Literal["tsv", "json", "ecs"]
"""A log of notices: in one of Zeek's two formats, or in Elastic's schema."""

LogKind = OutputFormat | Literal["findings"]
"""A log of notices, or ``findings.jsonl``, which has all there is to a finding."""

_NAMES: dict[LogKind, str] = {
    "tsv": "notice.log",
    "json": "notice.log",
    "ecs": "notice.ecs.ndjson",
    "findings": "findings.jsonl",
}


def log_name(kind: LogKind) -> str:
    """The name of the log: ``notice.log``, ``notice.ecs.ndjson``, ``findings.jsonl``."""
    return _NAMES[kind]


def log_header(kind: LogKind, opened: float, *, strict: bool = False) -> str:
    """What stands before the first line, with its line feeds: nothing but in TSV.

    Args:
        kind: the log.
        opened: when it was opened, UTC epoch seconds.
        strict: Zeek's 26 columns alone.
    """
    return header("notice", columns(strict=strict), opened) if kind == "tsv" else ""


def log_line(kind: LogKind, finding: Finding, *, strict: bool = False) -> str:
    """The line of a finding, with its line feed.

    Args:
        kind: the log.
        finding: the finding.
        strict: Zeek's 26 columns alone (``tsv`` and ``json``).
    """
    if kind == "ecs":
        return "".join(ecs_lines([finding]))
    if kind == "findings":
        return "".join(finding_lines([finding]))
    return notice_row(finding, format=kind, strict=strict)
