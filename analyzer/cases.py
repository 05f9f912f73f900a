"""The test cases a rule carries: traffic written as row templates, and what must be found in it."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analyzer import records
from analyzer.errors import rule_error
from analyzer.findings import Severity
from analyzer.indicators import Indicator, IndicatorError, merged, parse_indicator
from analyzer.mitre import TECHNIQUES, suggest
from analyzer.parameters import Seconds, read_value
from analyzer.yaml_lines import Node, Reading, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from analyzer.findings import Finding

EPOCH = 1_704_067_200.0
"""When every case starts: Monday 2024-01-01 00:00:00 UTC."""

MAXIMUM_ROWS = 200_000
MAXIMUM_PORT = 65535

LEVELS = [str(severity) for severity in Severity if severity > Severity.NONE]
"""The severities a rule can ask for, by name."""

_LOGS = {
    log: {column.name: column for column in records.columns(log, records.DETECTION_COLUMNS[log])}
    for log in ("conn", "dns")
}
_REQUIRED = {"conn": ("orig_h", "resp_h", "resp_p"), "dns": ("orig_h", "query")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One row of a log and how often it repeats.

    Attributes:
        log: ``conn`` or ``dns``.
        place: its place among the case's templates, which keeps their random values apart.
        values: what the rule gives, by column; text may hold placeholders.
        count: how many rows it makes.
        every: seconds from one row to the next.
        start: seconds from the case's epoch to the first.
        jitter: width in seconds of the range by which each row is moved.
    """

    log: str
    place: int
    values: Mapping[str, Node]
    count: int = 1
    every: float = 1.0
    start: float = 0.0
    jitter: float = 0.0


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

    @property
    def benign(self) -> bool:
        """Whether nothing may be found."""
        return not self.expectations


def parse_case(node: Node, reading: Reading, what: str) -> Case:
    """The case of a node, called ``what`` in the complaints that are noted in ``reading``."""
    before = len(reading.errors)
    entries = reading.mapping(
        node, what, ("name", "expect"), ("local_nets", "intelligence", *_LOGS)
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
    templates: list[Template] = []
    for log in _LOGS:
        for place, row in enumerate(reading.items(entries.get(log), f"{what}.{log}")):
            called = f"{what}.{log}[{place}]"
            templates.append(_template(row, reading, called, (log, len(templates))))
    total = sum(template.count for template in templates)
    if len(reading.errors) == before:
        if total > MAXIMUM_ROWS:
            message = f"{what} has {total:,} rows, more than the limit of {MAXIMUM_ROWS:,}"
            reading.complain(message, node.line)
        elif not total:
            reading.complain(f"{what} has no rows, neither conn nor dns", node.line)
    case = Case(
        name=name,
        expectations=expectations,
        local_nets=tuple(str(network.value) for network in networks),
        templates=tuple(templates),
        file=reading.file,
        line=node.line,
        indicators=merged(indicator for indicator in indicators if indicator is not None),
    )
    if len(reading.errors) == before:
        _check_ends(case, reading, what)
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
                if not _is_address(value.value):
                    reading.complain(f"{called} must be an address, found {value}", value.line)
    return Expectation(**values)


def _is_address(value: object) -> bool:
    try:
        ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _is_network(value: object) -> bool:
    try:
        ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _template(node: Node, reading: Reading, what: str, where: tuple[str, int]) -> Template:
    log, place = where
    columns = _LOGS[log]
    values: dict[str, Node] = {}
    repeats: dict[str, Any] = {}
    if not isinstance(node.value, dict):
        reading.complain(f"{what} must be a mapping, found {node}", node.line)
        return Template(log=log, place=place, values={})
    for key, value in node.value.items():
        name = key.removeprefix("id.")
        if key == "count":
            repeats[key] = reading.integer(value, f"{what}.count", 1, MAXIMUM_ROWS)
        elif key in {"every", "start", "jitter"}:
            repeats[key] = read_value(value, Seconds, f"{what}.{key}", reading)
        elif name not in columns or key not in {name, columns[name].zeek_name}:
            hint = did_you_mean(key, [*columns, "count", "every", "start", "jitter"])
            message = f"{what}: {key!r} is not a column of {log} that detectors read{hint}"
            reading.complain(message, node.key_lines[key])
        elif name in values:
            reading.complain(f"{what} gives {name} twice", node.key_lines[key])
        else:
            values[name] = value
    for name in _REQUIRED[log]:
        if name not in values:
            reading.complain(f"{what} lacks the column {name!r}", node.line)
    return Template(log=log, place=place, values=values, **repeats)


def _check_ends(case: Case, reading: Reading, what: str) -> None:
    """Complain about the first and the last row of each template, without making all of them."""
    for template in case.templates:
        try:
            _row(case.name, template, 0)
            _row(case.name, template, template.count - 1)
        except _CellError as error:
            reading.complain(f"{what}: {error}", error.line)


def rows(case: Case) -> dict[str, list[dict[str, Any]]]:
    """The traffic of a case: per log its rows, each with every column that detectors use.

    Equal cases give equal rows. A value that the template does not give is that of an ordinary
    connection; ``ts`` follows from ``start``, ``every`` and ``jitter``.

    Raises:
        RuleError: a placeholder expands to what its column cannot hold.
    """
    made: dict[str, list[dict[str, Any]]] = {log: [] for log in _LOGS}
    for template in case.templates:
        for i in range(template.count):
            try:
                made[template.log].append(_row(case.name, template, i))
            except _CellError as error:
                message = f"case {case.name!r}: {error}"
                raise rule_error(message, case.file, error.line) from error
    return made


class _CellError(Exception):
    """A row template gives a column what it cannot hold."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _row(case: str, template: Template, i: int) -> dict[str, Any]:
    seed = f"{case}\0{template.log}\0{template.place}"
    columns = _LOGS[template.log]
    row: dict[str, Any] = dict.fromkeys(columns)
    given = {
        name: _cell(columns[name], node, i, f"{seed}\0{name}\0{i}")
        for name, node in template.values.items()
    }
    ts = EPOCH + template.start + i * template.every
    if template.jitter:
        share = int.from_bytes(hashlib.sha256(f"{seed}\0{i}".encode()).digest()[:8]) / 2**64
        ts += (share - 0.5) * template.jitter
    row["ts"] = round(ts, 6)
    row["uid"] = "C" + _characters(_BASE62, 17, f"{seed}\0uid\0{i}")
    row["orig_p"] = 49152 + (i + 1021 * template.place) % 16384
    if template.log == "dns":
        row |= _QUERY
    else:
        row["proto"] = "tcp"
        row |= _outcome(given.get("conn_state", "SF"), given.get("proto", "tcp"))
    return row | given


_QUERY = {
    "resp_h": "10.0.0.53",
    "resp_p": 53,
    "proto": "udp",
    "qtype_name": "A",
    "rcode_name": "NOERROR",
}

# What Zeek's history shows of a TCP connection in each state, where it is always much the same.
_HISTORIES = {
    "SF": "ShADadFf",
    "S0": "S",
    "REJ": "Sr",
    "S1": "ShADad",
    "S2": "ShADadF",
    "S3": "ShADadf",
    "RSTO": "ShADadR",
    "RSTR": "ShADadr",
    "RSTOS0": "SR",
    "SH": "SF",
    "RSTRH": None,
    "SHR": None,
    "OTH": None,
}


def _outcome(state: str | None, proto: str) -> dict[str, Any]:
    history = _HISTORIES.get(state or "")
    if proto != "tcp":
        history = "D" if state == "S0" else "Dd"
    outcome: dict[str, Any] = {"conn_state": state, "history": history}
    if state in {"S0", "RSTOS0", "SH"}:
        return outcome | {"orig_pkts": 1, "resp_pkts": 0}
    if state == "REJ":
        return outcome | {
            "duration": 0.001,
            "orig_bytes": 0,
            "resp_bytes": 0,
            "orig_pkts": 1,
            "resp_pkts": 1,
        }
    return outcome | {
        "duration": 0.5,
        "orig_bytes": 500,
        "resp_bytes": 2000,
        "orig_pkts": 6,
        "resp_pkts": 8,
    }


def _cell(column: records.Column, node: Node, i: int, seed: str) -> Any:  # noqa: ANN401
    """The value of a column in repeat ``i``.

    Raises:
        _CellError: the column cannot hold it.
    """
    if node.value is None and not column.required:
        return None
    if not column.is_container:
        return _scalar(column, node, i, seed)
    if not isinstance(node.value, list):
        raise _CellError(f"{column.name} must be a list, found {node}", node.line)
    return [_scalar(column, item, i, f"{seed}\0{k}") for k, item in enumerate(node.value)]


def _scalar(column: records.Column, node: Node, i: int, seed: str) -> Any:  # noqa: ANN401
    kind = column.element_type
    value: Any = node.value
    if isinstance(value, str) and ("{" in value or "}" in value):
        value = _expanded(value, i, seed, node.line)
        if kind not in {"string", "enum", "addr"} and _NUMERAL.fullmatch(value):
            value = float(value) if "." in value else int(value)
    number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    match kind:
        case "time" | "interval" | "double":
            expected, good = "a number from 0", number
            value = float(value) if good else value
        case "port":
            good = number and isinstance(value, int) and value <= MAXIMUM_PORT
            expected = f"an integer from 0 to {MAXIMUM_PORT}"
        case "count" | "int":
            expected, good = "an integer from 0", number and isinstance(value, int)
        case "bool":
            expected, good = "true or false", isinstance(value, bool)
        case "addr":
            expected, good = "an address", _is_address(value)
        case _ if column.name == "conn_state":
            good = isinstance(value, str) and value in _HISTORIES
            expected = f"one of {', '.join(_HISTORIES)}"
        case _:
            expected, good = "text", isinstance(value, str)
    if not good:
        hint = "; text that begins with { needs quotes" if isinstance(value, dict) else ""
        found = Node(value, node.line)
        raise _CellError(f"{column.name} must be {expected}, found {found}{hint}", node.line)
    return value


_NUMERAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
_PLACEHOLDER = re.compile(
    r"\{(?:i(?P<operations>(?:(?:\+|%|//)[0-9]{1,9})*)"
    r"|(?P<alphabet>hex|base32|letters):(?P<length>[0-9]{1,3}))\}"
)
_OPERATION = re.compile(r"(\+|%|//)([0-9]+)")
_OPERATORS = {"+": int.__add__, "%": int.__mod__, "//": int.__floordiv__}
_BASE62 = string.digits + string.ascii_letters
_ALPHABETS = {
    "hex": "0123456789abcdef",
    "base32": string.ascii_lowercase + "234567",
    "letters": string.ascii_lowercase,
}


def _expanded(text: str, i: int, seed: str, line: int) -> str:
    def expansion(match: re.Match[str]) -> str:
        if match["alphabet"]:
            # Where it stands keeps two placeholders of one text from showing the same characters.
            place = f"{seed}\0{match.start()}"
            return _characters(_ALPHABETS[match["alphabet"]], int(match["length"]), place)
        value = i
        for operator, digits in _OPERATION.findall(match["operations"]):
            operand = int(digits)
            if operator != "+" and not operand:
                raise _CellError(f"{match[0]} divides by zero", line)
            value = _OPERATORS[operator](value, operand)
        return str(value)

    if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
        known = "{i}, {i+10}, {i%200+1}, {i//200}, {hex:32}, {base32:50} or {letters:12}"
        raise _CellError(f"{text!r} has a brace that is no placeholder ({known})", line)
    return _PLACEHOLDER.sub(expansion, text)


def _characters(alphabet: str, length: int, seed: str) -> str:
    """Characters that depend on the seed alone, each of the alphabet's as likely as the others."""
    return "".join(
        letter for letter, _ in zip(_stream(alphabet, seed), range(length), strict=False)
    )


def _stream(alphabet: str, seed: str) -> Iterator[str]:
    fair = 256 - 256 % len(alphabet)
    block = hashlib.sha256(seed.encode()).digest()
    while True:
        yield from (alphabet[byte % len(alphabet)] for byte in block if byte < fair)
        block = hashlib.sha256(block).digest()


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
