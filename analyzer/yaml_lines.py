"""Rule files as trees of values that know their line, and the complaints about them.

Scalars follow the YAML 1.2 core schema, so ``no`` is text and not false, ``1:30`` is no number in
base 60, and a date stays the text the author wrote. Aliases, anchors and tags are refused: a rule
needs none of them, and they are how a small file becomes a large tree or a foreign object.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from analyzer.errors import RuleError, rule_error

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

MAXIMUM_BYTES = 1_000_000
MAXIMUM_DEPTH = 20

_SHOWN = 40  # characters of a text in a complaint

Scalar: TypeAlias = bool | int | float | str | None
Value: TypeAlias = "Scalar | list[Node] | dict[str, Node]"


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a YAML file.

    Attributes:
        value: the scalar, the list's nodes, or the mapping's nodes by key.
        line: where it starts, from 1.
        key_lines: of a mapping, the line of each key.
    """

    value: Value
    line: int
    key_lines: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        match self.value:
            case None:
                return "nothing"
            case bool():
                return str(self.value).lower()
            case str():
                shown = (
                    self.value if len(self.value) <= _SHOWN else f"{self.value[: _SHOWN - 3]}..."
                )
                return f"the text {shown!r}"
            case list():
                return "a list"
            case dict():
                return "a mapping"
            case _:
                return str(self.value)


class Reading:
    """One rule file while it is read: typed access to its nodes, and every complaint so far.

    After a complaint an accessor returns an empty value of its type, so that reading goes on and
    one run shows everything that is wrong; :meth:`finish` then raises. The same for no node at
    all, without a complaint: that a key is missing was said when its mapping was read.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.errors: list[RuleError] = []

    def complain(self, message: str, line: int | None) -> None:
        """Note that something is wrong at a line."""
        self.errors.append(rule_error(message, self.file, line))

    def finish(self) -> None:
        """Raise what was noted.

        Raises:
            RuleError: there was a complaint; all of them are in its text, one a line.
        """
        if self.errors:
            raise joined(self.errors)

    def mapping(
        self,
        node: Node,
        what: str,
        required: Collection[str],
        optional: Collection[str] = (),
    ) -> dict[str, Node]:
        """The entries of a mapping that may have these keys and no other."""
        if not isinstance(node.value, dict):
            self.complain(f"{what} must be a mapping, found {node}", node.line)
            return {}
        known = [*required, *optional]
        for key in node.value:
            if key not in known:
                hint = did_you_mean(key, known)
                self.complain(f"{what} has an unknown key {key!r}{hint}", node.key_lines[key])
        for key in required:
            if key not in node.value:
                self.complain(f"{what} lacks the key {key!r}", node.line)
        return {key: value for key, value in node.value.items() if key in known}

    def items(self, node: Node | None, what: str) -> list[Node]:
        """The nodes of a list."""
        if node is None:
            return []
        if isinstance(node.value, list):
            return node.value
        self.complain(f"{what} must be a list, found {node}", node.line)
        return []

    def text(self, node: Node | None, what: str) -> str:
        """A text that is not empty."""
        if node is None:
            return ""
        if isinstance(node.value, str) and node.value.strip():
            return node.value.strip()
        self.complain(f"{what} must be text, found {node}", node.line)
        return ""

    def texts(self, node: Node | None, what: str) -> tuple[str, ...]:
        """A list of texts."""
        items = self.items(node, what)
        return tuple(self.text(item, f"{what}[{place}]") for place, item in enumerate(items))

    def integer(self, node: Node, what: str, low: int, high: int) -> int:
        """A whole number within two bounds, both allowed."""
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.complain(f"{what} must be an integer from {low} to {high}, found {node}", node.line)
        return low

    def choice(self, node: Node | None, what: str, choices: Collection[str]) -> str:
        """One of several texts."""
        if node is None:
            return ""
        if isinstance(node.value, str) and node.value in choices:
            return node.value
        hint = did_you_mean(str(node.value), choices) if isinstance(node.value, str) else ""
        listed = ", ".join(choices)
        self.complain(f"{what} must be one of {listed}, found {node}{hint}", node.line)
        return ""


def joined(errors: list[RuleError]) -> RuleError:
    """Several errors as one: placed at the first, with the text of each on its own line."""
    first, *others = errors
    return RuleError("\n".join([first.message, *map(str, others)]), first.location)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the known word that looks most like this one, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def read_yaml(reading: Reading) -> Node:
    """The tree of the file being read; duplicate keys become complaints.

    Raises:
        RuleError: the file cannot be read, is too large, is not UTF-8, or is not YAML.
    """
    try:
        with reading.file.open("rb") as stream:
            data = stream.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise rule_error(f"cannot be read: {error.strerror}", reading.file, None) from error
    if len(data) > MAXIMUM_BYTES:
        message = f"is larger than {MAXIMUM_BYTES:,} bytes, the limit of a rule file"
        raise rule_error(message, reading.file, None)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8: byte 0x{data[error.start]:02x}"
        raise rule_error(message, reading.file, line) from error
    return _tree(_composed(text, reading.file), reading)


class _Loader(yaml.SafeLoader):
    """Composes nodes with the core schema, without aliases, anchors, tags or great depth."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        refused = None
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            refused = "aliases and anchors are not allowed"
        elif event.tag is not None:
            refused = f"tags are not allowed, found {event.tag}"
        elif self.depth >= MAXIMUM_DEPTH:
            refused = f"nested more than {MAXIMUM_DEPTH} deep"
        if refused:
            raise yaml.MarkedYAMLError(problem=refused, problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_PREFIX = "tag:yaml.org,2002:"

_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver(f"{_PREFIX}null", re.compile(r"(?:~|null|)\Z"), ["~", "n", ""])
_Loader.add_implicit_resolver(f"{_PREFIX}bool", re.compile(r"(?:true|false)\Z"), list("tf"))
_Loader.add_implicit_resolver(f"{_PREFIX}int", _INTEGER, list("-+0123456789"))
_Loader.add_implicit_resolver(f"{_PREFIX}float", _NUMBER, list("-+.0123456789"))


def _composed(text: str, file: Path) -> yaml.Node:
    line: int | None = 1
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        except (ValueError, OverflowError) as error:
            # PyYAML lets these escape for an escape sequence or a version beyond its range.
            line = loader.get_mark().line + 1
            raise rule_error(f"is not valid YAML: {error}", file, line) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"is not valid YAML: character U+{ord(text[error.position]):04X} is not allowed"
        raise rule_error(message, file, line) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        message = f"is not valid YAML: {error.problem}"
        if error.context and error.context_mark:
            message += f" ({error.context} from line {error.context_mark.line + 1})"
        raise rule_error(message, file, line) from error
    if root is None:
        raise rule_error("is empty", file, line)
    return root


def _tree(node: yaml.Node, reading: Reading) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return Node([_tree(item, reading) for item in node.value], line)
    if not isinstance(node, yaml.MappingNode):
        return Node(_scalar(node, reading), line)
    entries: dict[str, Node] = {}
    key_lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        key_line = key_node.start_mark.line + 1
        value = _tree(value_node, reading)
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != f"{_PREFIX}str":
            found = _tree(key_node, reading)
            reading.complain(f"a key must be text, found {found}", key_line)
        elif key_node.value in entries:
            first = key_lines[key_node.value]
            message = f"duplicate key {key_node.value!r}, first on line {first}"
            reading.complain(message, key_line)
        else:
            entries[key_node.value] = value
            key_lines[key_node.value] = key_line
    return Node(entries, line, key_lines)


def _scalar(node: yaml.Node, reading: Reading) -> Scalar:
    text: str = node.value
    line = node.start_mark.line + 1
    match node.tag.removeprefix(_PREFIX):
        case "null":
            return None
        case "bool":
            return text == "true"
        case "int" | "float" as kind:
            if not math.isfinite(float(text)) or (kind == "int" and abs(float(text)) >= 2.0**63):
                reading.complain("a number is too large to be held exactly", line)
                return 0
            return int(text) if kind == "int" else float(text)
        case _:
            if any("\ud800" <= character <= "\udfff" for character in text):
                reading.complain("text holds half of a surrogate pair", line)
                return ""
            return text
