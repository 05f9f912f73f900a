"""Connections as tables."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from analyzer.networks import LocalNetworks, parse_networks
from analyzer.parsers.pcap.tables import Tables
from analyzer.records import CONN, SSL

from .scenes import START, lookup, ping, web
from .test_slot_fields import followed

SCENE = [
    *web(START, b"a", b"b"),
    *ping(START + 1),
    *lookup(START + 2, "a.example", "192.0.2.1")[:1],
]


def test_columns_are_those_of_conn_log() -> None:
    connections = followed(SCENE)
    slots = np.flatnonzero(connections.field("first_time"))
    tables = Tables(connections, LocalNetworks(parse_networks(["192.88.99.0/24"])))
    services = pa.array(["http", None, None])
    table = tables.conn(slots, services)
    assert table.column_names == [column.name for column in CONN]
    rows = {row["resp_p"]: row for row in table.to_pylist()}
    assert {port: row["service"] for port, row in rows.items()} == {80: "http", 0: None, 53: None}
    # Nothing is said of how much was sent where it cannot be said for how long.
    assert [rows[port]["duration"] is None for port in (80, 0, 53)] == [False, False, True]
    assert [rows[port]["orig_bytes"] for port in (80, 0, 53)] == [1, 8, None]
    assert [rows[port]["history"] for port in (0, 53)] == [None, "D"]
    assert [(row["local_orig"], row["local_resp"]) for row in rows.values()] == [
        (False, True),
        (False, True),
        (False, False),
    ]
    assert [row["ip_proto"] for row in rows.values()] == [6, 1, 17]
    assert all(row["tunnel_parents"] is None for row in rows.values())


def test_server_names_where_there_are_any() -> None:
    connections = followed(SCENE)
    slots = np.flatnonzero(connections.field("first_time"))
    tables = Tables(connections, LocalNetworks())
    table = tables.server_names(slots, pa.array([None, "www.example.org", None]))
    assert table.column_names == [column.name for column in SSL]
    uid = connections.uids(slots)[1].decode()
    assert table.to_pylist() == [{"uid": uid, "server_name": "www.example.org"}]


def test_nothing_makes_empty_tables() -> None:
    tables = Tables(followed([]), LocalNetworks())
    table = tables.conn(np.empty(0, np.int64), pa.array([], pa.string()))
    assert (len(table), table.column_names) == (0, [column.name for column in CONN])
