"""Comparing logs with a baseline's file, which is never written."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.api import analyze
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.file import write_baseline
from analyzer.comparing import compare_records
from analyzer.errors import BaselineError, EmptyInputError, InputError, OptionError
from analyzer.learning import learn
from tests.test_cli import scan_rows, write_log

HOST = "10.0.0.5"
DAY = 86_400.0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A scan on 2026-01-19."""
    return write_log(tmp_path / "conn.log", scan_rows())


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    """A baseline that learned three days before."""
    file = tmp_path / "baseline"
    rows = []
    for day in (1, 2, 3):
        for row in scan_rows(f"D{day}-{{}}", hosts=5):
            ts, _, rest = row.partition("\t")
            rows.append(f"{float(ts) - day * DAY:.6f}\t{rest}")
    learn([write_log(tmp_path / "earlier.log", rows)], file, protected=False)
    return file


def test_a_scan_beside_quiet_days(log: Path, baseline: Path) -> None:
    content, changed = baseline.read_bytes(), baseline.stat().st_mtime_ns
    found = compare_records(log, baseline)
    assert found.compared.days == ("2026-01-19",)
    assert found.compared.usual_days == ("2026-01-16", "2026-01-17", "2026-01-18")
    (host,) = found.compared.hosts
    assert (host.host, host.known) == (HOST, True)
    numbers = {each.metric: each for each in host.deviations}
    assert numbers["connections"].observed == 100.0
    assert numbers["connections"].expected == pytest.approx(5, rel=0.25)
    assert numbers["connections"].band == "over 2"
    assert found.account.read["conn"] == 100
    assert (baseline.read_bytes(), baseline.stat().st_mtime_ns) == (content, changed)


def test_a_file_and_a_directory_that_cannot_be_written(log: Path, baseline: Path) -> None:
    content = baseline.read_bytes()
    names = sorted(file.name for file in baseline.parent.iterdir())
    baseline.chmod(0o400)
    baseline.parent.chmod(0o500)
    try:
        assert compare_records([log], baseline).compared.hosts
        assert sorted(file.name for file in baseline.parent.iterdir()) == names
    finally:
        baseline.parent.chmod(0o700)
    assert baseline.read_bytes() == content


def test_json(log: Path, baseline: Path) -> None:
    found = compare_records(log, baseline)
    plain = found.as_dict()
    assert list(plain) == [
        "days",
        "usual_days",
        "left_out",
        "partial",
        "network",
        "hosts",
        "silent",
    ]
    assert list(plain["hosts"][0]) == [
        "host",
        "role",
        "known",
        "deviations",
        "new_ports",
        "new_applications",
        "new_services",
    ]
    assert list(plain["network"]["deviations"][0]) == [
        "metric",
        "observed",
        "expected",
        "sigmas",
        "band",
        "judged_by",
        "samples",
        "days",
    ]
    assert found.as_dict(["nobody"])["hosts"] == []
    assert len(found.as_dict([HOST])["hosts"]) == 1


def test_nothing_but_the_days_of_the_records(tmp_path: Path, baseline: Path) -> None:
    earlier = tmp_path / "earlier.log"
    with pytest.raises(BaselineError, match="no other days than those of the records"):
        compare_records(earlier, baseline)
    # One of its days beside the others.
    found = compare_records(earlier, baseline, begin=1_768_800_000.0 - 1.5 * DAY)
    assert found.compared.left_out == ("2026-01-18",)
    assert found.compared.usual_days == ("2026-01-16", "2026-01-17")


def test_errors(tmp_path: Path, log: Path, baseline: Path) -> None:
    with pytest.raises(BaselineError, match="gone"):
        compare_records(log, tmp_path / "gone")
    with pytest.raises(BaselineError):
        compare_records(log, log)
    with pytest.raises(InputError, match="no such file"):
        compare_records(tmp_path / "gone.log", baseline)
    with pytest.raises(EmptyInputError, match="no record in the time"):
        compare_records(log, baseline, begin=2e9)
    with pytest.raises(OptionError):
        compare_records(log, baseline, local_networks=["home"])
    hashed = tmp_path / "hashed"
    write_baseline(Baseline(key_check="abc"), hashed)
    with pytest.raises(BaselineError, match="keyed hashes"):
        compare_records(log, hashed)


def test_a_run_tells_the_state_of_the_baseline_it_judged_by(log: Path, baseline: Path) -> None:
    report = analyze(log, baseline=baseline, select_rules=["address_scan"])
    assert report.baseline is not None
    assert (report.baseline.days, report.baseline.last) == (3, "2026-01-18")
    assert analyze(log, select_rules=["address_scan"]).baseline is None
