"""The feedback command: what it keeps, what it prints, and what it complains of."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.baseline.anonymise import Key
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.feedback import verdicts_about
from analyzer.baseline.file import read_baseline, write_baseline
from tests.test_baseline.test_feedback import FINDING, written
from tests.test_cli import Run, run

__all__ = ["run"]  # the fixture

ID = FINDING["id"]


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    path = tmp_path / "baseline"
    write_baseline(Baseline(), path)
    written(tmp_path / "findings.jsonl", FINDING)
    return path


def test_a_verdict(run: Run, baseline: Path) -> None:
    said = run("feedback", ID, "--benign", "--baseline", baseline, "--by", "ann")
    assert (said.status, said.out) == (0, "")
    assert said.err.startswith("Noted 1 verdict: 1 benign, 0 malicious\n")
    (row,) = verdicts_about(read_baseline(baseline)).to_dict("records")
    assert (row["finding"], row["benign"], row["by"], row["rule"]) == (ID, True, "ann", "beacon")


def test_a_file_of_them_and_findings_elsewhere(run: Run, baseline: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other.jsonl", FINDING, {**FINDING, "id": "b"})
    listed = tmp_path / "verdicts"
    listed.write_text(f"{ID} malicious\nb benign\n", "utf-8")
    words = ("--baseline", baseline, "--findings", other, "--by", "ann", "-q")
    said = run("feedback", "--file", listed, *words)
    assert (said.status, said.out, said.err) == (0, "", "")
    said = run("feedback", ID, "--benign", *words)
    assert said.status == 0
    assert len(read_baseline(baseline)["verdicts"]) == 3
    assert verdicts_about(read_baseline(baseline)).benign.all()


def test_hashed(run: Run, baseline: Path, tmp_path: Path) -> None:
    secret = b"k" * 16
    write_baseline(Baseline(key_check=Key(secret).check), baseline)
    (tmp_path / "key").write_bytes(secret)
    words = ("feedback", ID, "--malicious", "--baseline", baseline)
    assert "expected --key-file" in run(*words).err
    assert run(*words, "--key-file", tmp_path / "key").status == 0
    assert list(read_baseline(baseline)["verdicts"].finding) == [Key(secret).name(ID)]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((ID,), "expected identifiers of findings, and --benign or --malicious"),
        (("--benign",), "expected identifiers of findings, and --benign or --malicious"),
        ((), "nothing said: expected identifiers of findings, or --file with some"),
        (("00ff", "--benign"), f"no finding is called '00ff'; did you mean {ID}?"),
        ((ID, "--benign", "--findings", "gone"), "gone: cannot be read"),
        ((ID, "--benign", "--key-file", "gone"), "gone: cannot be read"),
    ],
)
def test_complaints(run: Run, baseline: Path, words: tuple[str, ...], complaint: str) -> None:
    before = baseline.read_bytes()
    said = run("feedback", *words, "--baseline", baseline)
    assert (said.status, said.out) == (2, "")
    assert complaint in said.err
    assert baseline.read_bytes() == before


def test_no_baseline(run: Run, tmp_path: Path) -> None:
    written(tmp_path / "findings.jsonl", FINDING)
    said = run("feedback", ID, "--benign", "--baseline", tmp_path / "gone")
    assert said.status == 2
    assert "gone: cannot be read" in said.err
