r"""Rows as of another time: their ``ts`` moved, all else as it is.

What else in a row is a time stays: the validity of a certificate is not traffic, and no text is
searched for something that may look like a time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from analyzer.parsers.validation import TIME_LIMIT
from analyzer.replay.shapes import Shape, encoded
from analyzer.zeek_format import format_iso8601

_MICROSECONDS = 1_000_000
# Zeek's rows are flat, and within a text a quote has a backslash before it.
_JSON_TIME = re.compile(rb'((?<!\\)"(?:ts|_write_ts)"\s*:\s*)("[^"\\]*"|[-+0-9.eE]+)')


def shifted(shape: Shape, data: bytes, microseconds: int) -> bytes:
    """A row that is so much later.

    A row whose time cannot be read stays as it is.

    Args:
        shape: what the row looks like.
        data: the row.
        microseconds: how much later.
    """
    if shape.format == "json":
        return _JSON_TIME.sub(lambda match: match[1] + _json_time(match[2], microseconds), data)
    if "ts" not in shape.fields:
        return data
    place = shape.fields.index("ts")
    separator = encoded(shape.separator)
    values = data.split(separator, place + 1)
    if len(values) <= place:
        return data
    values[place] = _number(values[place], microseconds)
    return separator.join(values)


def _json_time(value: bytes, microseconds: int) -> bytes:
    if not value.startswith(b'"'):
        return _number(value, microseconds)
    text = value[1:-1].decode("utf-8", "replace")
    if "-" not in text[1:]:
        return b'"' + _number(value[1:-1], microseconds) + b'"'
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return value
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    later = format_iso8601(moment.timestamp() + microseconds / _MICROSECONDS)
    return value if later is None else f'"{later}"'.encode()


def _number(value: bytes, microseconds: int) -> bytes:
    """A time in seconds, or milliseconds where it is too large for these, in its own digits."""
    try:
        number = Decimal(value.decode("ascii", "replace"))
    except InvalidOperation:
        return value
    if not number.is_finite():
        return value
    scale = 1000 if number >= TIME_LIMIT else _MICROSECONDS
    later = number + Decimal(microseconds) / scale
    digits = -int(number.as_tuple().exponent)
    # As many digits as there were.
    return f"{later:.{max(0, digits)}f}".encode()
