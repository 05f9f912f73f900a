"""Traffic written as row templates: what the test cases of a rule are made of."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyzer import records
from analyzer.errors import rule_error
from analyzer.parameters import Seconds, read_value
from analyzer.yaml_lines import Node, Reading, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

EPOCH = 1_704_067_200.0
"""When every case starts: Monday 2024-01-01 00:00:00 UTC."""

MAXIMUM_ROWS = 200_000
MAXIMUM_PORT = 65535

LOGS = {
    log: {column.name: column for column in records.columns(log, records.DETECTION_COLUMNS[log])}
    for log in ("conn", "dns")
}
"""The logs that cases have rows of, and their columns that detectors use."""
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


def parse_templates(
    entries: Mapping[str, Node], reading: Reading, what: str
) -> tuple[Template, ...]:
    """The templates under the names of logs among a mapping's entries, called ``what``."""
    templates: list[Template] = []
    for log in LOGS:
        for place, row in enumerate(reading.items(entries.get(log), f"{what}.{log}")):
            called = f"{what}.{log}[{place}]"
            templates.append(_template(row, reading, called, (log, len(templates))))
    return tuple(templates)


def _template(node: Node, reading: Reading, what: str, where: tuple[str, int]) -> Template:
    log, place = where
    columns = LOGS[log]
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


def check_ends(templates: Sequence[Template], case: str, reading: Reading, what: str) -> None:
    """Complain about the first and the last row of each template, without making all of them."""
    for template in templates:
        try:
            _row(case, template, 0, EPOCH)
            _row(case, template, template.count - 1, EPOCH)
        except _CellError as error:
            reading.complain(f"{what}: {error}", error.line)


def made_rows(
    templates: Sequence[Template], case: str, file: Path, begin: float = EPOCH
) -> dict[str, list[dict[str, Any]]]:
    """Per log the rows of templates, each with every column that detectors use.

    Equal templates of equally named cases give equal rows. A value that the template does not give
    is that of an ordinary connection; ``ts`` follows from ``start``, ``every`` and ``jitter``.

    Args:
        templates: what to make rows of.
        case: name of the case they belong to.
        file: the rule file, for complaints.
        begin: what ``start`` is counted from, UTC epoch seconds.

    Raises:
        RuleError: a placeholder expands to what its column cannot hold.
    """
    made: dict[str, list[dict[str, Any]]] = {log: [] for log in LOGS}
    for template in templates:
        for i in range(template.count):
            try:
                made[template.log].append(_row(case, template, i, begin))
            except _CellError as error:
                raise rule_error(f"case {case!r}: {error}", file, error.line) from error
    return made


class _CellError(Exception):
    """A row template gives a column what it cannot hold."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _row(case: str, template: Template, i: int, begin: float) -> dict[str, Any]:
    seed = f"{case}\0{template.log}\0{template.place}"
    columns = LOGS[template.log]
    row: dict[str, Any] = dict.fromkeys(columns)
    given = {
        name: _cell(columns[name], node, i, f"{seed}\0{name}\0{i}")
        for name, node in template.values.items()
    }
    ts = begin + template.start + i * template.every
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
            expected, good = "an address", is_address(value)
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


def is_address(value: object) -> bool:
    """Whether a value is the text of an address."""
    try:
        ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True
