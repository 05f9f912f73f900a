"""The analyze command: what it writes, and what it looks at."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.test_cli import ROOT, SCAN, TITLE, Run, log, run, scan_rows, write_log
from tests.test_rules_command import rule

__all__ = ["log", "rule", "run"]  # fixtures


def test_out_writes_files_and_the_summary_is_not_a_result(
    run: Run, log: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "directory"
    said = run("analyze", log, *SCAN, "--out", out)
    assert (said.status, said.out) == (0, "")
    assert said.err.startswith("Analysed 100 conn and 0 dns records")
    assert sorted(path.name for path in out.iterdir()) == ["findings.jsonl", "notice.log"]
    notices = (out / "notice.log").read_text().splitlines()
    assert notices[4] == "#path\tnotice"
    assert len(notices[6].split("\t")) == 1 + 31
    assert [line.split("\t")[10] for line in notices if not line.startswith("#")] == [
        "ZeekAnalyzer::Address_Scan"
    ]
    (finding,) = (out / "findings.jsonl").read_text().splitlines()
    assert json.loads(finding)["message"].startswith(TITLE)
    again = run("analyze", log, *SCAN, "--out", out, "-q")
    assert (again.status, again.out, again.err) == (0, "", "")


def test_strict_writes_the_columns_of_zeek(run: Run, log: Path, tmp_path: Path) -> None:
    assert run("analyze", log, *SCAN, "-q", "--strict", "--out", tmp_path / "out").status == 0
    fields = (tmp_path / "out" / "notice.log").read_text().splitlines()[6].split("\t")
    assert fields[0] == "#fields"
    assert len(fields) == 1 + 26
    assert fields[-1] == "remote_location.longitude"


def test_json_notices(run: Run, log: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("analyze", log, *SCAN, "-q", "--format", "json", "--out", out).status == 0
    (line,) = (out / "notice.log").read_text().splitlines()
    notice = json.loads(line)
    assert notice["note"] == "ZeekAnalyzer::Address_Scan"
    assert notice["severity"] == "critical"
    assert run("analyze", log, *SCAN, "-q", "--format=json", "--strict", "--out", out).status == 0
    assert "severity" not in json.loads((out / "notice.log").read_text())


def test_ecs_documents(run: Run, log: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("analyze", log, *SCAN, "-q", "--format", "ecs", "--out", out).status == 0
    assert sorted(path.name for path in out.iterdir()) == ["findings.jsonl", "notice.ecs.ndjson"]
    document = json.loads((out / "notice.ecs.ndjson").read_text())
    finding = json.loads((out / "findings.jsonl").read_text())
    assert document["event"]["id"] == finding["id"]
    assert document["rule"]["name"] == "ZeekAnalyzer::Address_Scan"


def test_zeeks_own_directory_is_refused_before_anything_is_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".cmdline").touch()
    said = run("analyze", tmp_path / "no such log", "--out", tmp_path)
    assert (said.status, said.out) == (2, "")
    assert said.err == (
        f"zeek-analyzer: {tmp_path}: is a directory of Zeek's own (ZeekControl runs Zeek in it); "
        "choose another one\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == [".cmdline"]


def test_a_failure_to_write_leaves_what_was_there(run: Run, log: Path, tmp_path: Path) -> None:
    said = run("analyze", log, *SCAN, "--out", log)
    complaint = f"zeek-analyzer: {log}/notice.log: cannot be written: Not a directory\n"
    assert (said.status, said.out, said.err) == (2, "", complaint)
    out = tmp_path / "out"
    (out / "findings.jsonl").mkdir(parents=True)
    said = run("analyze", log, *SCAN, "--out", out)
    assert said.status == 2
    assert said.err == (
        f"zeek-analyzer: {out}/findings.jsonl: is a directory, expected a file to write\n"
    )
    assert sorted(path.name for path in out.iterdir()) == ["findings.jsonl", "notice.log"]


def test_report_is_a_page_of_its_own(run: Run, tmp_path: Path) -> None:
    uid = "<script>alert({})</script>"
    log = write_log(tmp_path / "conn.log", scan_rows(uid))
    said = run("analyze", log, *SCAN, "--report", tmp_path / "report.html")
    assert said.status == 0
    assert said.out.startswith("Analysed 100")
    page = (tmp_path / "report.html").read_text()
    assert page.startswith("<!DOCTYPE html>\n")
    assert "&lt;script&gt;alert(0)&lt;/script&gt;" in page
    assert "<script" not in page
    assert re.findall(r"(?:src|href|url)\s*[=(]", page) == []


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("1768800005", "1768800008"),
        ("2026-01-19T05:20:05", "2026-01-19T05:20:08Z"),
        ("2026-01-19T07:20:05+02:00", "2026-01-19 05:20:08"),
    ],
)
def test_times(run: Run, log: Path, begin: str, end: str) -> None:
    said = run("analyze", log, *SCAN, "--from", begin, "--to", end)
    assert said.status == 0
    assert said.out.startswith("Analysed 30 conn")


def test_a_date_written_together_is_no_second_of_1970(run: Run, log: Path) -> None:
    said = run("analyze", log, *SCAN, "--from", "20260119", "--to", "20260120")
    assert said.out.startswith("Analysed 100 conn")


def test_select_and_ignore(run: Run, log: Path) -> None:
    said = run("analyze", log, "--select", "*_scan,fan_out", "--ignore", "address_*, fan_out")
    assert said.status == 0
    assert "address_scan" not in said.out
    assert "Nothing found at severity low or above\n" in said.out


def test_local_networks(run: Run, log: Path) -> None:
    said = run("analyze", log, *SCAN, "--local-nets", "192.0.2.0/24")
    assert said.status == 0
    assert TITLE not in " ".join(said.out.split())


def test_threads_change_nothing(run: Run, log: Path, tmp_path: Path) -> None:
    for threads in ("1", "2"):
        out = tmp_path / threads
        assert run("analyze", log, *SCAN, "-q", "--threads", threads, "--out", out).status == 0
    one, two = ((tmp_path / threads / "findings.jsonl").read_bytes() for threads in ("1", "2"))
    assert one == two != b""


def test_broken_rules_stop_an_analysis(run: Run, log: Path, rule: Path) -> None:
    rule.write_text("")
    said = run("analyze", log, "--rules", rule.parent)
    assert (said.status, said.out) == (2, "")
    assert said.err == f"zeek-analyzer: {rule}:1: is empty\n"
    said = run("analyze", log, "--rules", log)
    assert (said.status, said.out) == (2, "")
    assert said.err == f"zeek-analyzer: {log}: rules cannot be read from here: Not a directory\n"


INTEL = "#fields\tindicator\tindicator_type\tmeta.source\n10.0.1.7\tIntel::ADDR\ta feed\n"


def test_intelligence(run: Run, log: Path, tmp_path: Path) -> None:
    listed = tmp_path / "intel.dat"
    listed.write_text(INTEL + "10.0.1.8\tIntel::ADR\tx\n")
    said = run("analyze", log, "--intel", listed, "--select", "threat_intelligence")
    assert (said.status, said.err) == (0, "")
    assert "Looked for 1 address listed in 1 file; 1 line skipped\n" in said.out
    assert "10.0.0.5 tried to reach 10.0.1.7, which is listed by a feed" in said.out
    listed.write_text("10.0.1.7\n")
    said = run("analyze", log, "--intel", listed)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(f"zeek-analyzer: {listed}:1: no indicator in this file: ")


def test_allowlist(run: Run, log: Path, tmp_path: Path) -> None:
    allowed, out = tmp_path / "allow.txt", tmp_path / "out"
    allowed.write_text("10.0.0.5 rule:*_scan # ours\n10.0.0.9\n")
    options = (*SCAN, "--fail-on", "low", "--allow", allowed)
    said = run("analyze", log, *options)
    assert (said.status, said.err) == (0, "")
    assert "Nothing found at severity low or above" in said.out
    assert f"  1 by {allowed}:1: 10.0.0.5 rule:*_scan\n" in said.out.replace("\n    ", " ")
    assert run("analyze", log, *options, "--out", out).status == 0
    assert (out / "findings.jsonl").read_text() == ""
    assert TITLE not in (out / "notice.log").read_text()
    allowed.write_text("rule:adress_scan\n")
    said = run("analyze", log, *options)
    complaint = "rule:adress_scan matches no rule; did you mean 'address_scan'?"
    assert (said.status, said.err) == (2, f"zeek-analyzer: {allowed}:1: {complaint}\n")


def test_intel_out_writes_indicators(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "intel.dat"
    said = run("analyze", ROOT / "sample_pcaps" / "dns_tunnel.pcap", "-q", "--intel-out", file)
    assert (said.status, said.out, said.err) == (0, "", "")
    _, *rows = file.read_text().splitlines()
    assert [row.split("\t")[:3] for row in rows] == [
        ["quillmoor.net", "Intel::DOMAIN", "zeek-analyzer"]
    ]
    run(
        "analyze",
        ROOT / "sample_pcaps" / "dns_tunnel.pcap",
        "-q",
        "--intel-out",
        file,
        "--intel-severity",
        "critical",
    )
    assert len(file.read_text().splitlines()) == 1
