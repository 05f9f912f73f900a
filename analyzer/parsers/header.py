"""What kind of log this is: Zeek's TSV header, the first JSON object, or neither."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.records import LOGS

_FEWEST_COLUMNS = 8
_FEWEST_COLUMNS = 8
BOM = b"\xef\xbb\xbf"

CONN_ID_FIELDS = {
    f"id{mark}{end}": end for mark in "._" for end in ("orig_h", "orig_p", "resp_h", "resp_p")
}
"""The spellings of conn_id's fields, and our names for them."""


@dataclass(frozen=True, slots=True)
class Signature:
    """How a log is told from all others: by its fields, as #path and file names are the site's.

    A header, or a JSON row with its unset fields left out, is of the log if it has all of
    `needed`, one of `one_of` and none of `none_of`.
    """

    needed: frozenset[str]
    one_of: frozenset[str]
    none_of: frozenset[str] = frozenset()


_DNS_ONLY = frozenset({"query", "qtype", "qtype_name", "qclass", "rcode", "trans_id"})

SIGNATURES = {
    "dns": Signature(frozenset({"ts", "orig_h", "proto"}), _DNS_ONLY),
    "conn": Signature(
        frozenset({"ts", "orig_h", "resp_h", "proto"}),
        frozenset({"conn_state", "history", "orig_bytes", "orig_pkts", "duration"}),
        _DNS_ONLY | {"note", "name"},
    ),
    # krb.log has uid and cipher as well; quic.log has server names too, and is welcome.
    "ssl": Signature(
        frozenset({"uid"}),
        frozenset({"established", "resumed", "server_name"}),
        frozenset({"request_type", "proto"}),
    ),
    # sip.log has method and uri as well.
    "http": Signature(
        frozenset({"uid"}),
        frozenset({"host", "method", "status_code"}),
        frozenset({"call_id", "request_from", "proto"}),
    ),
}


def column_name(field: str) -> str:
    """Our name of a field of a log: ``id.orig_h`` and ``id_orig_h`` are ``orig_h``."""
    return CONN_ID_FIELDS.get(field, field)


def log_of(fields: Iterable[str]) -> str | None:
    """Which of our logs has these fields (``conn``, ``dns``, ``ssl``, ``http``), if any."""
    names = {column_name(field) for field in fields}
    for log, signature in SIGNATURES.items():
        if signature.needed <= names and signature.one_of & names and not signature.none_of & names:
            return log
    return None


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a TSV log, or of one part of a concatenated one.

    Attributes:
        fields: our names of its columns, in order.
        line: line number of ``#fields``.
        separator: between columns.
        set_separator: between the elements of a set or vector.
        empty: what an empty string or container looks like.
        unset: what an absent value looks like.
        path: Zeek's name of the log, empty if it does not say.
    """

    fields: tuple[str, ...] = ()
    line: int = 0
    separator: str = "\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    path: str = ""

    @property
    def log(self) -> str | None:
        """Which of our logs it is, if any."""
        return log_of(self.fields)

    def fault(self) -> str:
        """Why no rows can be read under it; empty if they can."""
        if not self.fields:
            return "rows before any #fields header"
        twice = {field for field in self.fields if self.fields.count(field) > 1}
        if twice & set(LOGS[self.log or "conn"]):
            return f"#fields names {', '.join(sorted(twice))} twice"
        if len(self.separator) != 1:
            return f"#separator {self.separator!r} is not one byte"
        return ""

    def updated(self, line: str, number: int) -> Header:
        """The header after one more line of it; unknown and broken lines change nothing."""
        # Only #separator itself is set off by a space; it resets all else (a new part begins).
        if line.startswith("#separator"):
            return Header(separator=_separator(line[len("#separator") :].strip()))
        key, *values = line.split(self.separator)
        match key, values:
            case "#fields", [_, *_]:
                names = tuple(column_name(value) for value in values)
                return self._with(fields=names, line=number)
            case "#set_separator", [value] if value:
                return self._with(set_separator=value)
            case "#empty_field", [value]:
                return self._with(empty=value)
            case "#unset_field", [value]:
                return self._with(unset=value)
            case "#path", [value]:
                return self._with(path=value)
        return self

    def _with(self, **changes: Any) -> Header:
        values: dict[str, Any] = {name: getattr(self, name) for name in Header.__slots__}
        return Header(**(values | changes))


def _separator(text: str) -> str:
    try:
        return codecs.decode(text, "unicode_escape") if text else "\t"
    except UnicodeDecodeError:
        return "\t"


def is_tsv(head: bytes) -> bool:
    """Whether a stream that starts with `head` is a Zeek TSV log."""
    return (
        head.removeprefix(BOM)
        .lstrip(b"\r\n")
        .startswith((b"#separator", b"#fields", b"#set_separator", b"#path"))
    )


def is_headless_tsv(head: bytes) -> bool:
    """Whether it starts like rows of a TSV log whose header is lost: a time, then many columns."""
    time, *others = head.removeprefix(BOM).split(b"\n", 1)[0].split(b"\t")
    return len(others) >= _FEWEST_COLUMNS and time.replace(b".", b"", 1).isdigit()


def is_json(head: bytes) -> bool:
    """Whether a stream that starts with `head` is a log of one JSON object a line."""
    return head.removeprefix(BOM).lstrip(b"\r\n\t ").startswith(b"{")


def json_fields(row: Mapping[str, Any]) -> set[str]:
    """Our names of the fields of a JSON row, the nested ``id`` object included."""
    fields = {column_name(key) for key in row}
    nested = row.get("id")
    if isinstance(nested, Mapping):
        fields |= {str(key) for key in nested}
    return fields
