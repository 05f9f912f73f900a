r"""How Zeek writes values in its ASCII logs, and how to read them back.

Source: Zeek's ``src/threading/formatters/Ascii.cc`` (values), ``src/Desc.cc`` (escaping) and
``src/logging/writers/ascii/Ascii.cc`` (header, footer, rows), with the default separators and UTF-8
logging that Zeek has had since 3.2.

Text that this package holds is *canonical*: bytes of a log that are no valid UTF-8 stand in it as
the four characters ``\xhh``. Zeek itself writes them like that into JSON logs, so the same string
comes of either format, and it can always be encoded.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LogFormat = Literal["tsv", "json"]
"""How Zeek writes logs: by columns, or an object a line."""

SEPARATOR = "\t"
SET_SEPARATOR = ","
EMPTY = "(empty)"
UNSET = "-"
COMMENT = "#"

_HEADER_TIME = "%Y-%m-%d-%H-%M-%S"  # Log::default_rotation_date_format

_SURROGATES = re.compile(r"[\ud800-\udfff]+")
_SPECIAL = re.compile(r"[\\\x00-\x1f\x7f\ud800-\udfff]")
_SPECIAL_IN_CONTAINER = re.compile(r"[\\\x00-\x1f\x7f,\ud800-\udfff]")
_DOUBLED = re.compile(r"\\\\(x[89a-f][0-9a-f])")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_ESCAPED = re.compile(r"\\\\|(?:\\x[0-9a-fA-F]{2}|[\ud800-\udfff])+")
# Where Python's surrogateescape puts a byte that is no UTF-8: U+DC80 to U+DCFF for 0x80 to 0xff.
_FIRST_ESCAPED_BYTE, _LAST_ESCAPED_BYTE, _ESCAPED_BYTE_OFFSET = 0xDC80, 0xDCFF, 0xDC00


def escape(text: str, *, in_container: bool = False) -> str:
    r"""Text as Zeek writes it into a field of type string or enum.

    A backslash becomes ``\\``; control bytes (the tab and the line feed among them) and DEL become
    ``\xhh`` in lower case; valid UTF-8 stays. The empty string becomes ``(empty)``, and a text that
    looks like a mark for empty or unset gets its first character escaped. A lone surrogate, as
    ``surrogateescape`` makes of a byte that is no UTF-8, becomes ``\xhh`` of that byte.

    Args:
        text: any text at all.
        in_container: whether it is an element of a set or vector, where ``,`` is escaped too.
    """
    if not text:
        return EMPTY
    if text in (UNSET, EMPTY):
        return _hex(text[0]) + text[1:]
    special = _SPECIAL_IN_CONTAINER if in_container else _SPECIAL
    return special.sub(_escape_match, text)


def escape_canonical(text: str, *, in_container: bool = False) -> str:
    r"""Text in canonical form as Zeek writes the bytes that it stands for.

    As :func:`escape`, but ``\xhh`` from ``\x80`` on stands for a byte that is no UTF-8. In a text
    with such a byte Zeek writes every byte that is no ASCII like that, even those that are UTF-8.
    (Where a host did send these four characters, Zeek doubles the backslash; the canonical form
    does not tell the two apart.)
    """
    escaped, undecodable = _DOUBLED.subn(r"\\\1", escape(text, in_container=in_container))
    return _NOT_ASCII.sub(lambda match: _hex(match[0]), escaped) if undecodable else escaped


def unescape(text: str) -> str:
    r"""The text that Zeek wrote as `text`: the inverse of :func:`escape`. It never raises.

    Read from left to right: ``\\`` is a backslash, and a run of ``\xhh`` is decoded as UTF-8, where
    bytes that are not valid stay as the characters ``\xhh`` (in lower case), the canonical form.
    Lone surrogates count as the bytes they stand for. Whatever else follows a backslash is not of
    Zeek's making and stays as it is. ``(empty)`` is the empty string; whether ``-`` means that the
    field is unset is for the reader of the field to say, before it asks for the text.

    ``unescape(escape(text)) == text`` for every text without lone surrogates, in a container or
    not; with them it is ``replace_undecodable(text)`` unless they spell valid UTF-8.
    """
    if text == EMPTY:
        return ""
    return _ESCAPED.sub(_unescape_match, text)


def replace_undecodable(text: str) -> str:
    r"""Text in canonical form: every lone surrogate replaced by ``\xhh`` of the byte it stands for.

    The result can be encoded as UTF-8.
    """
    return _SURROGATES.sub(lambda match: _hex(match[0]), text)


def format_time(seconds: float) -> str:
    """A time, as UTC epoch seconds with 6 decimals."""
    return f"{seconds:.6f}"


def format_interval(seconds: float) -> str:
    """An interval, as seconds with 6 decimals."""
    return f"{seconds:.6f}"


def format_double(number: float) -> str:
    """A double: up to 6 decimals without trailing zeros, but at least one; no exponent."""
    text = f"{number:.6f}"
    if "." not in text:  # nan, inf
        return text
    text = text.rstrip("0")
    text = f"{text}0" if text.endswith(".") else text
    return "0.0" if text == "-0.0" else text


def format_bool(truth: bool) -> str:  # noqa: FBT001 - the value to format, not a switch
    """A bool: ``T`` or ``F``."""
    return "T" if truth else "F"


def format_count(number: int) -> str:
    """A count, int or port: decimal digits, no grouping."""
    return str(int(number))


def format_set(values: Iterable[Any], element_type: str = "string") -> str:
    """A set or vector in the order given, ``(empty)`` without elements.

    Args:
        values: the elements; None is an unset one.
        element_type: their Zeek type, a scalar.

    Raises:
        KeyError: there is no such Zeek type.
    """
    formatter = _escape_element if element_type in _TEXT_TYPES else _FORMATTERS[element_type]
    elements = [UNSET if value is None else formatter(value) for value in values]
    return SET_SEPARATOR.join(elements) or EMPTY


def format_value(value: Any, zeek_type: str) -> str:  # noqa: ANN401 - as many as Zeek has types
    """A value of any Zeek type, as its type says; None is unset.

    Args:
        value: what Python has for the type: str, int, float, bool, or an iterable of these.
        zeek_type: as in a ``#types`` line (``addr``, ``set[string]``).

    Raises:
        KeyError: there is no such Zeek type.
    """
    if value is None:
        return UNSET
    container, _, element_type = zeek_type.partition("[")
    if element_type:
        return format_set(value, element_type.removesuffix("]"))
    return _FORMATTERS[container](value)


def format_iso8601(seconds: float) -> str | None:
    """UTC epoch seconds as Zeek's JSON writer's ``JSON::TS_ISO8601``: six decimals and a ``Z``.

    None for a time that has no such form: outside the years 1 to 9999, or not finite.
    """
    try:
        moment = datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def header(path: str, fields: Sequence[tuple[str, str]], opened: float) -> str:
    """The header lines of a log, each with its line feed.

    Args:
        path: the log's name (``notice``).
        fields: name and Zeek type of each column, in order.
        opened: when the log was opened, UTC epoch seconds. Zeek writes local time here; we write
            UTC, so that the same input gives the same file anywhere.
    """
    lines = (
        f"#separator \\x{ord(SEPARATOR):02x}",
        f"#set_separator\t{SET_SEPARATOR}",
        f"#empty_field\t{EMPTY}",
        f"#unset_field\t{UNSET}",
        f"#path\t{path}",
        f"#open\t{header_time(opened)}",
        SEPARATOR.join(("#fields", *(name for name, _ in fields))),
        SEPARATOR.join(("#types", *(zeek_type for _, zeek_type in fields))),
    )
    return "".join(f"{line}\n" for line in lines)


def format_row(cells: Iterable[str]) -> str:
    r"""One row of formatted values with its line feed; a leading ``#`` becomes ``\x23``."""
    line = SEPARATOR.join(cells)
    if line.startswith(COMMENT):
        line = _hex(COMMENT) + line[1:]
    return f"{line}\n"


def footer(closed: float) -> str:
    """The last line of a finished log, with its line feed.

    Args:
        closed: when the log was closed, UTC epoch seconds.
    """
    return f"#close\t{header_time(closed)}\n"


def header_time(seconds: float) -> str:
    """A time as ``#open`` and ``#close`` have it, and the name of a rotated log; UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime(_HEADER_TIME)


def parse_header_time(text: str) -> float | None:
    """The inverse of :func:`header_time`, UTC epoch seconds; None if it is no such time."""
    try:
        return datetime.strptime(text, _HEADER_TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _escape_element(text: str) -> str:
    return escape(text, in_container=True)


def _escape_match(match: re.Match[str]) -> str:
    return "\\\\" if match[0] == "\\" else _hex(match[0])


def _unescape_match(match: re.Match[str]) -> str:
    if match[0] == "\\\\":
        return "\\"
    content = bytearray()
    for unit in re.findall(r"\\x(..)|(.)", match[0]):
        digits, character = unit
        content += bytes.fromhex(digits) if digits else _as_bytes(character)
    return content.decode("utf-8", "backslashreplace")


def _hex(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for character in text for byte in _as_bytes(character))


def _as_bytes(character: str) -> bytes:
    code = ord(character)
    if _FIRST_ESCAPED_BYTE <= code <= _LAST_ESCAPED_BYTE:
        return bytes([code - _ESCAPED_BYTE_OFFSET])
    return character.encode("utf-8", "surrogatepass")


_TEXT_TYPES = frozenset({"string", "enum", "addr", "subnet"})

_FORMATTERS: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(_TEXT_TYPES, escape),
    "time": format_time,
    "interval": format_interval,
    "double": format_double,
    "bool": format_bool,
    "count": format_count,
    "int": format_count,
    "port": format_count,
}
