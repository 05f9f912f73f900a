"""The work of an evaluation in one call: read, judge, compare with labels, propose thresholds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import rules
from analyzer.api import load_rules
from analyzer.detectors import ACCUMULATORS
from analyzer.engine import DEFAULT_MEMORY_LIMIT, out_of_resources
from analyzer.errors import EmptyInputError, OptionError
from analyzer.findings import Severity
from analyzer.labels import Labels, read_labels
from analyzer.matching import cover_connections, label_connections
from analyzer.measuring import measure
from analyzer.networks import parse_networks
from analyzer.opening import open_records
from analyzer.parsers.account import Account
from analyzer.parsers.discovery import Paths, paths_of
from analyzer.pipeline import run
from analyzer.proposals import Proposal
from analyzer.quality import Quality
from analyzer.report import Report
from analyzer.tuning import PRECISION, tune_by_labels, tune_by_tail

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How good the findings of a run are.

    Attributes:
        report: the run.
        quality: the figures; None without labels.
        proposals: thresholds to try, by rule; empty unless asked for.
        account: what became of the labels' files; None without labels.
    """

    report: Report
    quality: Quality | None = None
    proposals: tuple[Proposal, ...] = ()
    account: Account | None = None

    def as_dict(self) -> dict[str, Any]:
        """Everything but the findings as plain values, ready for JSON."""
        return {
            "records": self.report.records,
            "minimum_severity": str(self.report.minimum),
            "findings": len(self.report.findings),
            "quality": self.quality and self.quality.as_dict(),
            "tuning": [proposal.as_dict() for proposal in self.proposals],
        }


def evaluate(
    paths: Paths,
    labels: Paths | None = None,
    *,
    tune: bool = False,
    precision: float = PRECISION,
    rules_directory: Path | None = None,
    select_rules: Collection[str] = (),
    ignore_rules: Collection[str] = (),
    local_networks: Iterable[str] = (),
    minimum: Severity = Severity.LOW,
    memory_limit: str = DEFAULT_MEMORY_LIMIT,
    threads: int | None = None,
    keep_all_problems: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Analyse logs and compare the findings with labels.

    Args:
        paths: as for :func:`analyzer.analyze`.
        labels: files with labels, see :mod:`analyzer.labels`; the paths themselves may be. None
            only to propose thresholds without labels.
        tune: propose thresholds.
        precision: the share of true findings that a proposed threshold is to reach, above 0.
        rules_directory: as for :func:`analyzer.analyze`, and so are all that follow.
        select_rules: see there.
        ignore_rules: see there.
        local_networks: see there.
        minimum: see there.
        memory_limit: see there.
        threads: see there.
        keep_all_problems: see there.
        on_progress: see there.
        on_stage: see there.

    Raises:
        InputError: a path does not exist, no record or no label came of the input, or no label
            speaks of any connection.
        RuleError: a rule breaks the contract.
        OptionError: an option makes no sense.
        ResourceError: memory or disk ran out.
    """
    if labels is None and not tune:
        raise OptionError("nothing to compare with: give labels, or ask for tuning without")
    if not 0 < precision <= 1:
        raise OptionError(f"precision {precision:g}: expected above 0 and at most 1")
    chosen = rules.select(load_rules(rules_directory), select_rules, ignore_rules)
    judging = {rule.id for rule in chosen if rule.detector in ACCUMULATORS}
    networks = parse_networks(local_networks)
    truth = None
    if labels is not None:
        on_stage("reading labels")
        truth = read_labels(paths_of(labels), keep_all_problems=keep_all_problems)
    with open_records(
        paths,
        networks,
        memory_limit=memory_limit,
        threads=threads,
        keep_all_problems=keep_all_problems,
        on_progress=on_progress,
        on_stage=on_stage,
    ) as opened:
        records = opened.records
        report = run(records, chosen, minimum=minimum, on_stage=on_stage)
        findings = report.all_findings
        quality = None
        shares: dict[int, float] = {}
        if truth is not None:
            on_stage("comparing")
            with out_of_resources():
                connections = label_connections(records, truth)
                _check(connections, truth)
                covered = cover_connections(records, connections, findings)
                quality = measure(
                    records, connections, covered, findings, minimum=minimum, judging=judging
                )
                shares = _shares(covered, connections)
    proposals: tuple[Proposal, ...] = ()
    if tune:
        # What judges findings has no threshold of its own to find.
        tuned = [(i, f) for i, f in enumerate(findings) if f.rule not in judging]
        own = [finding for _, finding in tuned]
        if quality is None:
            proposals = tune_by_tail(own)
        else:
            known = {place: shares[i] for place, (i, _) in enumerate(tuned) if i in shares}
            proposals = tune_by_labels(own, known, minimum=minimum, precision=precision)
    return Evaluation(
        report=replace(report, account=opened.account),
        quality=quality,
        proposals=proposals,
        account=None if truth is None else truth.account,
    )


def _check(connections: ir.Table, labels: Labels) -> None:
    """Refuse labels that speak of none of the connections.

    Raises:
        EmptyInputError: they do not.
    """
    if not connections.label.notnull().any().execute():
        number = f"{len(labels.by_uid):,} labels by uid and {len(labels.by_host):,} by address"
        raise EmptyInputError(f"no label matches a connection: {number}")


def _shares(covered: ir.Table, connections: ir.Table) -> dict[int, float]:
    """Of the labelled connections that each finding covers, the share that are attacks."""
    known = connections.filter(connections.attack.notnull()).select("id", "attack")
    joined = covered.join(known, "id")
    table = joined.group_by("finding").aggregate(attacks=joined.attack.sum(), all=joined.count())
    rows = table.to_pyarrow().to_pylist()
    return {row["finding"]: row["attacks"] / row["all"] for row in rows}
