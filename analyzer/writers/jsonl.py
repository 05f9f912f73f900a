r"""Findings as JSON lines: one complete finding an object, one object a line.

The text is UTF-8 with non-ASCII characters as they are; control characters, line separators and DEL
are escaped, so that no reader splits a line. Numbers are finite: what is not a number becomes null
(RFC 8259 has no NaN).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from analyzer.atomic import atomic_write
from analyzer.zeek_format import format_iso8601, replace_undecodable

if TYPE_CHECKING:
    from analyzer.findings import Finding

# What json.dumps lets through: DEL, the C1 controls, and the line and paragraph separators.
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029]")


def json_line(record: Mapping[str, Any]) -> str:
    r"""One record as a compact JSON object and its line feed, keys in the record's own order.

    Bytes of a log that are no UTF-8 (lone surrogates) appear as the text ``\xhh``, like in Zeek's
    own JSON logs.
    """
    text = json.dumps(_plain(record), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Each finding as a line of JSON, in the order given.

    The keys are those of :meth:`Finding.as_dict` in its order, with ``first_time`` and
    ``last_time`` appended: the two times as ISO 8601 in UTC, null where a time has no such form.
    """
    for finding in findings:
        times = {
            "first_time": format_iso8601(finding.first),
            "last_time": format_iso8601(finding.last),
        }
        yield json_line({**finding.as_dict(), **times})


def write_findings(findings: Iterable[Finding], target: Path | TextIO) -> int:
    """Write findings as JSON lines and return how many there were.

    Args:
        findings: the findings, in the order to write them.
        target: a file, replaced atomically, or an open text stream, which is left open.

    Raises:
        OutputError: the file cannot be written. Errors of an open stream come as they are.
    """
    if isinstance(target, Path):
        with atomic_write(target) as stream:
            return write_findings(findings, stream)
    written = 0
    for line in finding_lines(findings):
        target.write(line)
        written += 1
    return written


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON is whatever JSON is
    """The value with only what JSON can hold: canonical text, finite numbers, lists."""
    if isinstance(value, str):
        return replace_undecodable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {replace_undecodable(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
