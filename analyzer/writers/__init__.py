"""Findings going out: a notice.log for Zeek's consumers, JSON lines, a summary for a person."""

from analyzer.atomic import atomic_write
from analyzer.writers.appending import AppendingLog
from analyzer.writers.ecs import ecs_lines, write_ecs
from analyzer.writers.html import write_html
from analyzer.writers.intel import write_intel
from analyzer.writers.jsonl import finding_lines, write_findings
from analyzer.writers.log_kinds import LogKind, OutputFormat
from analyzer.writers.notice import Written, notice_lines, write_notices
from analyzer.writers.output import refuse_output, write_output
from analyzer.writers.terminal import render

__all__ = [
    "AppendingLog",
    "LogKind",
    "OutputFormat",
    "Written",
    "atomic_write",
    "ecs_lines",
    "finding_lines",
    "notice_lines",
    "refuse_output",
    "render",
    "write_ecs",
    "write_findings",
    "write_html",
    "write_intel",
    "write_notices",
    "write_output",
]
