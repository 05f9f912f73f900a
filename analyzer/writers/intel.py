"""What findings say of the outside, as a file of indicators that Zeek's Intel framework reads.

Format: Zeek ``base/frameworks/intel/main.zeek`` (``Intel::Item``, ``Intel::MetaData``), as
:mod:`analyzer.intelligence` reads it: tab-separated under a ``#fields`` header.

An indicator is the attacker's end of what was found, never ours. That is the source, where it is
not one of our hosts; and the destination or domain of control traffic and of stolen data. The
target of a scan or of a flood is a victim; and what others have listed is theirs to list.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from analyzer.atomic import atomic_write
from analyzer.findings import Finding, Severity
from analyzer.indicators import IndicatorError, domain_name, parse_indicator
from analyzer.networks import PRIVATE, LocalNetworks, Network
from analyzer.writers.ownership import INDICATOR_SOURCE, refuse_foreign_indicators
from analyzer.zeek_format import UNSET, escape, format_row, replace_undecodable

FIELDS = ("indicator", "indicator_type", "meta.source", "meta.desc", "meta.url")

MINIMUM = Severity.HIGH
"""From where on a finding is worth that every later contact is reported as it happens."""

# Command and control, exfiltration; and impact, as what may be a flood has a victim at its end.
_OF_ATTACKERS = {"TA0011", "TA0010"}
_OF_VICTIMS = "TA0040"

_LISTED_BY_OTHERS = "ZeekAnalyzer::Threat_Intelligence"


def write_intel(
    findings: Iterable[Finding],
    path: Path,
    *,
    minimum: Severity = MINIMUM,
    outside: Collection[str] = (),
    local_networks: Sequence[Network] = (),
) -> int:
    """Write the indicators of findings, atomically: Zeek rereads the file once it is replaced.

    Args:
        findings: the findings, in any order.
        path: the file; one that exists is replaced.
        minimum: the severity from which a finding makes indicators.
        outside: sources of findings that are not our hosts
            (:attr:`analyzer.report.Report.outside`).
        local_networks: networks that are ours beside private space.

    Returns:
        How many indicators were written.

    Raises:
        OutputError: the file cannot be written, or holds indicators that are not ours.
    """
    refuse_foreign_indicators(path)
    rows = dict(_rows(findings, minimum, frozenset(outside), LocalNetworks(local_networks)))
    with atomic_write(path) as stream:
        stream.write("#fields\t" + "\t".join(FIELDS) + "\n")
        for (zeek_type, value), (description, url) in sorted(rows.items()):
            stream.write(
                format_row((value, zeek_type, INDICATOR_SOURCE, description, url or UNSET))
            )
    return len(rows)


def _rows(
    findings: Iterable[Finding], minimum: Severity, outside: frozenset[str], local: LocalNetworks
) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Type and value, description and page of each indicator; the loudest finding comes last."""
    # Messages decide between findings that are alike but for them.
    ordered = sorted(findings, key=lambda each: (each.sort_key, each.message), reverse=True)
    for finding in ordered:
        if finding.severity < minimum or finding.note.startswith(_LISTED_BY_OTHERS):
            continue
        # Hosts choose names that messages hold: one line, and no control characters.
        message = replace_undecodable(" ".join(finding.message.split()))
        url = finding.techniques[0].url if finding.techniques else ""
        for key in _indicators(finding, outside, local):
            yield key, (escape(f"{message} ({finding.rule})"), url)


def _indicators(
    finding: Finding, outside: frozenset[str], local: LocalNetworks
) -> Iterator[tuple[str, str]]:
    if finding.source in outside:
        yield from _address(finding.source, local)
    tactics = finding.techniques[0].tactics if finding.techniques else ()
    ambiguous = any(_OF_VICTIMS in technique.tactics for technique in finding.techniques)
    if ambiguous or not _OF_ATTACKERS & set(tactics):
        return
    domain = domain_name(finding.subject)
    if domain is not None:
        # The address behind a name may be others' as well.
        yield "Intel::DOMAIN", domain
    elif finding.destination is not None:
        yield from _address(finding.destination, local)


def _address(text: str, local: LocalNetworks) -> Iterator[tuple[str, str]]:
    try:
        value = parse_indicator(text, "Intel::ADDR").value
    except IndicatorError:
        return
    address = ipaddress.ip_address(value)
    if not local.is_local(value) and not any(address in network for network in PRIVATE):
        yield "Intel::ADDR", value
