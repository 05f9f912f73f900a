"""The evaluate command: what it prints, where, and with which status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_cli import Run, run
from tests.test_evaluation import labelled

__all__ = ["run"]  # the fixture

SELECT = ("--select", "address_scan")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return labelled(tmp_path / "conn.log.labeled")


def test_tables(run: Run, log: Path) -> None:
    said = run("evaluate", log, *SELECT)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("Evaluated 1 finding at low or above, of 102 conn, 0 dns records\n")
    assert "Connections: 100 attack, 2 benign, 0 labelled as unknown" in said.out


def test_json(run: Run, log: Path) -> None:
    said = run("evaluate", log, "--labels", log, "--tune", "--json", *SELECT)
    assert (said.status, said.err) == (0, "")
    plain = json.loads(said.out)
    assert plain["quality"]["connections"]["true_positives"] == 100
    assert [proposal["rule"] for proposal in plain["tuning"]] == ["address_scan"]


def test_tuning_without_labels(run: Run, log: Path) -> None:
    said = run("evaluate", log, "--tune", *SELECT)
    assert said.status == 0
    assert "Thresholds to try, from the tail of the findings; nothing was changed" in said.out
    assert "All rules together" not in said.out


def test_bad_lines_are_told(
    run: Run, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    labels = tmp_path / "labels.csv"
    labels.write_text("uid,label\nC1,Bot\nC2\n", encoding="utf-8")
    said = run("evaluate", log, "--labels", labels, *SELECT)
    assert said.status == 0
    assert "1 line skipped: not as many columns as the header names" in said.out
    assert f"{labels}:3" in said.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--labels", "gone"), "gone: no such file or directory"),
        (("--precision", "0.9"), "--precision is what --tune is to reach"),
        (("--tune", "--precision", "2"), "precision 2: expected above 0 and at most 1"),
    ],
)
def test_errors(run: Run, log: Path, arguments: tuple[str, ...], complaint: str) -> None:
    said = run("evaluate", log, *arguments)
    assert (said.status, said.out) == (2, "")
    assert said.err == f"zeek-analyzer: {complaint}\n"


def test_labels_that_match_nothing(run: Run, log: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("uid,label\nnobody,Bot\n", encoding="utf-8")
    said = run("evaluate", log, "--labels", labels)
    assert (said.status, said.out) == (2, "")
    assert "no label matches a connection" in said.err
