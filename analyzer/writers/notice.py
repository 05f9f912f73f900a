"""Findings as a notice.log that every consumer of Zeek's own reads.

Format: Zeek ``base/frameworks/notice/main.zeek`` (columns, defaults, suppression), written as its
ASCII or JSON log writer would.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.atomic import atomic_write
from analyzer.findings import SUPPRESS_FOR
from analyzer.writers.jsonl import json_line
from analyzer.writers.ownership import refuse_foreign_notices
from analyzer.zeek_format import LogFormat, footer, format_row, format_value, header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from analyzer.findings import Finding

COLUMNS: tuple[tuple[str, str], ...] = (
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("fuid", "string"),
    ("file_mime_type", "string"),
    ("file_desc", "string"),
    ("proto", "enum"),
    ("note", "enum"),
    ("msg", "string"),
    ("sub", "string"),
    ("src", "addr"),
    ("dst", "addr"),
    ("p", "port"),
    ("n", "count"),
    ("peer_descr", "string"),
    ("actions", "set[enum]"),
    ("email_dest", "set[string]"),
    ("suppress_for", "interval"),
    ("remote_location.country_code", "string"),
    ("remote_location.region", "string"),
    ("remote_location.city", "string"),
    ("remote_location.latitude", "double"),
    ("remote_location.longitude", "double"),
)
"""Zeek's own columns, name and type, in order."""

OWN_COLUMNS: tuple[tuple[str, str], ...] = (
    ("mitre_technique_id", "set[string]"),
    ("mitre_tactic_id", "set[string]"),
    ("score", "double"),
    ("severity", "string"),
    ("evidence", "string"),
)
"""What we append, as ``redef record Notice::Info += { ... &log &optional }`` would."""


class Written(NamedTuple):
    """How many notices a log holds, and how many repeats were kept out of it."""

    written: int
    suppressed: int


def write_notices(
    findings: Iterable[Finding],
    path: Path,
    *,
    format: LogFormat = "tsv",  # noqa: A002 - the word of the option it comes from
    strict: bool = False,
    written: float,
) -> Written:
    """Write findings as a notice.log, atomically. See :func:`notice_lines` for what is in it.

    Args:
        findings: the findings to write, in any order.
        path: the file; one that exists is replaced. Never Zeek's own live log, which Zeek
            truncates and overwrites as it likes.
        format: ``tsv`` (Zeek's default) or ``json``.
        strict: write Zeek's 26 columns alone.
        written: the time to put into ``#open`` and ``#close``, UTC epoch seconds.

    Returns:
        How many notices were written and how many suppressed.

    Raises:
        OutputError: the file cannot be written, or holds notices that are not ours.
    """
    refuse_foreign_notices(path)
    given = tuple(findings)
    kept = unsuppressed(given)
    with atomic_write(path) as stream:
        stream.writelines(_lines(kept, format, strict=strict, written=written))
    return Written(len(kept), len(given) - len(kept))


def notice_lines(
    findings: Iterable[Finding],
    *,
    format: LogFormat = "tsv",  # noqa: A002 - the word of the option it comes from
    strict: bool = False,
    written: float,
) -> Iterator[str]:
    """The lines of the notice.log of some findings, in time order, each with its line feed.

    ``ts`` is the time of the finding's last connection: Zeek raises a notice when the behaviour is
    established, not when it began. ``uid``, ``id.*`` and ``proto`` are those of the connection that
    shows it best; ``src`` is the host the finding is about, even where that host was the responder
    of the connection, and ``dst`` and ``p`` are set only if the finding is about one of each.
    ``sub``, the field that every consumer keeps, carries technique, severity, score and the
    identifier that feedback asks for. Findings without techniques or evidence leave those columns
    unset. Repeats are left out as by
    :func:`unsuppressed`. Without findings, TSV has header and footer, and JSON nothing.

    The arguments are those of :func:`write_notices`.
    """
    return _lines(unsuppressed(findings), format, strict=strict, written=written)


def columns(*, strict: bool = False) -> tuple[tuple[str, str], ...]:
    """The columns of a notice.log, name and type, in order: Zeek's own, then ours."""
    return COLUMNS if strict else COLUMNS + OWN_COLUMNS


def notice_row(
    finding: Finding,
    *,
    format: LogFormat = "tsv",  # noqa: A002 - the word of the option it comes from
    strict: bool = False,
) -> str:
    """One finding as a line of a notice.log, with its line feed; see :func:`notice_lines`."""
    values, wanted = _values(finding), columns(strict=strict)
    if format == "json":
        return json_line({name: values[name] for name, _ in wanted if _is_set(values.get(name))})
    return format_row(format_value(values.get(name), kind) for name, kind in wanted)


def unsuppressed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that Zeek's suppression lets into the log, in the order of the log.

    As in Zeek, a notice with the note and identifier of one that was logged less than
    :data:`SUPPRESS_FOR` seconds before is not logged, and does not prolong the suppression.
    """
    logged: dict[tuple[str, str], float] = {}
    kept = []
    for finding in sorted(findings, key=_order):
        key = (finding.note, finding.identifier)
        if key in logged and finding.last < logged[key] + SUPPRESS_FOR:
            continue
        logged[key] = finding.last
        kept.append(finding)
    return tuple(kept)


def score_text(score: float) -> str:
    """A score in two decimals, rounded down: 0.949 is not shown as the next severity's 0.95."""
    return f"{math.floor(score * 100 + 1e-9) / 100:.2f}"


def _order(finding: Finding) -> tuple[Any, ...]:
    port = -1 if finding.port is None else finding.port
    destination = finding.destination or ""
    about = (
        finding.last,
        finding.note,
        finding.source,
        destination,
        port,
        finding.identifier,
    )
    # The rest decides between repeats at the same time, which differ in loudness alone.
    return (*about, finding.sort_key, finding.message)


def _lines(
    findings: tuple[Finding, ...],
    notice_format: LogFormat,
    *,
    strict: bool,
    written: float,
) -> Iterator[str]:
    rows = (notice_row(finding, format=notice_format, strict=strict) for finding in findings)
    if notice_format == "json":
        yield from rows
        return
    yield header("notice", columns(strict=strict), written)
    yield from rows
    yield footer(written)


def _is_set(value: Any) -> bool:  # noqa: ANN401 - any of Zeek's types
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _values(finding: Finding) -> dict[str, Any]:
    """The columns that have a value, by name; those left out or None are unset."""
    values: dict[str, Any] = {
        "ts": round(finding.last, 6),
        "proto": finding.proto,
        "note": finding.note,
        "msg": finding.message,
        "sub": _sub(finding),
        "src": finding.source,
        "dst": finding.destination,
        "p": finding.port,
        "n": finding.connections,
        "actions": ("Notice::ACTION_LOG",),
        "email_dest": (),
        "suppress_for": SUPPRESS_FOR,
        "mitre_technique_id": tuple(technique.id for technique in finding.techniques) or None,
        "mitre_tactic_id": tuple(sorted({t for a in finding.techniques for t in a.tactics}))
        or None,
        "score": round(finding.score, 6),
        "severity": str(finding.severity),
        "evidence": "; ".join(str(evidence) for evidence in finding.evidence) or None,
    }
    best = finding.best
    if best is not None:
        values |= {
            "uid": best.uid,
            "id.orig_h": best.orig_h,
            "id.orig_p": best.orig_p,
            "id.resp_h": best.resp_h,
            "id.resp_p": best.resp_p,
            "proto": best.proto,
        }
    return values


def _sub(finding: Finding) -> str:
    techniques = [f"{technique.id} {technique.name}" for technique in finding.techniques]
    loudness = f"severity {finding.severity}, score {score_text(finding.score)}"
    return " | ".join((*techniques, loudness, f"id {finding.identifier}"))
