"""The pipeline: levels, repeats, techniques, order; neither row order nor threads matter."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import analyzer
from analyzer.detectors import ACCUMULATORS, DETECTORS, Detection, Detector, Shared
from analyzer.findings import SUPPRESS_FOR, Finding, Severity
from analyzer.pipeline import run
from analyzer.records import Records
from analyzer.report import Report
from analyzer.rules import Rule
from tests.test_detectors import DAY, START, Row, connection, holding, lookup

RULES = {rule.id: rule for rule in analyzer.load_rules()}
HOST = "10.0.0.5"


def said(rows: Iterable[Detection]) -> Detector:
    """Make a detector that says just this."""
    detections = list(rows)

    def find(_records: Records, _parameters: Any, _shared: Shared) -> Iterator[Detection]:  # noqa: ANN401
        yield from detections

    return Detector("said", Parameters, find)


@dataclass(frozen=True, slots=True)
class Parameters:
    nothing: int = field(default=0, metadata={"meaning": "nothing"})


def detection(score: float = 0.85, **changes: Any) -> Detection:  # noqa: ANN401
    given: dict[str, Any] = {
        "source": HOST,
        "first": START,
        "last": START + 10,
        "message": f"{score}",
        "connections": 3,
    }
    return Detection(score=score, **(given | changes))


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a function with keywords
    """A function that runs a rule on given detections and gives its findings."""

    def judge(
        *detections: Detection, level: Severity = Severity.CRITICAL, rows: Iterable[Row] = ()
    ) -> Report:
        monkeypatch.setitem(DETECTORS, "said", said(detections))
        rule = replace(RULES["address_scan"], detector="said", parameters=Parameters(), level=level)
        with holding(list(rows)) as records:
            return run(records, [rule])

    return judge


@pytest.mark.parametrize("level", [s for s in Severity if s > Severity.NONE])
def test_a_rule_is_no_louder_than_its_level(judged: Any, level: Severity) -> None:  # noqa: ANN401
    report = judged(detection(1.0), level=level)
    (found,) = report.all_findings
    assert found.severity is level
    (quiet,) = judged(detection(0.71), level=level).all_findings
    assert quiet.score == 0.71


@pytest.mark.parametrize(
    ("later", "count"),
    [
        (detection(first=START + 5, last=START + 20), 1),
        (detection(first=START + 10 + SUPPRESS_FOR, last=START + 4000), 1),
        (detection(first=START + 10.5 + SUPPRESS_FOR, last=START + 4000), 2),
        (detection(first=START + 5, last=START + 20, port=22), 2),
        (detection(first=START + 5, last=START + 20, proto="udp"), 2),
        (detection(first=START + 5, last=START + 20, destination="10.0.0.9"), 2),
        (detection(first=START + 5, last=START + 20, subject="example.com"), 2),
        (detection(first=START + 5, last=START + 20, source="10.0.0.9"), 2),
    ],
)
def test_repeats_are_told_from_news(judged: Any, later: Detection, count: int) -> None:  # noqa: ANN401
    assert len(judged(detection(), later).all_findings) == count
    assert len(judged(later, detection()).all_findings) == count


def test_a_repeat_counts_its_connections_once_if_it_overlaps(judged: Any) -> None:  # noqa: ANN401
    overlapping = detection(0.9, first=START + 5, last=START + 20, connections=7)
    (found,) = judged(detection(), overlapping).all_findings
    assert (found.score, found.message) == (0.9, "0.9")
    assert (found.first, found.last, found.connections) == (START, START + 20, 7)
    following = detection(0.75, first=START + 15, last=START + 20, connections=7)
    (found,) = judged(detection(), following).all_findings
    assert (found.score, found.message) == (0.85, "0.85")
    assert (found.first, found.last, found.connections) == (START, START + 20, 10)


def test_a_chain_of_repeats_is_one(judged: Any) -> None:  # noqa: ANN401
    chain = [
        detection(first=START + 3000 * k, last=START + 3000 * k, connections=1) for k in range(20)
    ]
    (found,) = judged(*chain).all_findings
    assert (found.first, found.last, found.connections) == (START, START + 57_000, 20)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 60_000), st.integers(0, 9000), st.sampled_from([22, 80])),
        max_size=10,
    ),
    st.randoms(use_true_random=False),
)
def test_merged_detections_cover_the_same_time_apart(
    spans: list[tuple[int, int, int]], shuffler: Random
) -> None:
    detections = [
        detection(first=START + begin, last=START + begin + length, port=port)
        for begin, length, port in spans
    ]
    detections += [detection(first=START + 1e6, last=START + 1e6)]
    rule = replace(RULES["address_scan"], detector="said", parameters=Parameters())
    outcomes = []
    for _ in range(2):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(DETECTORS, "said", said(detections))
            patch.setattr("analyzer.pipeline.outside_sources", lambda *_: frozenset())
            found = run(EMPTY, [rule], minimum=Severity.CRITICAL).all_findings
        outcomes.append(sorted((f.port or 0, f.first, f.last) for f in found))
        shuffler.shuffle(detections)
    assert outcomes[0] == outcomes[1]
    for port in (22, 80):
        own = [(first, last) for at, first, last in outcomes[0] if at == port]
        for (_, end), (begin, _) in itertools.pairwise(own):
            assert begin > end + SUPPRESS_FOR
        for span in (d for d in detections if d.port == port):
            assert any(first <= span.first and span.last <= last for first, last in own)


def _empty() -> Records:
    with holding() as records:
        return records


EMPTY = replace(_empty(), counts={})


def test_the_fitting_technique_comes_first(judged: Any) -> None:  # noqa: ANN401
    assert [t.id for t in RULES["address_scan"].techniques] == ["T1046", "T1018"]
    for technique, order in (
        (None, ["T1046", "T1018"]),
        ("T1018", ["T1018", "T1046"]),
        ("T1046", ["T1046", "T1018"]),
        ("T1595", ["T1046", "T1018"]),
    ):
        (found,) = judged(detection(technique=technique)).all_findings
        assert [each.id for each in found.techniques] == order


def test_a_technique_may_stand_alone(judged: Any) -> None:  # noqa: ANN401
    for technique, order in (
        ("T1018", ["T1018"]),
        ("T1595", ["T1046", "T1018"]),
        (None, ["T1046", "T1018"]),
    ):
        (found,) = judged(detection(technique=technique, alone=True)).all_findings
        assert [each.id for each in found.techniques] == order


def test_findings_show_connections_and_server_names() -> None:
    rows = [
        connection(k, HOST, f"10.1.0.{k + 1}", 443, answered=False) | {"uid": f"C{k:02}"}
        for k in range(12)
    ]
    names = [{"uid": f"C{k:02}", "server_name": name} for k, name in enumerate("ba")]
    with holding(rows, ssl=names) as records:
        report = run(records, [RULES["address_scan"]])
    (found,) = report.findings
    assert found.uids == ("C00", "C01", "C02", "C03", "C04")
    assert found.best is not None
    assert (found.best.uid, found.best.resp_h) == ("C00", "10.1.0.1")
    assert (found.evidence[-1].name, found.evidence[-1].observed) == ("server name", "a, b")
    assert (found.rule, found.note) == ("address_scan", "ZeekAnalyzer::Address_Scan")
    assert found.port == 443


def test_quiet_findings_are_kept_without_connections() -> None:
    rows = [connection(k, HOST, f"10.1.0.{k + 1}", 22, answered=False) for k in range(8)]
    with holding(rows) as records:
        report = run(records, [RULES["address_scan"]], minimum=Severity.MEDIUM)
    assert report.findings == ()
    assert report.hosts == ()
    (quiet,) = report.all_findings
    assert (quiet.severity, quiet.uids, quiet.best) == (Severity.LOW, (), None)


def test_the_report_says_what_was_done() -> None:
    begun: list[str] = []
    rows = [connection(k, HOST, f"10.1.0.{k + 1}", 22, answered=False) for k in range(20)]
    with holding(rows) as records:
        report = run(records, list(RULES.values()), on_stage=begun.append)
    assert report.rules == tuple(sorted(RULES))
    assert report.records == {"conn": 20, "dns": 0}
    assert (report.first, report.last) == (START, START + 19)
    after = ["exemplars", "context", "hosts"]
    detectors = [rule.detector for rule in RULES.values() if rule.detector in DETECTORS]
    assert set(report.stages) == {*detectors, *after}
    assert begun == [*detectors, *after]
    assert all(seconds >= 0 for seconds in report.stages.values())
    assert [rank.host for rank in report.hosts] == [HOST]


def test_no_records_make_an_empty_report() -> None:
    with holding() as records:
        report = run(records, list(RULES.values()))
    assert report.all_findings == ()
    assert (report.first, report.last) == (None, None)


def test_two_windows_do_not_tell_of_a_scan_twice() -> None:
    scan = [
        connection(DAY + 50 + k, HOST, f"10.1.0.{k + 1}", 22, answered=False) for k in range(20)
    ]
    around = [connection(k * DAY / 2, "10.0.0.9", "10.1.0.1", 22) for k in range(7)]
    with holding(scan + around) as records:
        (found,) = run(records, [RULES["address_scan"]]).all_findings
    assert found.message == "10.0.0.5 tried 20 hosts on 22/tcp within 19 s, 20 without an answer"
    assert (found.first, found.last, found.connections) == (START + DAY + 50, START + DAY + 69, 20)


def test_a_scan_by_every_rule_is_told_once() -> None:
    """Rows and columns of a block scan by an outside host are one finding of one rule."""
    rows = [
        connection(k, "203.0.113.9", f"10.1.0.{1 + k // 10}", 1 + k % 10, answered=False)
        for k in range(200)
    ]
    with holding(rows) as records:
        found = run(records, list(RULES.values())).findings
    assert [finding.rule for finding in found] == ["inbound_scan"]


def mixture() -> tuple[list[Row], list[Row]]:
    """A little of everything that is found, with times and addresses that tie."""
    conn: list[Row] = []
    for host in range(9):
        conn += [
            connection(
                600 * k,
                f"10.0.0.{host}",
                f"10.2.0.{k % 30}",
                443,
                answered=k % 19 > 0,
                orig_bytes=1000 * k,
                resp_bytes=host,
            )
            for k in range(144)
        ]
    conn += [
        connection(30_000 + k // 4, "10.0.0.1", f"10.1.0.{k % 25}", 22, answered=k % 25 % 9 == 0)
        for k in range(100)
    ]
    conn += [connection(40_000, "10.0.0.2", "10.1.0.1", k, answered=False) for k in range(60)]
    conn += [
        connection(50_000, "10.0.0.3", f"10.1.0.{k // 9}", k % 9, answered=False) for k in range(90)
    ]
    conn += [connection(60_000 + k // 9, "10.0.0.4", "10.1.0.1", 443) for k in range(900)]
    conn += [connection(70_000 + k, "10.0.0.5", f"10.3.0.{k}", 3389) for k in range(40)]
    conn += [
        connection(70_000 + k, "10.0.0.6", f"198.51.100.{k}", 80, answered=k % 3 > 0)
        for k in range(40)
    ]
    dns = [
        lookup(20_000 + k // 3, "10.0.0.7", f"{k * 7919 % 65_537:032x}{k}.example.com")
        for k in range(400)
    ]
    dns += [
        lookup(100 * k, f"10.0.0.{k % 9}", f"w{k}.example.org", answers=[f"198.51.100.{k % 9}"])
        for k in range(300)
    ]
    return conn, dns


def plain(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [finding.as_dict() | {"best": finding.best} for finding in findings]


@pytest.fixture(scope="module")
def undisturbed() -> list[dict[str, Any]]:
    conn, dns = mixture()
    with holding(conn, dns, threads=1) as records:
        return plain(run(records, list(RULES.values())).all_findings)


def test_the_mixture_holds_a_little_of_everything(undisturbed: list[dict[str, Any]]) -> None:
    assert {finding["rule"] for finding in undisturbed} >= {
        "address_scan",
        "port_scan",
        "block_scan",
        "fan_out",
        "connection_burst",
        "dns_tunnel",
    }


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), threads=st.sampled_from([1, 2]))
def test_neither_row_order_nor_threads_change_what_is_found(
    undisturbed: list[dict[str, Any]], threads: int, seed: int
) -> None:
    shuffler = Random(seed)  # noqa: S311 - test data
    conn, dns = mixture()
    shuffler.shuffle(conn)
    shuffler.shuffle(dns)
    with holding(conn, dns, threads=threads) as records:
        found = plain(run(records, list(RULES.values())).all_findings)
    assert found == undisturbed


def test_the_order_of_the_rules_changes_nothing(undisturbed: list[dict[str, Any]]) -> None:
    conn, dns = mixture()
    with holding(conn, dns) as records:
        found = plain(run(records, list(RULES.values())[::-1]).all_findings)
    assert found == undisturbed


def test_each_rule_finds_alone_what_it_finds_among_others(
    undisturbed: list[dict[str, Any]],
) -> None:
    conn, dns = mixture()
    with holding(conn, dns) as records:
        alone = [
            finding
            for rule in RULES.values()
            for finding in plain(run(records, [rule]).all_findings)
        ]
    judged = [f for f in undisturbed if RULES[f["rule"]].detector not in ACCUMULATORS]
    assert sorted(alone, key=str) == sorted(judged, key=str)


def test_rules_are_told_apart() -> None:
    """Two rules of one detector with other parameters do not share what depends on them."""
    rows = [connection(k, HOST, f"10.1.0.{k + 1}", 22, answered=False) for k in range(5)]
    strict: Rule = RULES["address_scan"]
    loose = replace(
        strict,
        id="loose",
        parameters=replace(strict.parameters, false_alarm=0.01),  # type: ignore[type-var]
    )
    with holding(rows) as records:
        found = run(records, [strict, loose], minimum=Severity.NONE).all_findings
    assert [finding.rule for finding in found] == ["loose"]
