"""What kind of log this is: Zeek's TSV header, the first JSON object, or neither."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from analyzer.parsers.blocks import BOM
from analyzer.records import LOGS

_FEWEST_COLUMNS = 8
FIRST_LINES = 100
"""How many lines show what a log of JSON rows is."""

_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([\\t]))")

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
        separator: between columns.
        set_separator: between the elements of a set or vector.
        empty: what an empty string or container looks like.
        unset: what an absent value looks like.
        path: Zeek's name of the log, empty if it does not say.
    """

    fields: tuple[str, ...] = ()
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
        if not self.is_separable:
            return f"#separator {self.separator[:40]!r} is not one ASCII byte"
        if not self.fields:
            return "rows before any #fields header"
        if self.log is None and self.path in LOGS:
            return f"#fields lacks columns that a {self.path} log must have"
        held = {column.name for column in LOGS.get(self.log or "", ())}
        twice = held & {field for field, count in Counter(self.fields).items() if count > 1}
        if twice:
            return f"#fields names {', '.join(sorted(twice))} twice"
        return ""

    @property
    def is_separable(self) -> bool:
        """Whether columns can be told apart."""
        return (
            len(self.separator) == 1 and self.separator.isascii() and self.separator not in "\r\n"
        )

    def updated(self, line: str) -> Header:
        """The header after one more line of it; unknown and broken lines change nothing."""
        # This key alone is set off by a space, and a new part begins with it: it resets the others.
        if line.startswith("#separator"):
            return Header(separator=_unescaped(line.removeprefix("#separator").strip()) or "\t")
        key, *values = line.split(self.separator) if self.is_separable else line.split("\t")
        if key == "#fields" and values:
            return replace(self, fields=tuple(map(column_name, values)))
        value = _unescaped(values[0]) if len(values) == 1 else None
        changed = self
        match key, value:
            case "#set_separator", str() if value:
                changed = replace(self, set_separator=value)
            case "#empty_field", str():
                changed = replace(self, empty=value)
            case "#unset_field", str():
                changed = replace(self, unset=value)
            case "#path", str():
                changed = replace(self, path=value)
        return changed


def _unescaped(text: str) -> str:
    """A header's value: Zeek escapes what cannot be printed."""
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)) if m[1] else m[2].replace("t", "\t"), text)


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
    """Whether a stream that starts with `head` may be a log of one JSON object a line.

    The first lines of a log may be broken; nothing depends on them as on a TSV header.
    """
    lines = head.removeprefix(BOM).split(b"\n", FIRST_LINES)[:FIRST_LINES]
    return any(line.lstrip().startswith(b"{") for line in lines)


def json_fields(row: Mapping[str, Any]) -> set[str]:
    """Our names of the fields of a JSON row, the nested ``id`` object included."""
    fields = {column_name(key) for key, value in row.items() if value is not None}
    nested = row.get("id")
    if isinstance(nested, Mapping):
        fields |= {str(key) for key, value in nested.items() if value is not None}
    return fields
