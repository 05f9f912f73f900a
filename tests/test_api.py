"""The package as a library: what analyze returns, and that the same input gives the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from zat.log_to_dataframe import LogToDataFrame

import analyzer
from analyzer import Finding, Report, Severity
from analyzer.detectors import ACCUMULATORS
from analyzer.errors import EmptyInputError, InputError, OptionError, RuleError
from analyzer.rules import shipped_rules
from analyzer.writers import write_findings, write_notices
from tests.traffic import Attack, Traffic, office

COLUMNS = {
    "id": "string",
    "rule": "string",
    "note": "string",
    "severity": "string",
    "score": "float64",
    "source": "string",
    "destination": "string",
    "port": "Int64",
    "proto": "string",
    "subject": "string",
    "first": "datetime64[ns, UTC]",
    "last": "datetime64[ns, UTC]",
    "techniques": "object",
    "technique_names": "object",
    "tactics": "object",
    "message": "string",
    "evidence": "object",
    "connections": "int64",
    "uids": "object",
    "server_names": "object",
    "looked_up_as": "object",
}


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    """A morning in a small office, with attacks."""
    attacks = [
        Attack("address_scan", source="10.20.1.20"),
        Attack("port_scan", source="10.20.1.22"),
        Attack("connection_burst", source="10.20.1.27"),
        Attack("dns_tunnel", source="10.20.1.28"),
    ]
    return office(6, hosts=40, days=0.25, attacks=attacks)


@pytest.fixture(scope="module")
def logs(traffic: Traffic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("logs")
    traffic.write(directory)
    return directory


@pytest.fixture(scope="module")
def report(logs: Path) -> Report:
    return analyzer.analyze(logs)


# What comes out


def test_findings_are_objects(report: Report) -> None:
    assert all(isinstance(finding, Finding) for finding in report.all_findings)
    scan = next(finding for finding in report.findings if finding.rule == "address_scan")
    assert scan.source == "10.20.1.20"
    assert scan.severity is Severity.CRITICAL
    assert [technique.id for technique in scan.techniques] == ["T1046", "T1018"]
    assert len(scan.uids) == 5
    assert scan.best is not None
    assert scan.best.uid == scan.uids[0]
    assert {finding.source for finding in report.findings} >= {
        "10.20.1.20",
        "10.20.1.22",
        "10.20.1.27",
        "10.20.1.28",
    }


def test_findings_are_sorted_and_loud_enough(report: Report) -> None:
    keys = [finding.sort_key for finding in report.all_findings]
    assert keys == sorted(keys)
    assert report.minimum is Severity.LOW
    loud = tuple(f for f in report.all_findings if f.severity >= Severity.LOW)
    assert report.findings == loud
    assert sum(report.by_severity.values()) == len(loud)
    assert [host.findings for host in report.hosts if host.host == "10.20.1.20"] == [
        sum(finding.source == "10.20.1.20" for finding in loud)
    ]


def test_the_books_are_balanced(report: Report, traffic: Traffic) -> None:
    account = report.account
    assert account is not None
    rows = {"conn": len(traffic.conn), "dns": len(traffic.dns), "ssl": len(traffic.ssl)}
    assert account.read == rows
    assert account.lines == sum(rows.values())
    assert account.skipped.total() == 0
    assert [Path(file.name).name for file in account.files] == ["conn.log", "dns.log", "ssl.log"]
    assert report.records == {"conn": rows["conn"], "dns": rows["dns"]}
    assert report.rules == tuple(sorted(file.stem for file in shipped_rules().glob("*.yaml")))
    detectors = dict.fromkeys(rule.detector for rule in analyzer.load_rules())
    judging = [name for name in detectors if name in ACCUMULATORS]
    assert judging == ["compromised_host"]
    assert list(report.stages) == [
        "reading",
        *(name for name in detectors if name not in judging),
        "exemplars",
        "context",
        "hosts",
    ]


def test_skipped_lines_are_in_the_books(logs: Path, tmp_path: Path, traffic: Traffic) -> None:
    broken = tmp_path / "conn.log"
    lines = (logs / "conn.log").read_bytes().splitlines(keepends=True)
    lines[100] = b"nothing\n"
    values = lines[200].split(b"\t")
    lines[200] = b"\t".join([*values[:3], b"70000", *values[4:]])
    broken.write_bytes(b"".join(lines))
    account = analyzer.analyze(broken, select_rules=["address_scan"]).account
    assert account is not None
    assert account.lines == len(traffic.conn)
    assert account.read == {"conn": len(traffic.conn) - 2}
    assert account.skipped.total() == 2
    places = [problem.location for problem in account.problems()]
    assert [(place.file, place.line) for place in places] == [
        (str(broken), 101),
        (str(broken), 201),
    ]


@pytest.fixture(scope="module")
def usual(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("usual") / "baseline"
    analyzer.learn(logs, path, protected=False)
    return path


def with_holes(log: Path, share: float, later: float, rng: random.Random) -> str:
    """A log of another day, in which so many values are unset, and one column as a whole."""
    lines = log.read_text().splitlines()
    width = next(line.count("\t") for line in lines if line.startswith("#fields"))
    column = rng.randrange(1, width)
    for place, line in enumerate(lines):
        if line.startswith("#"):
            continue
        ts, *values = line.split("\t")
        values = ["-" if rng.random() < share else value for value in values]
        values[column - 1] = "-"
        lines[place] = "\t".join([f"{float(ts) + later:.6f}", *values])
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3])
def test_what_is_not_known_of_a_connection_breaks_nothing(
    share: float, logs: Path, usual: Path, tmp_path: Path
) -> None:
    rng = random.Random(int(share * 100))  # noqa: S311 - holes
    for log in sorted(logs.glob("*.log")):
        (tmp_path / log.name).write_text(with_holes(log, share, 5 * 86400.0, rng))
    found = analyzer.analyze(tmp_path, baseline=usual)
    assert found.baseline is not None
    assert found.baseline.compared == found.baseline.days
    account = found.account
    assert account is not None
    rows = sum(account.read.values()) + sum(account.skipped.values())
    lines = [line for log in tmp_path.glob("*.log") for line in log.read_text().splitlines()]
    assert rows == sum(not line.startswith("#") for line in lines)


def test_dataframe(report: Report) -> None:
    frame = report.dataframe()
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == COLUMNS
    assert len(frame) == len(report.findings)
    first, finding = frame.iloc[0], report.findings[0]
    assert first["id"] == finding.identifier
    assert first["severity"] == str(finding.severity)
    assert first["first"] == pd.Timestamp(finding.first, unit="s", tz="UTC")
    assert first["techniques"] == [technique.id for technique in finding.techniques]
    assert first["evidence"][0]["name"] == finding.evidence[0].name
    assert first["connections"] == finding.connections


def test_a_dataframe_without_findings_has_the_same_columns() -> None:
    frame = Report(all_findings=()).dataframe()
    assert len(frame) == 0
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == COLUMNS


# What may be asked for


def test_minimum(logs: Path, report: Report) -> None:
    loud = analyzer.analyze(logs, minimum=Severity.CRITICAL)
    assert {finding.severity for finding in loud.findings} == {Severity.CRITICAL}
    assert len(loud.all_findings) == len(report.all_findings)
    assert [f.identifier for f in loud.findings] == [
        f.identifier for f in report.findings if f.severity >= Severity.CRITICAL
    ]


def test_begin_and_end(logs: Path, traffic: Traffic) -> None:
    begin, end = traffic.window.start + 3600, traffic.window.start + 7200
    report = analyzer.analyze(logs, begin=begin, end=end, select_rules=["address_scan"])
    assert report.records == {
        name: int(table["ts"].between(begin, end, inclusive="left").sum())
        for name, table in (("conn", traffic.conn), ("dns", traffic.dns))
    }
    assert report.first is not None
    assert report.last is not None
    assert begin <= report.first < report.last < end
    # The books are about what was read.
    assert report.account is not None
    assert report.account.read["conn"] == len(traffic.conn)


def test_select_and_ignore_rules(logs: Path) -> None:
    chosen = analyzer.analyze(logs, select_rules=["*_scan"], ignore_rules=["port_*", "in*"])
    assert chosen.rules == ("address_scan", "block_scan")
    assert {finding.rule for finding in chosen.all_findings} <= set(chosen.rules)
    with pytest.raises(OptionError, match=r"did you mean 'port_scan'\?"):
        analyzer.analyze(logs, ignore_rules=["portscan"])


def test_rules_directory(logs: Path, tmp_path: Path, report: Report) -> None:
    text = (shipped_rules() / "port_scan.yaml").read_text("utf-8")
    own = text.replace("id: port_scan", "id: own").replace("::Port_Scan", "::Own")
    (tmp_path / "own.yaml").write_text(own, "utf-8")
    mine = analyzer.analyze(logs, rules_directory=tmp_path)
    assert mine.rules == ("own",)
    assert [f.note for f in mine.findings] == ["ZeekAnalyzer::Own"] * len(mine.findings)
    assert [f.message for f in mine.findings] == [
        f.message for f in report.findings if f.rule == "port_scan"
    ]
    (tmp_path / "own.yaml").write_text(own.replace("title:", "titel:"), "utf-8")
    with pytest.raises(RuleError, match=r"own\.yaml:1: .*did you mean 'title'\?"):
        analyzer.analyze(logs, rules_directory=tmp_path)


def test_local_networks(logs: Path) -> None:
    report = analyzer.analyze(logs, select_rules=["port_scan"], local_networks=["192.0.2.0/24"])
    assert report.all_findings == ()


def test_paths(logs: Path) -> None:
    one = analyzer.analyze(str(logs / "conn.log"), select_rules=["address_scan"])
    two = analyzer.analyze([logs / "conn.log", logs / "conn.log"], select_rules=["address_scan"])
    assert one.records == two.records
    assert one.all_findings == two.all_findings
    with pytest.raises(InputError, match="no such file or directory"):
        analyzer.analyze(logs / "missing.log")
    with pytest.raises(EmptyInputError):
        analyzer.analyze([])


def test_progress_and_stages(logs: Path) -> None:
    counts: list[int] = []
    stages: list[str] = []
    analyzer.analyze(
        logs,
        select_rules=["port_scan", "dns_tunnel"],
        on_progress=counts.append,
        on_stage=stages.append,
    )
    assert sum(counts) == sum(file.stat().st_size for file in logs.iterdir())
    assert stages == ["reading", "dns_tunnel", "scan", "exemplars", "context", "hosts"]


# The same input gives the same bytes


def results(report: Report, directory: Path) -> tuple[bytes, bytes]:
    """The bytes of notice.log and findings.jsonl."""
    write_notices(report.findings, directory / "notice.log", written=0.0)
    write_findings(report.findings, directory / "findings.jsonl")
    return (directory / "notice.log").read_bytes(), (directory / "findings.jsonl").read_bytes()


def shuffled_rows(_: Traffic, logs: Path, directory: Path) -> Report:
    for file in logs.iterdir():
        lines = file.read_bytes().splitlines(keepends=True)
        head = [line for line in lines if line.startswith(b"#") and not line.startswith(b"#close")]
        rows = [line for line in lines if not line.startswith(b"#")]
        random.Random(7).shuffle(rows)  # noqa: S311 - no secret
        (directory / file.name).write_bytes(b"".join([*head, *rows]))
    return analyzer.analyze(directory)


def parts(traffic: Traffic, _: Path, directory: Path) -> Report:
    assert len(traffic.write(directory, rotate=3600.0)) > 15
    return analyzer.analyze(directory)


def compressed_the_other_way_round(traffic: Traffic, _: Path, directory: Path) -> Report:
    files = traffic.write(directory, compression="gz")
    return analyzer.analyze(sorted(files, reverse=True))


def json_lines(traffic: Traffic, _: Path, directory: Path) -> Report:
    traffic.write(directory, format="json")
    return analyzer.analyze(directory)


def one_thread_and_little_memory(_: Traffic, logs: Path, directory: Path) -> Report:
    assert not list(directory.iterdir())
    return analyzer.analyze(logs, threads=1, memory_limit="200MB")


@pytest.mark.parametrize(
    "given",
    [
        shuffled_rows,
        parts,
        compressed_the_other_way_round,
        json_lines,
        one_thread_and_little_memory,
    ],
)
def test_the_same_input_gives_the_same_bytes(
    given: Callable[[Traffic, Path, Path], Report],
    report: Report,
    traffic: Traffic,
    logs: Path,
    tmp_path: Path,
) -> None:
    directory = tmp_path / "input"
    directory.mkdir()
    assert results(given(traffic, logs, directory), tmp_path) == results(report, tmp_path)


def test_notices_read_back(report: Report, tmp_path: Path) -> None:
    results(report, tmp_path)
    frame = LogToDataFrame().create_dataframe(str(tmp_path / "notice.log"), ts_index=False)
    assert sorted(frame["msg"]) == sorted(finding.message for finding in report.findings)
    assert set(frame["note"]) == {finding.note for finding in report.findings}
    assert frame["ts"].is_monotonic_increasing
    # Our own notice.log is a Zeek log of a kind that holds no records.
    with pytest.raises(EmptyInputError, match="a Zeek notice log, not one of conn, dns, ssl, http"):
        analyzer.analyze(tmp_path / "notice.log")
