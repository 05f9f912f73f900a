"""Which connections labels speak of, and which findings cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pytest

from analyzer.findings import Finding
from analyzer.label_rows import ALWAYS
from analyzer.labels import Labels
from analyzer.matching import cover_connections, label_connections
from analyzer.mitre import technique
from analyzer.parsers.account import Account
from tests.test_detectors import START, Row, connection, holding, lookup
from tests.test_findings import SCAN

HOST = "10.0.0.5"


def labels(
    by_uid: Sequence[tuple[str, bool | None, str]] = (),
    by_host: Sequence[tuple[str, float, float, bool | None, str]] = (),
) -> Labels:
    uids = pa.table(
        {
            "uid": pa.array([row[0] for row in by_uid], pa.string()),
            "attack": pa.array([row[1] for row in by_uid], pa.bool_()),
            "label": pa.array([row[2] for row in by_uid], pa.string()),
        }
    )
    hosts = pa.table(
        {
            "address": pa.array([row[0] for row in by_host], pa.string()),
            "begin": pa.array([row[1] for row in by_host], pa.float64()),
            "end": pa.array([row[2] for row in by_host], pa.float64()),
            "attack": pa.array([row[3] for row in by_host], pa.bool_()),
            "label": pa.array([row[4] for row in by_host], pa.string()),
        }
    )
    return Labels(uids, hosts, Account())


def plain(table: ir.Table) -> list[dict[str, Any]]:
    return list(table.to_pyarrow().to_pylist())


def labelled(rows: Sequence[Row], given: Labels) -> dict[str | None, tuple[bool | None, Any]]:
    with holding(rows) as records:
        table = plain(label_connections(records, given))
    assert len(table) == len(rows)
    assert len({row["id"] for row in table}) == len(rows)
    return {row["uid"]: (row["attack"], row["label"]) for row in table}


def test_a_uid_outranks_an_address_and_an_attack_all_others() -> None:
    rows = [connection(k, HOST, "10.0.1.1", 80, uid=f"C{k}") for k in range(4)]
    rows.append(connection(4, HOST, "10.0.1.1", 80, uid=None))
    rows.append(connection(9, "10.0.0.6", HOST, 80, uid="C9"))
    given = labels(
        [
            ("C0", False, "ok"),
            ("C1", False, "ok"),
            ("C1", True, "Bot"),
            ("C1", None, "-"),
            ("C2", None, "Background"),
            ("gone", True, "Bot"),
        ],
        [(HOST, START + 1, START + 4, True, "CC"), (HOST, *ALWAYS, False, "user")],
    )
    assert labelled(rows, given) == {
        "C0": (False, "ok"),
        "C1": (True, "Bot"),
        "C2": (None, "Background"),
        "C3": (True, "CC"),
        None: (True, "CC"),
        "C9": (None, None),
    }


def test_times_of_a_label_are_inclusive() -> None:
    rows = [connection(k, HOST, "10.0.1.1", 80, uid=f"C{k}") for k in range(4)]
    given = labels(by_host=[(HOST, START + 1, START + 2, True, "CC")])
    said = labelled(rows, given)
    assert [said[f"C{k}"] for k in range(4)] == [
        (None, None),
        (True, "CC"),
        (True, "CC"),
        (None,) * 2,
    ]


def test_the_same_uid_twice_is_two_connections() -> None:
    rows = [connection(k, HOST, "10.0.1.1", 80, uid="C") for k in range(2)]
    assert labelled(rows, labels([("C", True, "Bot")])) == {"C": (True, "Bot")}


def finding(**changes: Any) -> Finding:  # noqa: ANN401
    given: dict[str, Any] = {
        "source": HOST,
        "port": None,
        "proto": None,
        "first": START + 1,
        "last": START + 8,
    }
    return replace(SCAN, **(given | changes))


def covered(
    conn: Sequence[Row],
    findings: Sequence[Finding],
    dns: Sequence[Row] = (),
    ssl: Sequence[Row] = (),
) -> list[list[str]]:
    with holding(conn, dns, ssl=ssl) as records:
        connections = label_connections(records, labels())
        pairs = cover_connections(records, connections, findings)
        assert len(plain(pairs.distinct())) == len(plain(pairs))
        rows = plain(pairs.join(connections, "id").select("finding", "uid").order_by("uid"))
    return [[row["uid"] for row in rows if row["finding"] == i] for i in range(len(findings))]


ROWS = [
    connection(0, HOST, "10.0.1.1", 80, uid="early"),
    connection(1, HOST, "10.0.1.1", 80, uid="first"),
    connection(2, HOST, "10.0.1.2", 80, uid="other host"),
    connection(3, HOST, "10.0.1.1", 22, uid="other port"),
    connection(4, HOST, "10.0.1.1", 80, proto="udp", uid="other proto"),
    connection(5, "10.0.0.6", "10.0.1.1", 80, uid="other source"),
    connection(8, HOST, "10.0.1.1", 80, uid="last"),
    connection(9, HOST, "10.0.1.1", 80, uid="late"),
]


@pytest.mark.parametrize(
    ("changes", "uids"),
    [
        ({}, {"first", "other host", "other port", "other proto", "last"}),
        ({"destination": "10.0.1.1"}, {"first", "other port", "other proto", "last"}),
        ({"port": 80}, {"first", "other host", "other proto", "last"}),
        ({"port": 80, "proto": "tcp"}, {"first", "other host", "last"}),
        ({"destination": "10.0.1.1", "port": 80, "proto": "tcp"}, {"first", "last"}),
        ({"source": "10.0.0.6"}, {"other source"}),
        ({"source": "10.0.0.7"}, set()),
    ],
)
def test_a_finding_covers_what_its_entities_say(changes: dict[str, Any], uids: set[str]) -> None:
    (found,) = covered(ROWS, [finding(**changes)])
    assert set(found) == uids


def test_findings_of_all_kinds_at_once() -> None:
    kinds = [finding(), finding(port=80), finding(port=22), finding(destination="10.0.1.2")]
    assert [len(uids) for uids in covered(ROWS, kinds)] == [5, 4, 1, 1]
    assert covered(ROWS, []) == []


DNS_ROWS = [connection(k, HOST, "10.0.0.53", 53, proto="udp", uid=f"D{k}") for k in range(2, 7)]
QUERIES = [
    lookup(2, HOST, "a.example.com", uid="D2"),
    lookup(3, HOST, "Example.com.", uid="D3"),
    lookup(4, HOST, "badexample.com", uid="D4"),
    lookup(5, HOST, "b.example.com", uid="D5"),
    lookup(5, HOST, "c.example.com", uid="D5"),
    lookup(9, HOST, "late.example.com", uid="D6"),
]


def test_a_domain_covers_what_asked_for_it() -> None:
    tunnel = finding(subject="example.com", techniques=(technique("T1071.004"),))
    assert covered([*ROWS, *DNS_ROWS], [tunnel], QUERIES) == [["D2", "D3", "D5"]]
    # Without dns.log, its DNS connections.
    assert covered([*ROWS, *DNS_ROWS], [tunnel]) == [["D2", "D3", "D4", "D5", "D6"]]
    # A destination says enough.
    named = replace(tunnel, destination="10.0.0.53")
    assert covered([*ROWS, *DNS_ROWS], [named], QUERIES) == [["D2", "D3", "D4", "D5", "D6"]]


def test_a_domain_covers_what_met_its_servers() -> None:
    names = [
        {"uid": "first", "server_name": "c2.example.com"},
        {"uid": "last", "server_name": "example.org"},
        {"uid": "late", "server_name": "example.com"},
    ]
    beacon = finding(subject="example.com", techniques=(technique("T1071.001"),))
    assert covered(ROWS, [beacon], ssl=names) == [["first"]]


def test_what_is_about_names_covers_dns() -> None:
    dga = finding(techniques=(technique("T1568.002"),))
    assert covered([*ROWS, *DNS_ROWS], [dga]) == [["D2", "D3", "D4", "D5", "D6"]]
