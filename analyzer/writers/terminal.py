"""The summary of a run for a person at a terminal, or at the end of a pipe.

Everything from a log, a path or a rule may be under an attacker's control: it is shown with every
unprintable character escaped and is never read as markup, so it cannot move the cursor, change
colours, or forge a line. Colour only repeats what words say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from analyzer.findings import Evidence, Finding, Severity, duration, quantity
from analyzer.mitre import TACTICS
from analyzer.writers.baseline_state import render_state
from analyzer.writers.notice import score_text
from analyzer.writers.page import Page, counted
from analyzer.writers.problems import render_problems
from analyzer.zeek_format import format_iso8601

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.allowlist import Entry
    from analyzer.hosts import HostRank
    from analyzer.parsers.account import Account
    from analyzer.report import Report

_STYLES = {
    Severity.NONE: "",
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "bold red",
    Severity.CRITICAL: "bold white on red",
}


def render(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Print the summary of a run.

    Args:
        report: the run.
        console: where to print; its width, colour and encoding are respected.
        verbose: show every finding, host and file, and the identifier and uids of each finding.
    """
    page = Page(console, verbose=verbose)
    _overview(page, report)
    findings = report.findings
    if findings:
        _counts(page, findings)
        _findings(page, findings)
    _silence(page, report, len(findings))
    _allowed(page, report)
    _hosts(page, report.hosts)
    if report.baseline is not None:
        page.heading("Judged by a baseline")
        render_state(page, report.baseline)
    if report.account is not None:
        render_problems(page, report.account)
    if report.intelligence is not None:
        render_problems(page, report.intelligence, "Problems reading intelligence")
    _stages(page, report.stages)


def render_conversion(account: Account, seconds: float, console: Console) -> None:
    """Print what became of captures that were made into logs.

    Args:
        account: the books.
        seconds: how long it took.
        console: where to print.
    """
    page = Page(console, verbose=False)
    captures = sum(1 for file in account.files if file.packets)
    page.line(
        f"Wrote {_records(account.captured)} from {counted(captures, 'capture')}, "
        f"{counted(account.packets, 'packet')}, in {seconds:.1f} s",
        style="bold",
    )
    render_problems(page, account)


def _overview(page: Page, report: Report) -> None:
    """Print what was read."""
    parts = [f"Analysed {_records(report.records)}"]
    if report.account is not None:
        account = report.account
        skipped = account.skipped.total()
        packets = f", {counted(account.packets, 'packet')}" if account.packets else ""
        files = counted(len(account.files), "file")
        parts.append(f"from {files}{packets}; {counted(skipped, 'line')} skipped")
    page.line(" ".join(parts), style="bold")
    if report.first is not None and report.last is not None:
        page.line(_span(report.first, report.last))
    if report.intelligence is not None:
        _indicators(page, report.intelligence)


def _indicators(page: Page, account: Account) -> None:
    """Print what is listed, and where."""
    nouns = {
        "address": ("address", "addresses"),
        "subnet": ("network", "networks"),
        "domain": ("domain", "domains"),
    }
    kinds = ", ".join(
        f"{account.read[kind]:,} {one if account.read[kind] == 1 else many}"
        for kind, (one, many) in nouns.items()
        if account.read[kind]
    )
    files = counted(sum(1 for file in account.files if file.read), "file")
    skipped = f"{counted(account.skipped.total(), 'line')} skipped"
    page.line(f"Looked for {kinds} listed in {files}; {skipped}")
    if account.passed_over:
        types = ", ".join(f"{kind} {n:,}" for kind, n in sorted(account.passed_over.items()))
        page.line(f"Indicators that logs of connections and names do not show: {types}", indent=2)


def _counts(page: Page, findings: Sequence[Finding]) -> None:
    """Print how many findings each rule has, by severity."""
    severities = sorted({finding.severity for finding in findings}, reverse=True)
    by_rule: dict[str, dict[Severity, int]] = {}
    for finding in findings:
        rule = by_rule.setdefault(finding.rule, dict.fromkeys(severities, 0))
        rule[finding.severity] += 1
    rows = [[page.text("Rule"), *map(_in_words, severities), Text("total")]]
    for name, numbers in by_rule.items():
        row = [*numbers.values(), sum(numbers.values())]
        rows.append([page.text(name), *(Text(f"{number:,}") for number in row)])
    if len(by_rule) > 1:
        sums = [sum(rule[severity] for rule in by_rule.values()) for severity in severities]
        rows.append([Text("all"), *(Text(f"{n:,}") for n in (*sums, len(findings)))])
    page.heading("Findings by rule")
    page.table(rows, right=range(1, len(rows[0])))


def _findings(page: Page, findings: Sequence[Finding]) -> None:
    """Print the findings, loudest first."""
    page.heading("Findings, loudest first")
    for finding in findings[: page.limit]:
        _finding(page, finding)
    page.more(len(findings), "finding")


def _silence(page: Page, report: Report, reported: int) -> None:
    """Print what was not found, or not shown because it is too weak."""
    weaker = len(report.all_findings) - reported - len(report.silenced)
    if not reported:
        page.heading(f"Nothing found at severity {report.minimum} or above")
        if report.first is None or report.last is None:
            page.line(f"Looked at {_records(report.records)}.", indent=2)
        else:
            length = duration(report.last - report.first)
            page.line(f"Looked at {_records(report.records)} over {length}.", indent=2)
    if weaker:
        what = counted(weaker, "weaker finding")
        page.line(f"Not shown: {what}, below severity {report.minimum}.", indent=2)


def _allowed(page: Page, report: Report) -> None:
    """Print how many findings the site allows, and by which entries."""
    silenced = report.silenced
    by_entry: dict[Entry, list[Finding]] = {}
    for each in silenced:
        by_entry.setdefault(each.entry, []).append(each.finding)
    if by_entry:
        what = counted(len(silenced), "finding")
        page.heading(f"Allowed, not reported: {what}")
        for entry, findings in sorted(by_entry.items(), key=lambda item: -len(item[1])):
            page.line(f"{len(findings):,} by {entry.location}: {entry}", indent=2)
            for finding in findings if page.verbose else ():
                page.line(f"{finding.severity} {finding.rule}: {finding.message}", indent=4)
    used = {each.entry for each in report.allowed}
    unused = [entry for entry in report.allowlist.entries if entry not in used]
    if unused and page.verbose:
        page.heading("Allowlist entries that allow nothing of this")
        for entry in unused:
            page.line(f"{entry.location}: {entry}", indent=2)


def _hosts(page: Page, hosts: Sequence[HostRank]) -> None:
    """Print the hosts, most suspicious first, with what each did, and when if that adds up."""
    if not hosts:
        return
    page.heading("Hosts, most suspicious first")
    shown = hosts[: page.limit]
    rows = [[Text("Host"), Text("Score"), Text("Findings"), Text("Rules, tactics")]]
    for host in shown:
        score, findings = Text(score_text(host.score)), Text(f"{host.findings:,}")
        rules = page.text(", ".join(host.rules))
        rows.append([page.text(host.host), score, findings, rules])
        where = Text() if host.is_local else Text("(outside)")
        tactics = Text(", ".join(TACTICS[tactic].name for tactic in host.tactics))
        if where or tactics:
            rows.append([where, Text(), Text(), tactics])
    page.table(rows, right=(1, 2))
    page.more(len(hosts), "host")
    for host in shown:
        if host.is_local and len(host.timeline) > 1:
            _timeline(page, host)


def _timeline(page: Page, host: HostRank) -> None:
    """Print what happened on a host, in order of time."""
    pieces = counted(host.groups, "independent piece") + " of evidence in its worst day"
    page.heading(f"Timeline of {host.host}, {pieces}")
    page.table(
        [
            [page.text(_moment(event.time)), _in_words(event.severity), page.text(event.message)]
            for event in host.timeline
        ]
    )
    if host.left_out:
        page.line(f"Not shown: {counted(host.left_out, 'quieter finding')}.", indent=2)


def _stages(page: Page, stages: Mapping[str, float]) -> None:
    """Print the seconds that each stage took."""
    if stages:
        times = [f"{name} {seconds:.2f}" for name, seconds in stages.items()]
        page.heading("Seconds")
        page.line(", ".join((*times, f"all {sum(stages.values()):.2f}")), indent=2)


def _finding(page: Page, finding: Finding) -> None:
    badge = f"{finding.severity.name:<8} {score_text(finding.score)}"
    style = _STYLES[finding.severity]
    page.table([[Text(badge, style=style), page.text(finding.message)]])
    if finding.techniques:
        names = ", ".join(f"{technique.id} {technique.name}" for technique in finding.techniques)
        page.line(names, indent=4)
    when = _span(finding.first, finding.last)
    stands_for = counted(finding.connections, "connection")
    page.line(f"{when}, {stands_for}" if finding.connections else when, indent=4)
    _evidence(page, finding.evidence)
    if page.verbose:
        uids = f", uid {', '.join(finding.uids)}" if finding.uids else ""
        page.line(f"id {finding.identifier}{uids}", indent=4)


def _evidence(page: Page, evidence: Sequence[Evidence]) -> None:
    rows = [[page.text(text) for text in _beside(item)] for item in evidence]
    if page.fits(rows, indent=4):
        page.table(rows, right=(1,), indent=4)
    else:
        for item in evidence:
            page.line(str(item), indent=4)


def _in_words(severity: Severity) -> Text:
    return Text(str(severity), style=_STYLES[severity])


def _beside(item: Evidence) -> tuple[str, str, str, str]:
    """What was seen beside what was expected and the threshold, each where there is one."""
    expected = "" if item.expected is None else f"expected {quantity(item.expected, item.unit)}"
    threshold = "" if item.threshold is None else f"threshold {quantity(item.threshold, item.unit)}"
    return item.name, quantity(item.observed, item.unit), expected, threshold


def _records(records: Mapping[str, int]) -> str:
    """How many records of each log, as words."""
    *most, last = [f"{number:,} {log}" for log, number in records.items()] or ["no"]
    listed = f"{', '.join(most)} and {last}" if most else last
    return f"{listed} {'record' if sum(records.values()) == 1 else 'records'}"


def _span(first: float, last: float) -> str:
    """A span of time with its length, or the moment if it has none."""
    if first == last:
        return f"{_moment(first)} UTC"
    return f"{_moment(first)} to {_moment(last)} UTC ({duration(last - first)})"


def _moment(seconds: float) -> str:
    text = format_iso8601(seconds)
    return f"{seconds:.0f} s after 1970" if text is None else text[:19].replace("T", " ")
