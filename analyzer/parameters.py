"""What a detector can be told: from a rule's ``params`` to the detector's own dataclass, and back.

A detector declares a frozen dataclass. Its field types say what a rule file may write::

    @dataclass(frozen=True, slots=True)
    class Parameters:
        window: Seconds = field(default=3600.0, metadata={"meaning": "time looked at in one go"})

The types are ``int``, ``float``, ``bool``, ``str``, ``Literal[...]``, the measures below, and
``tuple[X, ...]`` of any of them. A module that declares parameters must import the measures at run
time, as their bounds live in the annotations.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

import yaml

from analyzer.yaml_lines import Node, Reading, did_you_mean

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Measure:
    """Marks a number that has units or bounds: ``Annotated[int, Measure("a port", high=65535)]``.

    Attributes:
        expected: what a rule must write, for the complaint.
        low: its lower bound.
        high: its upper bound.
        exclusive: the bounds themselves are not allowed.
        units: each unit a rule may append and what it multiplies by, smallest first.
        decimals: most digits after the point when written with a unit.
    """

    expected: str
    low: float = 0.0
    high: float = math.inf
    exclusive: bool = False
    units: tuple[tuple[str, Decimal], ...] = ()
    decimals: int = 0

    def allows(self, value: float) -> bool:
        """Whether the number is within the bounds."""
        if self.exclusive:
            return self.low < value < self.high
        return self.low <= value <= self.high

    def number(self, text: str) -> float | None:
        """The number that a text with a unit stands for (``5m``), None if it is not one."""
        match = _WITH_UNIT.fullmatch(text.strip())
        size = dict(self.units).get(match["unit"]) if match else None
        return None if match is None or size is None else float(Decimal(match["number"]) * size)

    def written(self, value: float) -> str:
        """The number in the largest unit in which it is short (``1h``, ``10 MB``, ``30%``)."""
        for unit, size in reversed(self.units):
            count = Decimal(repr(value)) / size
            text = f"{count.normalize():f}"
            _, _, fraction = text.partition(".")
            spaced = f"{text} {unit}" if unit.endswith("B") else f"{text}{unit}"
            # Below 1 of a unit the next smaller one reads better; the smallest has none below it.
            large_enough = count >= 1 or size < 1
            if large_enough and len(fraction) <= self.decimals and self.number(spaced) == value:
                return spaced
        return repr(value)


_WITH_UNIT = re.compile(r"(?P<number>[0-9]{1,18}(?:\.[0-9]{1,18})?) ?(?P<unit>[A-Za-z]+|%)")

Seconds = Annotated[
    float,
    Measure(
        "a time such as 90, 90s, 5m, 1h or 7d",
        units=(
            ("s", Decimal(1)),
            ("m", Decimal(60)),
            ("h", Decimal(3600)),
            ("d", Decimal(86400)),
        ),
    ),
]
"""A span of time in seconds, at least 0."""

Bytes = Annotated[
    float,
    Measure(
        "a size such as 500, 2 kB, 10 MB or 1.5 GB",
        units=tuple(
            (unit, Decimal(1000) ** i) for i, unit in enumerate(("B", "kB", "MB", "GB", "TB"))
        ),
        decimals=3,
    ),
]
"""A size in bytes, at least 0, in decimal units."""

Share = Annotated[
    float,
    Measure(
        "a share from 0 to 1 such as 0.3 or 30%",
        high=1.0,
        units=(("%", Decimal("0.01")),),
    ),
]
"""A part of a whole, in [0, 1]."""

Probability = Annotated[
    float, Measure("a probability above 0 and below 1", high=1.0, exclusive=True)
]
"""A probability that is neither impossible nor certain, in (0, 1)."""


class _UnfitError(Exception):
    """A node is not what an annotation asks for."""

    def __init__(self, expected: str, node: Node, hint: str = "") -> None:
        super().__init__(f"must be {expected}, found {node}{hint}")
        self.line = node.line


def read_parameters(declared: type[P], node: Node, reading: Reading) -> P | None:
    """An instance of a detector's dataclass from a rule's mapping.

    Returns None after noting in ``reading`` what is wrong: a key that is no parameter, a value of
    the wrong type or out of its range, a parameter without default that is missing, or what the
    dataclass itself refuses with a ValueError.
    """
    fields = dataclasses.fields(declared)  # type: ignore[arg-type]
    needed = [field.name for field in fields if _default(field) is dataclasses.MISSING]
    optional = [field.name for field in fields if field.name not in needed]
    before = len(reading.errors)
    entries = reading.mapping(node, "params", needed, optional)
    hints = get_type_hints(declared, include_extras=True)
    values = {
        name: read_value(value, hints[name], f"params.{name}", reading)
        for name, value in entries.items()
    }
    if len(reading.errors) > before:
        return None
    try:
        return declared(**values)
    except ValueError as error:
        reading.complain(f"params: {error}", node.line)
        return None


def read_value(node: Node, annotation: Any, what: str, reading: Reading) -> Any:  # noqa: ANN401
    """The value a node gives a field of this type; None after noting what is wrong with it."""
    try:
        return _value(node, annotation)
    except _UnfitError as error:
        reading.complain(f"{what} {error}", error.line)
        return None


def _value(node: Node, annotation: Any) -> Any:  # noqa: ANN401
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _measured(node, *arguments)
    if origin is tuple:
        if not isinstance(node.value, list):
            raise _UnfitError("a list", node)
        return tuple(_value(item, arguments[0]) for item in node.value)
    if origin is Literal:
        for choice in arguments:
            if type(choice) is type(node.value) and choice == node.value:
                return choice
        texts = [str(choice) for choice in arguments]
        hint = did_you_mean(node.value, texts) if isinstance(node.value, str) else ""
        raise _UnfitError(f"one of {', '.join(texts)}", node, hint)
    if annotation not in _EXPECTED:
        raise TypeError(f"a parameter cannot be of type {annotation!r}")
    if type(node.value) is annotation:
        return node.value
    if annotation is float and type(node.value) is int:
        return float(node.value)
    raise _UnfitError(_EXPECTED[annotation], node)


_EXPECTED = {int: "an integer", float: "a number", bool: "true or false", str: "text"}


def _measured(node: Node, base: type, measure: Measure) -> float:
    value: float | None = None
    if isinstance(node.value, str):
        value = measure.number(node.value)
    elif type(node.value) is int or (type(node.value) is float and base is float):
        value = base(node.value)
    if value is None or not measure.allows(value):
        raise _UnfitError(measure.expected, node)
    return value


def written(value: Any, annotation: Any) -> str:  # noqa: ANN401
    """A value of a field of this type as a person writes it in a rule; reads back as the same."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return str(arguments[1].written(value))
    if origin is tuple:
        return f"[{', '.join(written(item, arguments[0]) for item in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return repr(value)
    if _PLAIN.fullmatch(value) and value not in {"true", "false", "null"}:
        return value
    quoted: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf)
    return quoted.strip()


_PLAIN = re.compile(r"[A-Za-z][\w./-]*", re.ASCII)


def parameter_table(parameters: object) -> list[tuple[str, str, str, str]]:
    """Of each parameter its name, its value and its default as written in a rule, its meaning.

    The default is empty where there is none.
    """
    hints = get_type_hints(type(parameters), include_extras=True)
    rows = []
    for field in dataclasses.fields(parameters):  # type: ignore[arg-type]
        default = _default(field)
        rows.append(
            (
                field.name,
                written(getattr(parameters, field.name), hints[field.name]),
                "" if default is dataclasses.MISSING else written(default, hints[field.name]),
                str(field.metadata.get("meaning", "")),
            )
        )
    return rows


def _default(field: dataclasses.Field[Any]) -> Any:  # noqa: ANN401
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
