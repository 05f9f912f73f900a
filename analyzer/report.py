"""What one run found, and what it was based on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from analyzer.allowlist import Allowlist, Entry
from analyzer.findings import Finding, Severity
from analyzer.hosts import HostRank, rank_hosts

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.baseline.state import BaselineState
    from analyzer.parsers.account import Account


@dataclass(frozen=True, slots=True)
class Allowed:
    """A finding that an allowlist keeps out of the report, and the entry that does."""

    finding: Finding
    entry: Entry


def _parted(
    findings: Iterable[Finding], allowlist: Allowlist
) -> tuple[list[Allowed], list[Finding]]:
    """Findings that an allowlist allows, each with its entry, and the others."""
    allowed, others = [], []
    for finding in findings:
        entry = allowlist.entry_for(finding)
        if entry is None:
            others.append(finding)
        else:
            allowed.append(Allowed(finding, entry))
    return allowed, others


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
        intelligence: what became of files of indicators; None when there were none.
        baseline: state of the baseline that records were judged by; None without one.
        allowlist: what the site does not want to hear of; :meth:`allowing` sets it.
        allowed: every finding, loud or not, that the allowlist allows.
        outside: sources of findings that are not ours.
        summed: ids of the rules that judge what the others found.
        add_up: what those rules find in findings.
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
    intelligence: Account | None = None
    baseline: BaselineState | None = None
    allowlist: Allowlist = field(default_factory=Allowlist)
    allowed: tuple[Allowed, ...] = ()
    outside: frozenset[str] = frozenset()
    summed: frozenset[str] = frozenset()
    add_up: Callable[[Sequence[Finding]], Iterable[Finding]] = lambda _: ()
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The reported findings: at or above the minimum severity, and not allowed."""
        return tuple(f for f in self.not_allowed if f.severity >= self.minimum)

    @property
    def not_allowed(self) -> tuple[Finding, ...]:
        """Every finding, loud or not, that the allowlist does not allow."""
        if not self.allowed:
            return self.all_findings
        allowed = {each.finding for each in self.allowed}
        return tuple(f for f in self.all_findings if f not in allowed)

    @property
    def silenced(self) -> tuple[Allowed, ...]:
        """The findings that would be reported if they were not allowed, loudest first."""
        return tuple(each for each in self.allowed if each.finding.severity >= self.minimum)

    def allowing(self, allowlist: Allowlist) -> Report:
        """The same run reported with another allowlist; nothing is computed anew on the data.

        What is allowed does not add up to anything: hosts are ranked and judged without it.
        """
        found = [finding for finding in self.all_findings if finding.rule not in self.summed]
        allowed, others = _parted(found, allowlist)
        sums = list(self.add_up(others))
        report = replace(
            self,
            all_findings=tuple(sorted(found + sums, key=lambda finding: finding.sort_key)),
            allowlist=allowlist,
            allowed=tuple(allowed + _parted(sums, allowlist)[0]),
        )
        counted = (finding for finding in report.findings if finding.rule not in self.summed)
        return replace(report, hosts=rank_hosts(counted, self.outside))

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
    "server_names": "object",
    "looked_up_as": "object",
}
