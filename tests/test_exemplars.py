"""Exemplars: the connections shown under a finding, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analyzer.detectors import Detection
from analyzer.exemplars import SHOWN, exemplars
from analyzer.findings import ConnectionId
from tests.test_detectors import START, Row, connection, holding, lookup

HOST = "10.0.0.5"


def detection(**changes: Any) -> Detection:  # noqa: ANN401 - the attributes of a detection
    given: dict[str, Any] = {
        "source": HOST,
        "first": START,
        "last": START + 1000,
        "score": 0.9,
        "message": "",
        "connections": 1,
    }
    return Detection(**(given | changes))


def shown(
    detections: Sequence[Detection],
    conn: Sequence[Row] = (),
    dns: Sequence[Row] = (),
    **logs: Any,  # noqa: ANN401
) -> list[list[tuple[str | None, str | None]]]:
    """The uids and server names of what is shown for each detection."""
    with holding(conn, dns, **logs) as records:
        return [
            [(connection_id.uid, name) for connection_id, name in connections]
            for connections in exemplars(records, detections)
        ]


def visit(second: float, uid: str | None, port: int = 22, **columns: Any) -> Row:  # noqa: ANN401
    target = columns.pop("resp_h", "10.0.1.1")
    return connection(second, HOST, target, port, **columns) | {"uid": uid}


def test_the_first_ones_come_first() -> None:
    rows = [visit(k, f"C{k}") for k in (7, 3, 5)]
    assert shown([detection()], rows) == [[("C3", None), ("C5", None), ("C7", None)]]


def test_failed_ones_come_first() -> None:
    rows = [
        visit(1, "answered"),
        visit(2, "refused", conn_state="REJ", history="Sr"),
        visit(3, "silent", answered=False),
    ]
    assert shown([detection(best="failed")], rows) == [
        [("refused", None), ("silent", None), ("answered", None)]
    ]


def test_the_largest_ones_come_first() -> None:
    rows = [
        visit(1, "small", orig_bytes=10, resp_bytes=10),
        visit(2, "unknown"),
        visit(3, "large", orig_bytes=None, resp_bytes=900),
        visit(4, "both", orig_bytes=500, resp_bytes=300),
    ]
    assert [uid for uid, _ in shown([detection(best="bytes")], rows)[0]] == [
        "large",
        "both",
        "small",
        "unknown",
    ]


def test_the_longest_names_come_first() -> None:
    rows = [
        lookup(1, HOST, "a.example.com") | {"uid": "short"},
        lookup(2, HOST, "aaaaaaaaaa.EXAMPLE.com.") | {"uid": "long"},
        lookup(3, HOST, "aaaaaaaaaaaaaaaaaaaa.example.org") | {"uid": "elsewhere"},
        lookup(4, HOST, "notexample.com") | {"uid": "beside"},
        lookup(5, "10.0.0.6", "aaaaaaaaaaaaaaaaaaaa.example.com") | {"uid": "another"},
    ]
    tunnel = detection(best="query", subject="example.com", proto="udp", port=53)
    assert shown([tunnel], dns=rows) == [[("long", None), ("short", None)]]


def test_only_what_the_detection_is_about() -> None:
    rows = [
        visit(-1, "before"),
        visit(0, "first"),
        visit(1000, "last"),
        visit(1001, "after"),
        visit(5, "port", port=23),
        visit(5, "target", resp_h="10.0.1.2"),
        visit(5, "udp", proto="udp"),
        connection(5, "10.0.0.6", "10.0.1.1", 22) | {"uid": "source"},
    ]
    found = shown([detection(destination="10.0.1.1", port=22, proto="tcp")], rows)
    assert found == [[("first", None), ("last", None)]]


def test_no_more_than_a_few_are_shown() -> None:
    rows = [visit(k, f"C{k:02}") for k in range(20)]
    assert shown([detection()], rows) == [[(f"C{k:02}", None) for k in range(SHOWN)]]


def test_each_detection_has_its_own() -> None:
    rows = [visit(k, f"C{k}", port=20 + k % 3) for k in range(9)]
    detections = [
        detection(port=21),
        detection(port=22, best="failed"),
        detection(),
        detection(port=20),
        detection(port=99),
        detection(source="10.0.0.7"),
    ]
    found = shown(detections, rows)
    assert [[uid for uid, _ in connections] for connections in found] == [
        ["C1", "C4", "C7"],
        ["C2", "C5", "C8"],
        ["C0", "C1", "C2", "C3", "C4"],
        ["C0", "C3", "C6"],
        [],
        [],
    ]


def test_server_names_stand_beside() -> None:
    rows = [visit(k, f"C{k}", port=443) for k in range(3)]
    found = shown(
        [detection()],
        rows,
        ssl=[{"uid": "C0", "server_name": "a.example.com"}],
        http=[{"uid": "C2", "host": "b.example.com"}, {"uid": "C9", "host": "c.example.com"}],
    )
    assert found == [[("C0", "a.example.com"), ("C1", None), ("C2", "b.example.com")]]


def test_rows_without_uid_are_told_apart() -> None:
    rows = [visit(k, None) | {"orig_p": 40_000 + k} for k in range(3)]
    with holding(rows, ssl=[{"uid": "C1", "server_name": "a.example.com"}]) as records:
        (connections,) = exemplars(records, [detection()])
    assert connections == [
        (ConnectionId(None, HOST, 40_000 + k, "10.0.1.1", 22, "tcp"), None) for k in range(3)
    ]


def test_missing_ports_are_zero() -> None:
    with holding([visit(0, "C") | {"orig_p": None, "resp_p": None}]) as records:
        (((found, _),),) = exemplars(records, [detection()])
    assert found == ConnectionId("C", HOST, 0, "10.0.1.1", 0, "tcp")


def test_nothing_is_shown_for_nothing() -> None:
    assert shown([]) == []
    assert shown([detection()]) == [[]]
