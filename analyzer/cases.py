"""The test cases a rule carries: traffic, and what must be found in it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analyzer.case_rows import (
    EPOCH,
    LOGS,
    MAXIMUM_PORT,
    MAXIMUM_ROWS,
    Template,
    check_ends,
    is_address,
    made_rows,
    parse_templates,
)
from analyzer.findings import Severity
from analyzer.indicators import Indicator, IndicatorError, merged, parse_indicator
from analyzer.mitre import TECHNIQUES, suggest
from analyzer.yaml_lines import Node, Reading, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.findings import Finding

LEARNED = EPOCH - 28 * 86_400.0
"""When what is learned before a case starts: four weeks earlier, so weekdays and hours agree."""

LEVELS = [str(severity) for severity in Severity if severity > Severity.NONE]
"""The severities a rule can ask for, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A finding that a case must lead to; what is None does not matter.

    Attributes:
        source: its source.
        destination: its destination.
        port: its responder port.
        severity: its lowest severity.
        technique: id of one of its techniques.
        count: how many such findings there must be; None for one or more.
    """

    source: str | None = None
    destination: str | None = None
    port: int | None = None
    severity: Severity | None = None
    technique: str | None = None
    count: int | None = None

    def __str__(self) -> str:
        parts = [
            f"{name} {'at least ' if name == 'severity' else ''}{value!s}"
            for name in ("source", "destination", "port", "severity", "technique")
            if (value := getattr(self, name)) is not None
        ]
        number = "1 or more findings" if self.count is None else f"{self.count} findings"
        return f"{number} with {', '.join(parts)}" if parts else number

    def concerns(self, finding: Finding) -> bool:
        """Whether the finding is about what is expected, however loud it is."""
        return (
            self.source in {None, finding.source}
            and self.destination in {None, finding.destination}
            and self.port in {None, finding.port}
            and (self.technique is None or self.technique in {t.id for t in finding.techniques})
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Traffic, and the findings its rule must make of it.

    Attributes:
        name: what it shows.
        expectations: the findings; none for a benign case.
        local_nets: networks to take as local; empty leaves the choice to the analysis.
        templates: its traffic.
        learned: traffic that a baseline is learned from first; none for a case without a baseline.
        indicators: what threat intelligence lists meanwhile.
        file: the rule file.
        line: its line there.
    """

    name: str
    expectations: tuple[Expectation, ...]
    local_nets: tuple[str, ...]
    templates: tuple[Template, ...]
    file: Path
    line: int
    indicators: tuple[Indicator, ...] = ()
    learned: tuple[Template, ...] = ()

    @property
    def benign(self) -> bool:
        """Whether nothing may be found."""
        return not self.expectations


def parse_case(node: Node, reading: Reading, what: str) -> Case:
    """The case of a node, called ``what`` in the complaints that are noted in ``reading``."""
    before = len(reading.errors)
    entries = reading.mapping(
        node, what, ("name", "expect"), ("local_nets", "intelligence", "learned", *LOGS)
    )
    name = reading.text(entries.get("name"), f"{what}.name")
    expectations: tuple[Expectation, ...] = ()
    if "expect" in entries:
        expectations = _expectations(entries["expect"], reading, f"{what}.expect")
    networks = reading.items(entries.get("local_nets"), f"{what}.local_nets")
    for network in networks:
        if not _is_network(network.value):
            message = f"{what}.local_nets must hold networks such as 10.0.0.0/8, found {network}"
            reading.complain(message, network.line)
    listed = reading.items(entries.get("intelligence"), f"{what}.intelligence")
    indicators = [
        _indicator(item, reading, f"{what}.intelligence[{place}]")
        for place, item in enumerate(listed)
    ]
    templates = parse_templates(entries, reading, what)
    learned: tuple[Template, ...] = ()
    if "learned" in entries:
        rows_learned = reading.mapping(entries["learned"], f"{what}.learned", (), tuple(LOGS))
        learned = parse_templates(rows_learned, reading, f"{what}.learned")
    total = sum(template.count for template in (*templates, *learned))
    if len(reading.errors) == before:
        if total > MAXIMUM_ROWS:
            message = f"{what} has {total:,} rows, more than the limit of {MAXIMUM_ROWS:,}"
            reading.complain(message, node.line)
        elif not templates:
            reading.complain(f"{what} has no rows, neither conn nor dns", node.line)
    case = Case(
        name=name,
        expectations=expectations,
        local_nets=tuple(str(network.value) for network in networks),
        templates=templates,
        learned=learned,
        file=reading.file,
        line=node.line,
        indicators=merged(indicator for indicator in indicators if indicator is not None),
    )
    if len(reading.errors) == before:
        check_ends((*templates, *learned), name, reading, what)
    return case


def _indicator(node: Node, reading: Reading, what: str) -> Indicator | None:
    """An indicator with the columns of Zeek's Intel files."""
    needed = ("indicator", "indicator_type")
    entries = reading.mapping(node, what, needed, ("meta.source",))
    texts = {
        key: reading.text(entries.get(key), f"{what}.{key}") for key in (*needed, "meta.source")
    }
    if not all(texts[key] for key in needed):
        return None
    try:
        found = parse_indicator(*(texts[key] for key in needed))
    except IndicatorError as error:
        reading.complain(f"{what}: {texts['indicator']!r} is {error}", node.line)
        return None
    return replace(found, sources=(texts["meta.source"],) if texts["meta.source"] else ())


def _expectations(node: Node, reading: Reading, what: str) -> tuple[Expectation, ...]:
    if node.value == "none":
        return ()
    if isinstance(node.value, list) and node.value:
        named = [(item, f"{what}[{place}]") for place, item in enumerate(node.value)]
        return tuple(_expectation(item, reading, called) for item, called in named)
    if isinstance(node.value, dict) and node.value:
        return (_expectation(node, reading, what),)
    message = f"{what} must be none, or a mapping or list of mappings that says what is expected"
    reading.complain(message, node.line)
    return ()


def _expectation(node: Node, reading: Reading, what: str) -> Expectation:
    keys = ("source", "destination", "port", "severity", "technique", "count")
    values: dict[str, Any] = {}
    for key, value in reading.mapping(node, what, (), keys).items():
        called = f"{what}.{key}"
        match key:
            case "port":
                values[key] = reading.integer(value, called, 0, MAXIMUM_PORT)
            case "count":
                values[key] = reading.integer(value, called, 1, MAXIMUM_ROWS)
            case "severity":
                level = reading.choice(value, called, LEVELS)
                values[key] = Severity[level.upper()] if level else None
            case "technique":
                values[key] = identifier = reading.text(value, called)
                if identifier and identifier not in TECHNIQUES:
                    hint = did_you_mean(identifier, suggest(identifier)[:1])
                    reading.complain(
                        f"{called}: unknown technique {identifier!r}{hint}", value.line
                    )
            case _:
                values[key] = value.value
                if not is_address(value.value):
                    reading.complain(f"{called} must be an address, found {value}", value.line)
    return Expectation(**values)


def _is_network(value: object) -> bool:
    try:
        ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def rows(case: Case) -> dict[str, list[dict[str, Any]]]:
    """The traffic of a case, see :func:`analyzer.case_rows.made_rows`.

    Raises:
        RuleError: a placeholder expands to what its column cannot hold.
    """
    return made_rows(case.templates, case.name, case.file)


def learned_rows(case: Case) -> dict[str, list[dict[str, Any]]]:
    """The traffic that a case's baseline is learned from; ``start`` counts from :data:`LEARNED`.

    Raises:
        RuleError: a placeholder expands to what its column cannot hold.
    """
    return made_rows(case.learned, case.name, case.file, LEARNED)


def failures(case: Case, findings: Sequence[Finding], rule_id: str) -> list[str]:
    """What the findings of a rule lack, or have too much, against what the case expects.

    A finding below low does not count. One at low or above that no expectation concerns is one too
    many. Empty if the case passes.
    """
    own = [finding for finding in findings if finding.rule == rule_id]
    wrong = []
    for expectation in case.expectations:
        concerned = [finding for finding in own if expectation.concerns(finding)]
        lowest = expectation.severity or Severity.LOW
        number = sum(finding.severity >= lowest for finding in concerned)
        if number == 0 or expectation.count not in {None, number}:
            message = f"expected {expectation}, found {number}"
            if number == 0 and own:
                nearest = max(concerned or own, key=lambda finding: finding.score)
                message += f"; nearest is {_described(nearest)}"
            wrong.append(message)
    wrong.extend(
        f"unexpected {_described(finding)}"
        for finding in own
        if finding.severity >= Severity.LOW
        and not any(expectation.concerns(finding) for expectation in case.expectations)
    )
    return wrong


def _described(finding: Finding) -> str:
    parts = [f"{finding.severity!s} finding on {finding.source}"]
    if finding.destination is not None:
        parts.append(f"to {finding.destination}")
    if finding.port is not None:
        parts.append(f"port {finding.port}")
    parts.append(f"(score {finding.score:.2f}, {', '.join(t.id for t in finding.techniques)})")
    return " ".join(parts)
