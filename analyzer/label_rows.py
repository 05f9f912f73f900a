"""What one row of labels says: a uid or an address, and whether it is an attack's."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

# What a label says where it is not the name of an attack: CTU-13, IoT-23, CIC and UNSW wording.
_BENIGN = re.compile(
    r"(flow=)?(from[-_ ]|to[-_ ])?(benign|normal|legit(imate)?|clean|good)\b.*|0|false|no",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"(flow=)?(from[-_ ]|to[-_ ])?background\b.*|unknown|un-?label+ed|-|\(empty\)|", re.IGNORECASE
)
_EMPTY = ("", "-", "(empty)")
DETAILS = ("detailed-label", "detailedlabel", "detailed_label")
"""What the column of the detailed label is called."""

ALWAYS = (0.0, 1e11)
"""The span of a label that gives none: before and after all times that a log may hold."""


class NoLabel(Exception):  # noqa: N818 - how a reader says that a line holds no label
    """A line that is no label; the text is the reason."""


@lru_cache(maxsize=4096)
def verdict(label: str, detail: str = "") -> tuple[bool | None, str]:
    """What a label means: whether it names an attack (None if nobody knows), and the name to use.

    The name is the detailed label, where there is one.
    """
    label, detail = label.strip(), detail.strip()
    name = label if detail in _EMPTY else detail
    if _UNKNOWN.fullmatch(label):
        # Whatever the detail is, nobody said that it is an attack.
        return None, name or "-"
    return not _BENIGN.fullmatch(label), name


def json_row(text: str) -> Mapping[str, Any]:
    """The row that a line of JSON holds.

    Raises:
        NoLabel: it holds none.
    """
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise NoLabel("not a JSON object")
    return row


def labelled_row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The label that a row with named values holds: by uid, or else by address and time.

    Returns:
        Three values, as of :func:`uid_row`, or five: address, begin, end, verdict and name.

    Raises:
        NoLabel: it holds none.
    """
    if row.get("label") is None:
        raise NoLabel("no label")
    label = _text(row["label"])
    detail = next((_text(row[name]) for name in DETAILS if row.get(name) is not None), "")
    if row.get("uid"):
        return uid_row(_text(row["uid"]), label, detail)
    try:
        address = str(ipaddress.ip_address(_text(row.get("address") or "").strip()))
    except ValueError:
        raise NoLabel("neither a uid nor an address") from None
    begin, end = (
        _moment(row.get(name), default)
        for name, default in zip(("from", "to"), ALWAYS, strict=True)
    )
    return (address, begin, end, *verdict(label, detail))


def uid_row(uid: str, label: str, detail: str) -> tuple[Any, ...]:
    """A uid, its verdict and the name of its label.

    Raises:
        NoLabel: there is no uid.
    """
    if uid.strip() in _EMPTY:
        raise NoLabel("row without a uid")
    return (uid.strip(), *verdict(label, detail))


def _text(value: object) -> str:
    if not isinstance(value, str | int | float):
        raise NoLabel("a list or an object where a text should be")
    text = value if isinstance(value, str) else json.dumps(value)
    # Lone surrogates of JSON, which no column holds.
    return text.encode("utf-8", "backslashreplace").decode()


def _moment(value: object, default: float) -> float:
    """Epoch seconds from epoch seconds or ISO 8601; `default` where there is no time."""
    text = "" if value is None else _text(value).strip()
    if text in _EMPTY:
        return default
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise NoLabel("from or to is no time") from None
    if not math.isfinite(seconds):
        raise NoLabel("from or to is no time")
    return seconds
