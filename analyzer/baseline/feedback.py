"""What people say of findings, kept in a baseline: who said what, when, and about what.

Every verdict stays on record. The latest on a finding is in force.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analyzer.baseline.anonymise import Key, revealed
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.tables import LAYOUTS
from analyzer.errors import InputError, Location

WORDS = {"benign": True, "malicious": False}
"""What can be said of a finding, and whether that is harmless."""

_VERDICTS = LAYOUTS["verdicts"]
_MOST_PORT = 65_535
_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody says of a finding.

    Attributes:
        finding: identifier of the finding.
        benign: it is harmless; else it is an attack.
        location: where that was said, if it was in a file.
    """

    finding: str
    benign: bool
    location: Location | None = None


def read_verdicts(path: Path) -> list[Verdict]:
    """Verdicts out of a file: an identifier and a word a line; ``#`` begins a comment.

    Raises:
        InputError: the file cannot be read, or a line makes no sense.
    """
    verdicts: dict[str, Verdict] = {}
    for number, line in enumerate(_text(path).splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        where = Location(str(path), number)
        if len(words) != 2 or words[1] not in WORDS:  # noqa: PLR2004 - an identifier, a word
            raise InputError(
                f"{line.strip()!r}: expected the identifier of a finding and benign or malicious",
                where,
            )
        verdict = Verdict(words[0], WORDS[words[1]], where)
        before = verdicts.setdefault(verdict.finding, verdict)
        if before.benign != verdict.benign:
            raise InputError(f"{verdict.finding} was called the opposite before", where)
    return list(verdicts.values())


def read_findings(path: Path) -> dict[str, dict[str, Any]]:
    """Findings by identifier, as ``findings.jsonl`` has them.

    Raises:
        InputError: the file cannot be read, or a line holds no finding.
    """
    findings = {}
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            finding = json.loads(line)
        except (ValueError, RecursionError):
            finding = None
        if not _is_finding(finding):
            raise InputError("holds no finding of zeek-analyzer", Location(str(path), number))
        findings[finding["id"]] = finding
    return findings


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "backslashreplace")
    except OSError as error:
        where = Location(str(path))
        raise InputError(f"cannot be read: {error.strerror or error}", where) from error


def _is_finding(finding: object) -> bool:
    if not isinstance(finding, dict):
        return False
    port, score = finding.get("port"), finding.get("score")
    texts = all(isinstance(finding.get(name), str) for name in ("id", "rule", "source"))
    maybe = all(
        finding.get(name) is None or isinstance(finding[name], str)
        for name in ("destination", "proto", "subject")
    )
    return (
        texts
        and maybe
        and (port is None or (type(port) is int and 0 <= port <= _MOST_PORT))
        and isinstance(score, int | float)
        and math.isfinite(score)
        and 0 <= score <= 1
    )


def verdict_rows(
    verdicts: Sequence[Verdict],
    findings: Mapping[str, Mapping[str, Any]],
    *,
    by: str,
    said: float,
) -> pd.DataFrame:
    """Verdicts as rows of the table ``verdicts``.

    Args:
        verdicts: what is said.
        findings: of :func:`read_findings`.
        by: who says it.
        said: when, UTC epoch seconds.

    Raises:
        InputError: a finding is not there; the message suggests others.
    """
    rows = [_row(verdict, findings, by, said) for verdict in verdicts]
    frame = pd.DataFrame(rows, columns=_VERDICTS.schema.names)
    return frame.astype(dict(_VERDICTS.empty().dtypes.items()))


def _row(
    verdict: Verdict, findings: Mapping[str, Mapping[str, Any]], by: str, said: float
) -> tuple[object, ...]:
    finding = findings.get(verdict.finding)
    if finding is None:
        close = _close(verdict.finding, findings)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise InputError(f"no finding is called {verdict.finding!r}{hint}", verdict.location)
    return (
        said,
        _plain(by),
        finding["id"],
        verdict.benign,
        finding["rule"],
        finding["source"],
        finding.get("destination") or "",
        finding.get("proto") or "",
        -1 if finding.get("port") is None else finding["port"],
        finding.get("subject") or "",
        float(finding["score"]),
    )


def _plain(text: str) -> str:
    # Lone surrogates, which a command line may hold and no column does.
    return text.encode("utf-8", "backslashreplace").decode()


def _close(wanted: str, known: Iterable[str]) -> list[str]:
    names = list(known)
    begun = sorted(name for name in names if wanted and name.startswith(wanted))
    return (begun or difflib.get_close_matches(wanted, names, _SUGGESTIONS))[:_SUGGESTIONS]


def verdicts_about(baseline: Baseline) -> pd.DataFrame:
    """The verdicts in force: of each finding the latest, in order of time.

    Columns as :data:`analyzer.baseline.tables.LAYOUTS` has them; of a baseline with keyed hashes,
    identifiers, addresses and subjects are hashes.
    """
    rows = baseline["verdicts"].sort_values(["said", "by", "benign"], kind="stable")
    return rows.drop_duplicates("finding", keep="last").reset_index(drop=True)


def verdicts_in_force(baseline: Baseline, key: Key | None) -> pd.DataFrame:
    """The verdicts of :func:`verdicts_about`, with addresses again where they are hashes of a key.

    Names that findings are about stay hashes.
    """
    said = verdicts_about(baseline)
    if key is None or not len(said):
        return said
    return revealed(Baseline(tables={**Baseline().tables, "verdicts": said}), key, ())["verdicts"]
