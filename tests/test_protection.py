"""What findings are about, left out of records."""

from __future__ import annotations

from typing import Any

from analyzer.engine import Engine
from analyzer.findings import Finding
from analyzer.mitre import technique
from analyzer.protection import without_findings
from analyzer.records import Records

CONN: list[dict[str, Any]] = [
    {
        "ts": float(number),
        "uid": f"C{number}",
        "orig_h": orig,
        "orig_p": 40_000,
        "resp_h": resp,
        "resp_p": port,
        "proto": "tcp" if port != 53 else "udp",
        "resp_pkts": 1,
    }
    for number, (orig, resp, port) in enumerate(
        [
            ("10.0.0.1", "192.0.2.1", 443),
            ("10.0.0.1", "192.0.2.2", 443),
            ("10.0.0.2", "192.0.2.1", 443),
            ("10.0.0.1", "192.0.2.1", 443),
            ("10.0.0.1", "10.0.0.53", 53),
            ("10.0.0.1", "10.0.0.53", 53),
        ]
    )
]
DNS: list[dict[str, Any]] = [
    {**CONN[4], "query": "a.evil.example"},
    {**CONN[5], "query": "good.example"},
    {**CONN[5], "uid": None, "query": "Evil.example."},
    {**CONN[5], "uid": "C9", "orig_h": "10.0.0.2", "query": "a.evil.example"},
    {**CONN[5], "uid": "C10", "query": None},
]


def finding(**values: Any) -> Finding:  # noqa: ANN401 - as the dataclass has them
    given = {
        "rule": "x",
        "note": "ZeekAnalyzer::X",
        "source": "10.0.0.1",
        "first": 0.0,
        "last": 9.0,
        "score": 0.9,
        "techniques": (),
        "message": "",
    }
    return Finding(**{**given, **values})


def left(*findings: Finding) -> tuple[list[int], list[str | None], Records]:
    """Times of the connections and names of the questions that are left."""
    with Engine() as engine:
        engine.insert("conn", CONN)
        engine.insert("dns", DNS)
        records = without_findings(engine.records(), findings)
        times = sorted(int(ts) for ts in records.conn.ts.to_pyarrow().to_pylist())
        names = records.dns["query"].to_pyarrow().to_pylist()
    assert records.counts == {"conn": len(times), "dns": len(names)}
    return times, sorted(names, key=str), records


def test_no_finding_leaves_all() -> None:
    times, names, _ = left()
    assert (len(times), len(names)) == (6, 5)


def test_a_destination() -> None:
    about = finding(destination="192.0.2.1", port=443, proto="tcp")
    times, names, records = left(about)
    assert times == [1, 2, 4, 5]
    assert len(names) == 5
    assert (records.first, records.last) == (1.0, 5.0)


def test_times_count() -> None:
    about = finding(destination="192.0.2.1", first=1.0, last=3.0)
    assert left(about)[0] == [0, 1, 2, 4, 5]


def test_a_domain_and_the_names_below_it() -> None:
    times, names, _ = left(finding(subject="evil.example"))
    assert times == [0, 1, 2, 3, 5]
    # Another host's question stays.
    assert names == [None, "a.evil.example", "good.example"]


def test_names_in_general() -> None:
    times, names, _ = left(finding(techniques=(technique("T1568.002"),)))
    assert times == [0, 1, 2, 3]
    assert names == ["a.evil.example"]


def test_all_that_a_host_did() -> None:
    times, names, records = left(finding())
    assert times == [2]
    # Questions go with their connections; one without is not told of.
    assert names == ["Evil.example.", None, "a.evil.example"]
    assert records.first == 2.0
