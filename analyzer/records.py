"""What a record is: every column of conn.log and dns.log, once, with type, unit and meaning.

The names are Zeek's with the ``id.`` prefix dropped (``id.orig_h`` is ``orig_h``), because a dot in
a column name needs quoting everywhere. Types are Zeek's own; :attr:`Column.dtype` is how the engine
holds them. Formats: Zeek ``base/protocols/conn/main.zeek`` and ``base/protocols/dns/main.zeek``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from analyzer.indicators import Indicator
    from analyzer.networks import LocalNetworks

# Zeek type -> (Ibis type of a scalar). Ports are 16 bits on the wire, so a larger one is an error;
# counts are unsigned in Zeek, and no honest one comes near 2^63.
_DTYPES = {
    "time": "float64",
    "interval": "float64",
    "double": "float64",
    "string": "string",
    "enum": "string",
    "addr": "string",
    "port": "uint16",
    "count": "int64",
    "int": "int64",
    "bool": "boolean",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a log.

    Attributes:
        name: its name in our tables.
        type: its Zeek type (``addr``, ``set[string]``).
        meaning: what it says.
        unit: its unit, empty if it has none.
        required: a row without it is no record.
        free: it holds text that the hosts chose, so it may be escaped.
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    required: bool = False
    free: bool = False

    @property
    def zeek_name(self) -> str:
        """Its name in Zeek's logs."""
        return f"id.{self.name}" if self.name in _CONN_ID else self.name

    @property
    def element_type(self) -> str:
        """Zeek type of the elements of a set or vector, of the value itself otherwise."""
        return self.type[self.type.index("[") + 1 : -1] if self.is_container else self.type

    @property
    def is_container(self) -> bool:
        """Whether it holds a set or a vector."""
        return self.type.endswith("]")

    @property
    def dtype(self) -> str:
        """Its Ibis type in our tables."""
        scalar = _DTYPES[self.element_type]
        return f"array<{scalar}>" if self.is_container else scalar


_CONN_ID = frozenset({"orig_h", "orig_p", "resp_h", "resp_p"})

_ENDPOINTS = (
    Column("ts", "time", "time of the first packet", "s since 1970 UTC", required=True),
    Column("uid", "string", "Zeek's unique id of the connection"),
    Column("orig_h", "addr", "originator's address", required=True),
    Column("orig_p", "port", "originator's port; ICMP type"),
    Column("resp_h", "addr", "responder's address", required=True),
    Column("resp_p", "port", "responder's port; ICMP code or counterpart type"),
)

CONN: tuple[Column, ...] = (
    *_ENDPOINTS,
    Column("proto", "enum", "transport protocol: tcp, udp, icmp or another", required=True),
    Column("service", "string", "application protocols that Zeek confirmed, comma joined"),
    Column("duration", "interval", "last packet minus first", "s"),
    Column("orig_bytes", "count", "payload bytes the originator sent", "B"),
    Column("resp_bytes", "count", "payload bytes the responder sent", "B"),
    Column("conn_state", "string", "how the connection went: SF, S0, REJ, ..."),
    Column("local_orig", "bool", "the originator is in Site::local_nets"),
    Column("local_resp", "bool", "the responder is in Site::local_nets"),
    Column("missed_bytes", "count", "bytes acknowledged but never seen", "B"),
    Column("history", "string", "letters of what was seen, upper case from the originator"),
    Column("orig_pkts", "count", "packets the originator sent"),
    Column("orig_ip_bytes", "count", "IP bytes the originator sent", "B"),
    Column("resp_pkts", "count", "packets the responder sent"),
    Column("resp_ip_bytes", "count", "IP bytes the responder sent", "B"),
    Column("tunnel_parents", "set[string]", "uids of the connections that carried this one"),
    Column("ip_proto", "count", "IP protocol number (Zeek 7.1 and later)"),
)

DNS: tuple[Column, ...] = (
    *_ENDPOINTS,
    Column("proto", "enum", "transport protocol"),
    Column("trans_id", "count", "transaction id"),
    Column("rtt", "interval", "time from query to answer", "s"),
    Column("query", "string", "name asked for, lower case, no trailing dot", free=True),
    Column("qclass", "count", "query class number"),
    Column("qclass_name", "string", "query class name"),
    Column("qtype", "count", "query type number"),
    Column("qtype_name", "string", "query type name"),
    Column("rcode", "count", "response code number"),
    Column("rcode_name", "string", "response code name"),
    Column("AA", "bool", "authoritative answer"),
    Column("TC", "bool", "truncated"),
    Column("RD", "bool", "recursion desired"),
    Column("RA", "bool", "recursion available"),
    Column("Z", "count", "reserved bits"),
    Column("answers", "vector[string]", "resource records of the answer", free=True),
    Column("TTLs", "vector[interval]", "their times to live", "s"),
    Column("rejected", "bool", "the server refused the query"),
    Column("opcode", "count", "operation code number (Zeek 8.1 and later)"),
    Column("opcode_name", "string", "operation code name (Zeek 8.1 and later)"),
)

SSL: tuple[Column, ...] = (
    Column("uid", "string", "uid of the connection", required=True),
    Column("server_name", "string", "server name indication of the ClientHello", free=True),
)

HTTP: tuple[Column, ...] = (
    Column("uid", "string", "uid of the connection", required=True),
    Column("host", "string", "Host header of the request", free=True),
)

LOGS: dict[str, tuple[Column, ...]] = {
    "conn": CONN,
    "dns": DNS,
    "ssl": SSL,
    "http": HTTP,
}
"""The logs we read, by name."""

DETECTION_COLUMNS: dict[str, tuple[str, ...]] = {
    "conn": (
        "ts",
        "uid",
        "orig_h",
        "orig_p",
        "resp_h",
        "resp_p",
        "proto",
        "service",
        "duration",
        "orig_bytes",
        "resp_bytes",
        "conn_state",
        "local_orig",
        "local_resp",
        "history",
        "orig_pkts",
        "resp_pkts",
        "ip_proto",
    ),
    "dns": (
        "ts",
        "uid",
        "orig_h",
        "orig_p",
        "resp_h",
        "resp_p",
        "proto",
        "query",
        "qtype_name",
        "rcode_name",
        "answers",
    ),
    "ssl": ("uid", "server_name"),
    "http": ("uid", "host"),
}
"""The columns the detectors use; loading the others would only cost memory and time."""

SUMMARY_COLUMNS: dict[str, tuple[str, ...]] = {
    **{log: DETECTION_COLUMNS[log] for log in ("ssl", "http")},
    "conn": tuple(name for name in DETECTION_COLUMNS["conn"] if name != "uid"),
    "dns": ("ts", "orig_h", "orig_p", "resp_h", "resp_p", "query", "rcode_name"),
}
"""The columns that summing up for a baseline uses, likewise."""


def columns(log: str, names: tuple[str, ...] | None = None) -> tuple[Column, ...]:
    """The columns of a log, all of them or those named, in the log's own order.

    Raises:
        KeyError: the log, or one of the names, does not exist.
    """
    every = LOGS[log]
    if names is None:
        return every
    unknown = set(names) - {column.name for column in every}
    if unknown:
        raise KeyError(f"{log} has no column {', '.join(sorted(unknown))}")
    return tuple(column for column in every if column.name in names)


@dataclass(frozen=True, slots=True)
class Records:
    """All records of a run, as tables that answer questions (Ibis expressions).

    Attributes:
        conn: connections, the columns of :data:`CONN` that were loaded.
        dns: DNS transactions, likewise of :data:`DNS`.
        server_names: uid and server name (SNI, Host) of connections, one row a uid.
        local: tells local addresses from outside ones.
        first: time of the earliest record, UTC epoch seconds; None without records.
        last: time of the latest.
        counts: rows by log.
        keep: computes an expression once, or takes rows in, and holds them under a name.
        indicators: what threat intelligence lists, each once.
    """

    conn: ir.Table
    dns: ir.Table
    server_names: ir.Table
    local: LocalNetworks
    first: float | None
    last: float | None
    counts: dict[str, int]
    keep: Callable[[ir.Table | pa.Table, str], ir.Table]
    indicators: tuple[Indicator, ...] = ()
