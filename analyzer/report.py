"""What one run found, and what it was based on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analyzer.findings import Finding, Severity
from analyzer.hosts import HostRank

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.parsers.account import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of a run.

    Attributes:
        all_findings: every finding, reported or not, loudest first.
        minimum: the severity from which findings are reported.
        records: rows analysed, by log (``conn``, ``dns``).
        first: time of the earliest record, UTC epoch seconds; None without records.
        last: time of the latest.
        rules: ids of the rules that ran.
        hosts: ranking of the sources of reported findings, our own hosts first.
        account: what became of the input; None when the records did not come from files.
        stages: seconds each stage took, in order.
    """

    all_findings: tuple[Finding, ...]
    minimum: Severity = Severity.LOW
    records: dict[str, int] = field(default_factory=dict)
    first: float | None = None
    last: float | None = None
    rules: tuple[str, ...] = ()
    hosts: tuple[HostRank, ...] = ()
    account: Account | None = None
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The reported findings: at or above the minimum severity."""
        return tuple(f for f in self.all_findings if f.severity >= self.minimum)

    @property
    def by_severity(self) -> Counter[Severity]:
        """Reported findings, counted by severity."""
        return Counter(finding.severity for finding in self.findings)

    def dataframe(self) -> pd.DataFrame:
        """The reported findings, one a row; columns as in :meth:`Finding.as_dict`.

        Times are UTC timestamps; evidence is a list of dicts.
        """
        import pandas as pd  # noqa: PLC0415 - half a second of import that most runs never need

        rows: list[dict[str, Any]] = [finding.as_dict() for finding in self.findings]
        frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
        for column in ("first", "last"):
            frame[column] = pd.to_datetime(frame[column], unit="s", utc=True).astype(
                "datetime64[ns, UTC]"
            )
        return frame


# Said outright, as pandas would guess by what happens to be in a column.
_COLUMNS = {
    "id": "string",
    "rule": "string",
    "note": "string",
    "severity": "string",
    "score": "float64",
    "source": "string",
    "destination": "string",
    "port": "Int64",
    "proto": "string",
    "subject": "string",
    "first": "float64",
    "last": "float64",
    "techniques": "object",
    "technique_names": "object",
    "tactics": "object",
    "message": "string",
    "evidence": "object",
    "connections": "int64",
    "uids": "object",
}
