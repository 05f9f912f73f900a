"""Findings going out: a notice.log for Zeek's consumers, JSON lines, a summary for a person."""

from analyzer.atomic import atomic_write
from analyzer.writers.html import write_html
from analyzer.writers.intel import write_intel
from analyzer.writers.jsonl import finding_lines, write_findings
from analyzer.writers.notice import Written, notice_lines, write_notices
from analyzer.writers.terminal import render

__all__ = [
    "Written",
    "atomic_write",
    "finding_lines",
    "notice_lines",
    "render",
    "write_findings",
    "write_html",
    "write_intel",
    "write_notices",
]
