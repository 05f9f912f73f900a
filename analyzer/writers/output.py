"""What a run leaves in the directory of ``--out``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.writers.durable import refuse_claimed
from analyzer.writers.ecs import write_ecs
from analyzer.writers.jsonl import write_findings
from analyzer.writers.log_kinds import OutputFormat, log_name
from analyzer.writers.notice import Written, write_notices
from analyzer.writers.ownership import refuse_foreign_notices, refuse_zeek_directory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.findings import Finding


def refuse_output(
    directory: Path,
    format: OutputFormat = "tsv",  # noqa: A002 - the word of the option it comes from
) -> None:
    """Refuse a directory that somebody else writes logs to, before any work is done for it.

    Raises:
        OutputError: it is Zeek's own, holds the notices of others, or a running zeek-analyzer
            appends to its logs.
    """
    refuse_zeek_directory(directory)
    refuse_foreign_notices(directory / log_name(format))
    for name in (log_name(format), log_name("findings")):
        refuse_claimed(directory / name)


def write_output(
    findings: Sequence[Finding],
    directory: Path,
    *,
    format: OutputFormat = "tsv",  # noqa: A002 - the word of the option it comes from
    strict: bool = False,
    written: float,
) -> Written:
    """Write findings as a log of notices, and as ``findings.jsonl``, each atomically.

    Args:
        findings: the findings to write.
        directory: where; what is there of these names is replaced.
        format: of the log of notices.
        strict: write Zeek's 26 columns alone (not with ``ecs``).
        written: the time to put into ``#open`` and ``#close``, UTC epoch seconds.

    Returns:
        How many notices were written and how many suppressed.

    Raises:
        OutputError: a file cannot be written, or the directory is somebody else's.
    """
    refuse_output(directory, format)
    path = directory / log_name(format)
    if format == "ecs":
        done = write_ecs(findings, path)
    else:
        done = write_notices(findings, path, format=format, strict=strict, written=written)
    write_findings(findings, directory / log_name("findings"))
    return done
