"""What findings about one host add up to: how sure, by which tactics, and in what order of time.

Findings add up only as far as they are independent. Two findings about one host are one piece of
evidence, of which the loudest counts, where a single innocent explanation would account for both:

- they are of one rule, or
- they may stand for the same connections (or the same DNS questions), as neither names a
  destination, port, protocol or domain that contradicts the other, and both name the same
  destination or domain, or serve the same tactic. A scan of port 445 and the burst of connections
  that it makes are one; a beacon to a host and an upload to it are one, as a backup service would
  be both; a scan and a beacon are two; or
- one of them names no traffic at all but the host's whole volume, and both were at the same time.

What is independent combines as a noisy-or, 1 - prod(1 - weight * score) (Pearl, Probabilistic
Reasoning in Intelligent Systems, 1988, section 4.3.2). The loudest piece has weight 1, and so has
each further one, but half of it

- if it touches no new ATT&CK tactic: an intrusion proceeds along a chain (Hutchins, Cloppert and
  Amin, Intelligence-Driven Computer Network Defense, 2011), while an odd but honest host is odd in
  the same way twice;
- if it is below medium: such findings are there on every tenth honest host on any day.

Only findings of one day add up, as otherwise every host would be suspicious in the end; RITA, too,
judges a rolling day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from analyzer.findings import Finding, Severity
from analyzer.mitre import TACTICS

DAY = 86_400.0
"""Seconds within which findings about a host add up."""

TIMELINE = 8
"""Most events in a host's timeline."""

_HOUR = 3600.0
_HALF = 0.5

# Techniques that show in the names asked for rather than in connections.
_NAMES = ("T1071.004", "T1568")
_DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a host's timeline.

    Attributes:
        time: when it began, UTC epoch seconds.
        severity: how loud it was.
        message: what happened.
    """

    time: float
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True)
class HostRank:
    """One host and all that was found about it, added up.

    Attributes:
        host: its address.
        score: combined certainty of its worst day, see :mod:`analyzer.hosts`.
        findings: how many reported findings are about it.
        groups: how many independent pieces of evidence the worst day has.
        rules: ids of all rules that found something, loudest first.
        tactics: ATT&CK tactic ids touched by the most fitting technique of each finding, in
            ATT&CK's order.
        is_local: whether it is one of ours; outside hosts rank after those.
        timeline: what happened, in order of time: the loudest of each rule, then the loudest of
            the others, at most :data:`TIMELINE`.
        left_out: how many findings are not in the timeline.
    """

    host: str
    score: float
    findings: int
    groups: int
    rules: tuple[str, ...]
    tactics: tuple[str, ...]
    is_local: bool = True
    timeline: tuple[Event, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Combination:
    """Findings about one host, as independent pieces of evidence.

    Attributes:
        score: how sure they are together.
        groups: the pieces, loudest first, each the loudest findings of its rules, loudest first.
    """

    score: float
    groups: tuple[tuple[Finding, ...], ...]


def combine(findings: Iterable[Finding]) -> Combination:
    """Add up findings about one host, the loudest first as of :func:`by_host`, at any time."""
    groups: list[list[Finding]] = []
    # What speaks of a host's whole volume belongs to something else, but ties no two things.
    for finding in sorted(_loudest_of_rules(findings), key=_is_whole_volume):
        related = [group for group in groups if any(_are_one(finding, each) for each in group)]
        if _is_whole_volume(finding):
            related = related[:1]
        groups = [group for group in groups if group not in related]
        groups.append([*(each for group in related for each in group), finding])
        groups.sort(key=lambda group: min(each.sort_key for each in group))
    for group in groups:
        group.sort(key=lambda finding: finding.sort_key)
    doubt = 1.0
    touched: set[str] = set()
    for place, group in enumerate(groups):
        weight = 1.0
        if place and touched.issuperset(_tactics(group[0])):
            weight *= _HALF
        if place and group[0].severity < Severity.MEDIUM:
            weight *= _HALF
        doubt *= 1.0 - weight * group[0].score
        touched.update(*map(_tactics, group))
    return Combination(1.0 - doubt if groups else 0.0, tuple(map(tuple, groups)))


def by_host(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Findings by the host they are about, the loudest first."""
    hosts: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: finding.sort_key):
        hosts.setdefault(finding.source, []).append(finding)
    return hosts


def days(
    findings: Sequence[Finding], length: float = DAY
) -> Iterator[tuple[float, tuple[Finding, ...]]]:
    """Spans of `length` seconds that begin with the hour of some finding, in order of time.

    Each comes with its begin and the findings that last into it, in the order given.
    """
    import numpy as np  # noqa: PLC0415 - what the package's types need must not cost an import

    first = np.array([finding.first for finding in findings])
    last = np.array([finding.last for finding in findings])
    for begin in np.unique(first // _HOUR * _HOUR).tolist():
        active = np.flatnonzero((first < begin + length) & (last >= begin))
        yield begin, tuple(findings[place] for place in active.tolist())


def timeline(findings: Sequence[Finding]) -> tuple[Event, ...]:
    """The events of findings, of which the loudest are given first, that tell most."""
    telling = _loudest_of_rules(findings)
    told = set(map(id, telling))
    telling += [finding for finding in findings if id(finding) not in told]
    chosen = sorted(telling[:TIMELINE], key=lambda finding: (finding.first, finding.sort_key))
    return tuple(Event(finding.first, finding.severity, finding.message) for finding in chosen)


def touched_tactics(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Ids of the tactics of findings, each by its most fitting technique, in ATT&CK's order."""
    touched = {tactic for finding in findings for tactic in _tactics(finding)}
    return tuple(tactic for tactic in TACTICS if tactic in touched)


def rank_hosts(findings: Iterable[Finding], outside: Collection[str] = ()) -> tuple[HostRank, ...]:
    """Add up what was found about each source, most suspicious first, ours before others.

    Args:
        findings: the findings to add up.
        outside: addresses that are not ours.
    """
    ranks = [
        _rank(host, about, is_local=host not in outside)
        for host, about in by_host(findings).items()
    ]
    return tuple(sorted(ranks, key=lambda r: (not r.is_local, -r.score, -r.findings, r.host)))


def _rank(host: str, findings: Sequence[Finding], *, is_local: bool) -> HostRank:
    combinations = (combine(active) for _, active in days(findings))
    worst = max(combinations, key=lambda combination: combination.score)
    events = timeline(findings)
    return HostRank(
        host=host,
        score=worst.score,
        findings=len(findings),
        groups=len(worst.groups),
        rules=tuple(finding.rule for finding in _loudest_of_rules(findings)),
        tactics=touched_tactics(findings),
        is_local=is_local,
        timeline=events,
        left_out=len(findings) - len(events),
    )


def _loudest_of_rules(findings: Iterable[Finding]) -> list[Finding]:
    """The first finding of each rule."""
    loudest: dict[str, Finding] = {}
    for finding in findings:
        loudest.setdefault(finding.rule, finding)
    return list(loudest.values())


def _tactics(finding: Finding) -> tuple[str, ...]:
    return finding.techniques[0].tactics if finding.techniques else ()


def is_about_names(finding: Finding) -> bool:
    """Whether a finding is about DNS questions rather than about other connections."""
    main = finding.techniques[0].id if finding.techniques else ""
    return finding.port == _DNS_PORT or main.startswith(_NAMES)


def _is_whole_volume(finding: Finding) -> bool:
    """Whether a finding is about all that a host did."""
    named = (finding.destination, finding.port, finding.subject)
    return not any(named) and not is_about_names(finding)


def _are_one(one: Finding, other: Finding) -> bool:
    """Whether one innocent explanation would account for both findings."""
    if _is_whole_volume(one) or _is_whole_volume(other):
        if one.first <= other.last and other.first <= one.last:
            return True
    elif is_about_names(one) != is_about_names(other):
        return False
    for attribute in ("destination", "port", "proto"):
        values = {getattr(one, attribute), getattr(other, attribute)} - {None}
        if len(values) > 1:
            return False
    domains = _domain(one), _domain(other)
    if all(domains) and not _is_nested(*domains):
        return False
    named_by_both = (one.destination and other.destination) or all(domains)
    return bool(named_by_both) or not set(_tactics(one)).isdisjoint(_tactics(other))


def _domain(finding: Finding) -> str:
    """The domain or place that a finding is about; a type of records is none."""
    return "" if " " in finding.subject else finding.subject


def _is_nested(one: str, other: str) -> bool:
    """Whether two domains are the same, or one is below the other."""
    return f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}")
