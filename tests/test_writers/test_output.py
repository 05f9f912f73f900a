"""What a run leaves in a directory, and which directories it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.writers.appending import AppendingLog
from analyzer.writers.ecs import ecs_lines
from analyzer.writers.jsonl import finding_lines
from analyzer.writers.log_kinds import OutputFormat
from analyzer.writers.notice import Written, notice_lines
from analyzer.writers.output import refuse_output, write_output

from . import FIRST, make_finding

FINDINGS = [make_finding(), make_finding(last=FIRST + 500), make_finding(port=23)]


@pytest.mark.parametrize(
    ("format_", "name"),
    [("tsv", "notice.log"), ("json", "notice.log"), ("ecs", "notice.ecs.ndjson")],
)
def test_a_log_of_notices_and_all_findings(
    tmp_path: Path, format_: OutputFormat, name: str
) -> None:
    out = tmp_path / "out"
    assert write_output(FINDINGS, out, format=format_, written=FIRST) == Written(2, 1)
    assert sorted(file.name for file in out.iterdir()) == sorted(["findings.jsonl", name])
    assert (out / "findings.jsonl").read_text() == "".join(finding_lines(FINDINGS))
    notices = [FINDINGS[0], FINDINGS[2]]
    expected = (
        ecs_lines(notices)
        if format_ == "ecs"
        else notice_lines(notices, format=format_, written=FIRST)
    )
    assert (out / name).read_text() == "".join(expected)


def test_strict(tmp_path: Path) -> None:
    write_output(FINDINGS, tmp_path, strict=True, written=FIRST)
    expected = notice_lines(FINDINGS, strict=True, written=FIRST)
    assert (tmp_path / "notice.log").read_text() == "".join(expected)


def test_directories_of_others(tmp_path: Path) -> None:
    (tmp_path / "zeek").mkdir()
    (tmp_path / "zeek" / ".cmdline").touch()
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / "notice.log").write_text('{"note":"Scan::Port_Scan"}\n')
    with AppendingLog(tmp_path / "watched"):
        for name in ("zeek", "notices", "watched"):
            with pytest.raises(OutputError):
                refuse_output(tmp_path / name)
            with pytest.raises(OutputError):
                write_output(FINDINGS, tmp_path / name, written=FIRST)
            assert not (tmp_path / name / "findings.jsonl").exists()
    with AppendingLog(tmp_path / "followed", format="findings"), pytest.raises(OutputError):
        refuse_output(tmp_path / "followed", "ecs")
    # A log of another name is not in the way.
    refuse_output(tmp_path / "notices", "ecs")
    refuse_output(tmp_path / "watched")
    refuse_output(tmp_path / "none")
