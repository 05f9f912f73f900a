"""What the detectors are tested with: small records, made row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from analyzer.detectors import Detection, Detector, Shared
from analyzer.engine import Engine
from analyzer.networks import parse_networks
from analyzer.records import Records

START = 1_700_006_400.0
"""Wednesday 2023-11-15 00:00:00 UTC, the beginning of a half day too."""

DAY = 86_400.0

Row = dict[str, Any]

_TCP: dict[bool, Row] = {
    True: {"conn_state": "SF", "history": "ShADadFf", "resp_pkts": 6},
    False: {"conn_state": "S0", "history": "S", "resp_pkts": 0},
}
_OTHER: dict[bool, Row] = {
    True: {"conn_state": "SF", "history": "Dd", "resp_pkts": 1},
    False: {"conn_state": "S0", "history": "D", "resp_pkts": 0},
}


def connection(
    second: float,
    source: str,
    destination: str,
    port: int,
    *,
    answered: bool = True,
    proto: str = "tcp",
    **columns: Any,  # noqa: ANN401 - whatever conn holds
) -> Row:
    """Make a conn row, `second` seconds after START; `columns` overrule all others."""
    row: Row = {
        "ts": START + second,
        "uid": f"C{source}-{destination}-{port}-{second:g}",
        "orig_h": source,
        "orig_p": 8 if proto == "icmp" else 50_000,
        "resp_h": destination,
        "resp_p": port,
        "proto": proto,
    }
    return row | (_TCP if proto == "tcp" else _OTHER)[answered] | columns


def lookup(
    second: float,
    source: str,
    query: str | None,
    *,
    answers: Sequence[str] | None = None,
    **columns: Any,  # noqa: ANN401 - whatever dns holds
) -> Row:
    """Make a dns row, `second` seconds after START; `columns` overrule all others."""
    row: Row = {
        "ts": START + second,
        "uid": f"D{source}-{second:g}",
        "orig_h": source,
        "orig_p": 50_000,
        "resp_h": "10.0.0.53",
        "resp_p": 53,
        "proto": "udp",
        "query": query,
        "qtype_name": "A",
        "rcode_name": "NOERROR",
        "answers": None if answers is None else list(answers),
    }
    return row | columns


@contextmanager
def holding(
    conn: Sequence[Row] = (),
    dns: Sequence[Row] = (),
    *,
    local_networks: Sequence[str] = (),
    threads: int | None = None,
    **other_logs: Sequence[Row],
) -> Iterator[Records]:
    """Hold rows in an engine for as long as the context lasts."""
    with Engine(threads=threads) as engine:
        for log, rows in {"conn": conn, "dns": dns, **other_logs}.items():
            engine.insert(log, rows)
        yield engine.records(parse_networks(local_networks))


def detect(
    detector: Detector,
    parameters: object,
    conn: Sequence[Row] = (),
    dns: Sequence[Row] = (),
    *,
    local_networks: Sequence[str] = (),
) -> list[Detection]:
    """Run a detector on rows."""
    with holding(conn, dns, local_networks=local_networks) as records:
        return list(detector.find(records, parameters, Shared()))


def evidence(detection: Detection) -> dict[str, float | str]:
    """What a detection observed, by name."""
    return {item.name: item.observed for item in detection.evidence}
